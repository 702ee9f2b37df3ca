// Parameters that change while a topology runs: every task sees them, between two of its calls, without a restart; so
// do those that start later. On every transport.

import type { TestRun } from 'millrace/testing';
import { RESTART_WAIT_MIN_MS, TASK_ERRORS_MAX, TASK_ERRORS_MIN_MS } from '../../engine/limits.js';
import { linked, onEachTransport, range, settleUntil, topologyUrl, type Test } from './transports.js';

const tuned = topologyUrl('tuned');
const fed = ['numbers', 'more'];

/** What tasks of that bolt saw, by the number that they were given. */
function seen(run: TestRun, bolt: string, number: number): unknown[] {
  return run.emitted(bolt).flatMap(([of, factor]) => (of === number ? [factor] : []));
}

/** What `slow` said of being told. */
function said(run: TestRun): string[] {
  return run.printed.filter((line) => line.includes('beside'));
}

async function feed(run: TestRun, number: number): Promise<void> {
  run.feed('numbers', [number], { id: number });
  await settleUntil(run, () => run.acked('numbers').includes(number));
}

function expectSeen(t: Test, run: TestRun, number: number, factor: unknown): void {
  for (const bolt of ['plain', 'hears'])
    t.strictSame(seen(run, bolt, number), [factor, factor], `${bolt} at ${number}`);
}

onEachTransport(
  'every task sees new parameters without a restart, and is told of them once',
  tuned,
  { fed, parameters: { factor: 1, other: [true] } },
  async (t, run) => {
    await feed(run, 1);
    expectSeen(t, run, 1, 1);
    run.setParameters({ factor: 2 });
    await feed(run, 2);
    expectSeen(t, run, 2, 2);
    const calls = ['constructor', 'prepare', 'activate', 'parametersChanged'];
    t.strictSame([...run.life('hears')].sort(), calls.flatMap((call) => [call, call]).sort());
    t.strictSame(
      [...run.printed].sort().filter((line) => line.includes('had')),
      ['0 had {"factor":1,"other":[true]}', '1 had {"factor":1,"other":[true]}'],
      'while they are told, the old ones hold',
    );
    t.equal(run.status().workerDeaths, 0);
    run.setParameters({});
    await run.settle();
  },
);

onEachTransport(
  'what a component refuses does not hold for it, and the next one does',
  tuned,
  { fed },
  async (t, run) => {
    run.setParameters({ factor: 1 });
    await run.settle();
    run.setParameters({ factor: 'many' });
    await feed(run, 1);
    t.strictSame(seen(run, 'plain', 1), ['many', 'many']);
    t.strictSame(seen(run, 'hears', 1), [1, 1]);
    const { errors, lastErrors } = run.status().components['hears']!;
    t.equal(errors, 2, 'it is an error of each task');
    t.match(lastErrors[0]?.error, { code: 'MILLRACE_TASK_THREW', message: /parametersChanged.*a factor of "many"/ });
    run.setParameters({ factor: 3 });
    await feed(run, 2);
    expectSeen(t, run, 2, 3);
  },
);

onEachTransport(
  'a bolt is told between its calls, also of what came while it was being told; the last one holds',
  tuned,
  { fed, parameters: { factor: 0, executeMs: 50 } },
  async (t, run) => {
    for (const number of range(3)) run.feed('more', [number], { id: number });
    await settleUntil(run, () => run.executed('slow').length === 2);
    run.setParameters({ factor: 1, executeMs: 50, changeMs: 100 });
    run.setParameters({ factor: 2, executeMs: 50, changeMs: 100 });
    await run.advance(20);
    t.strictSame(said(run), [], 'its calls are under way');
    for (let steps = 0; steps < 100 && run.acked('more').length < 3; steps++) await run.advance(20);
    t.strictSame(run.emitted('slow').sort(), [
      [0, 0, 0],
      [1, 0, 0],
      [2, 2, 2],
    ]);
    t.ok(
      said(run).every((line) => line.endsWith('beside 0 calls')),
      said(run).join(', '),
    );
    t.strictSame(said(run).slice(-2), ['told of 2 beside 0 calls', 'took 2 beside 0 calls']);
  },
);

onEachTransport(
  'a task goes on without a component that takes too long to take them over',
  tuned,
  { fed, parameters: { factor: 0, changeMs: 6000 } },
  async (t, run) => {
    run.setParameters({ factor: 1, changeMs: 6000 });
    run.feed('more', [1], { id: 1 });
    await run.advance(4990);
    t.strictSame(run.acked('more'), [], 'it is being told');
    await run.advance(20);
    await settleUntil(run, () => run.acked('more').length === 1);
    t.strictSame(run.emitted('slow'), [[1, 0, 0]], 'the old ones hold');
    t.match(run.status().components['slow']?.lastErrors[0]?.error, { code: 'MILLRACE_PARAMETERS_LATE' });
    await run.advance(2000);
    run.feed('more', [2], { id: 2 });
    await settleUntil(run, () => run.acked('more').length === 2);
    t.strictSame(run.emitted('slow')[1], [2, 0, 0], 'what it says afterwards comes too late');
  },
);

onEachTransport(
  'calls that do not settle do not keep a bolt from hearing of them',
  tuned,
  { fed, parameters: { factor: 0, executeMs: 20_000 } },
  async (t, run) => {
    run.feed('more', [1], { id: 1 });
    await settleUntil(run, () => run.executed('slow').length === 1);
    run.setParameters({ factor: 1 });
    await run.advance(4990);
    t.strictSame(said(run), []);
    await run.advance(20);
    t.strictSame(said(run), ['told of 1 beside 1 calls', 'took 1 beside 1 calls']);
    run.feed('more', [2], { id: 2 });
    await settleUntil(run, () => run.acked('more').length === 1);
    t.strictSame(run.emitted('slow'), [[2, 1, 1]]);
  },
);

onEachTransport(
  'a task that is being restarted is told when its next instance is there',
  tuned,
  { fed, parameters: { factor: 1 } },
  async (t, run) => {
    await feed(run, 1);
    const closed = (): number => run.life('hears').filter((call) => call === 'close').length;
    for (const number of range(TASK_ERRORS_MAX, 1)) run.feed('numbers', [-number]);
    await run.advance(TASK_ERRORS_MIN_MS);
    run.feed('numbers', [-1]);
    await settleUntil(run, () => closed() === 2);
    t.equal(closed(), 2);
    run.setParameters({ factor: 2 });
    await run.settle();
    t.notOk(run.life('hears').includes('parametersChanged'), 'nobody is there to be told');
    await run.advance(2 * RESTART_WAIT_MIN_MS);
    t.equal(run.status().components['hears']!.restarts, 2);
    const { task } = run.of('life', 'hears').at(-1)!;
    const calls = run.of('life', 'hears').filter((each) => each.task === task);
    t.strictSame(
      calls.slice(-3).map(({ call }) => call),
      ['prepare', 'activate', 'parametersChanged'],
    );
    t.ok(run.printed.includes('0 had {"factor":1}'), 'it began with what held in its task');
    await feed(run, 2);
    expectSeen(t, run, 2, 2);
  },
);

onEachTransport(
  'a worker that takes the place of a dead one begins with the newest, and hears of later ones',
  tuned,
  { fed, parameters: { factor: 1 } },
  async (t, run, { workers }) => {
    run.setParameters({ factor: 2 });
    await run.settle();
    for (const worker of range(workers)) {
      await run.crash(worker);
      await settleUntil(run, () => run.status().workerDeaths === worker + 1);
      await feed(run, worker);
      expectSeen(t, run, worker, 2);
    }
    run.setParameters({ factor: 3 });
    await feed(run, 10);
    expectSeen(t, run, 10, 3);
  },
  linked,
);

onEachTransport(
  'a worker that is started by a rebalance begins with the newest',
  tuned,
  { fed, parameters: { factor: 1 } },
  async (t, run, { workers }) => {
    run.setParameters({ factor: 2 });
    await run.rebalance({ workers: workers + 1, parallelism: { hears: 3 } });
    await feed(run, 1);
    t.strictSame(seen(run, 'hears', 1), [2, 2, 2]);
    run.setParameters({ factor: 3 });
    await feed(run, 2);
    t.strictSame(seen(run, 'hears', 2), [3, 3, 3]);
  },
  linked.filter(({ threads }) => !threads),
);
