// Lines, progress and metrics are gathered for a moment and none is lost.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import type { Checkpoint, FromWorker } from '../../../engine/worker/messages.js';
import { Reports } from '../../../engine/worker/reports.js';

function reports(checkpoints: readonly Checkpoint[] = []): {
  clock: VirtualClock;
  posted: FromWorker[];
  reports: Reports;
} {
  const clock = new VirtualClock();
  const posted: FromWorker[] = [];
  return { clock, posted, reports: new Reports(clock, checkpoints, (message) => posted.push(message)) };
}

const immediate = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

t.test('lines of one turn travel together, in order', async (t) => {
  const { posted, reports: each } = reports();
  const printed = ['a', 'b', 'c'].map((line) => each.print(line));
  t.strictSame(posted, []);
  await immediate();
  printed.push(each.print('d'));
  each.flush();
  await immediate();
  t.strictSame(posted, [
    { type: 'print', lines: ['a', 'b', 'c'] },
    { type: 'print', lines: ['d'] },
  ]);
  each.printed(4);
  await Promise.all(printed);
});

t.test('print resolves when its line is written, in turn', async (t) => {
  const { reports: each } = reports();
  const resolved: string[] = [];
  const printed = ['a', 'b', 'c'].map((line) => each.print(line).then(() => resolved.push(line)));
  await immediate();
  t.strictSame(resolved, []);
  each.printed(2);
  await immediate();
  t.strictSame(resolved, ['a', 'b']);
  each.printed(1);
  await Promise.all(printed);
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
  const [one, two] = [each.metricsOf('a', 1, 3), each.metricsOf('b', 2, 0)];
  one.counter('seen').add(2);
  one.counter('seen').add(3);
  one.gauge('level').set(7);
  two.counter('seen').add();
  two.histogram('size').record(4);
  each.flush();
  t.strictSame(posted, [
    {
      type: 'metrics',
      task: 1,
      incarnation: 3,
      figures: { counters: [['seen', 5]], gauges: [['level', 7]], histograms: [] },
    },
    {
      type: 'metrics',
      task: 2,
      incarnation: 0,
      figures: {
        counters: [['seen', 1]],
        gauges: [],
        histograms: [['size', { buckets: [143, 1], sum: 4 }]],
      },
    },
  ]);
  each.flush();
  t.equal(posted.length, 2);
});
