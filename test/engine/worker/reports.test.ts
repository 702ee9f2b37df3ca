// Lines, progress and metrics are gathered for a moment and none is lost.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { PRINTS_PENDING_MAX } from '../../../engine/limits.js';
import type { Checkpoint, FromWorker } from '../../../engine/worker/messages.js';
import { Reports } from '../../../engine/worker/reports.js';

function reports(checkpoints: readonly Checkpoint[] = []): { clock: VirtualClock; posted: FromWorker[]; reports: Reports } {
  const clock = new VirtualClock();
  const posted: FromWorker[] = [];
  return { clock, posted, reports: new Reports(clock, checkpoints, (message) => posted.push(message)) };
}

const immediate = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

t.test('lines of one turn travel together, in order', async (t) => {
  const { posted, reports: each } = reports();
  await Promise.all(['a', 'b', 'c'].map((line) => each.print(line)));
  t.strictSame(posted, []);
  await immediate();
  await each.print('d');
  each.flush();
  await immediate();
  t.strictSame(posted, [
    { type: 'print', lines: ['a', 'b', 'c'] },
    { type: 'print', lines: ['d'] },
  ]);
});

t.test('print makes its caller wait while too many lines are not written', async (t) => {
  const { reports: each } = reports();
  for (let i = 0; i < PRINTS_PENDING_MAX; i++) await each.print(`line ${i}`);
  const resolved: string[] = [];
  const [one, two] = [each.print('one'), each.print('two')];
  void one.then(() => resolved.push('one'));
  void two.then(() => resolved.push('two'));
  await immediate();
  t.strictSame(resolved, []);
  each.printed(PRINTS_PENDING_MAX);
  await immediate();
  t.strictSame(resolved, [], 'the lines before them are written, they themselves not yet');
  each.printed(1);
  await immediate();
  t.strictSame(resolved, ['one']);
  each.printed(1);
  await two;
});

t.test('only the last progress of a partition is told, once a moment', async (t) => {
  const { clock, posted, reports: each } = reports([{ component: 'lines', partition: 'p', progress: 1 }]);
  t.equal(each.restored('lines', 'p'), 1);
  t.equal(each.restored('lines', 'q'), undefined);
  for (let progress = 2; progress < 10; progress++) each.checkpoint({ component: 'lines', partition: 'p', progress });
  each.checkpoint({ component: 'lines', partition: 'q', progress: 'x' });
  t.equal(each.restored('lines', 'p'), 9);
  t.strictSame(posted, []);
  while (clock.step(clock.now() + 1000));
  t.strictSame(posted, [
    { type: 'checkpoint', checkpoint: { component: 'lines', partition: 'p', progress: 9 } },
    { type: 'checkpoint', checkpoint: { component: 'lines', partition: 'q', progress: 'x' } },
  ]);
  t.equal(clock.nextDueMs(), undefined, 'nothing is waited for while nothing changes');
});

t.test('metrics are told with all that a task measures', async (t) => {
  const { posted, reports: each } = reports();
  each.measured(1, 'seen', (value) => value + 2);
  each.measured(1, 'seen', (value) => value + 3);
  each.measured(1, 'level', () => 7);
  each.measured(2, 'seen', (value) => value + 1);
  each.flush();
  t.strictSame(posted, [
    { type: 'metrics', task: 1, values: { seen: 5, level: 7 } },
    { type: 'metrics', task: 2, values: { seen: 1 } },
  ]);
  each.flush();
  t.equal(posted.length, 2);
});
