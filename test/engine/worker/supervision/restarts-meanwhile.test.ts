// What happens around a task while it is restarted: its topology is switched off, drained, killed or spread anew,
// another worker dies. On virtual time.

import t, { type Test } from 'tap';
import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { TestRun, type TestOptions } from 'millrace/testing';
import { Numbers, OneByOne, Work } from '../topologies/broken.js';

const COUNT = 20;
const all = Array.from({ length: COUNT }, (_, n) => n);

interface Broken {
  /** The incarnation before which the spout does not work. */
  readonly spout?: number;
  /** That of the bolt. */
  readonly bolt?: number;
  readonly how?: string;
  readonly parallelism?: number;
}

async function brokenRun(
  t: Test,
  { spout = 0, bolt = 0, ...rest }: Broken,
  options: TestOptions = {},
): Promise<TestRun> {
  const { how = 'sync', parallelism = 1 } = rest;
  const run = await TestRun.start(
    topology('broken', (t) => {
      const kind = spout === 0 ? OneByOne : Numbers;
      const numbers = t.spout('numbers', kind, { config: { count: COUNT, healsAt: spout } });
      const behavior = { manualAck: true, concurrency: 4, parallelism };
      t.bolt('work', Work, { ...behavior, config: { healsAt: bolt, how } }).shuffle(numbers);
    }),
    { ...options, settings: { placement: 'spread' } },
  );
  t.teardown(() => run.close());
  return run;
}

/** Goes on until that component is closed and waits for its next instance. */
async function untilAbsent(run: TestRun, component: string): Promise<void> {
  for (let steps = 0; steps < 150 && run.life(component).at(-1) !== 'close'; steps++) await run.advance('100ms');
}

const MAY_FOLLOW = new Map<string, readonly string[]>([
  ['open', ['nothing']],
  ['prepare', ['nothing']],
  ['activate', ['open', 'prepare', 'deactivate']],
  ['deactivate', ['activate']],
  ['close', ['open', 'prepare', 'deactivate']],
]);

/** Each instance is prepared and closed once, and activated only in between. */
function checkLives(t: Test, run: TestRun, component: string): void {
  const last = new Map<string, string>();
  for (const { task, call, incarnation } of run.of('life', component)) {
    const before = last.get(`${task}/${incarnation}`) ?? 'nothing';
    const may = MAY_FOLLOW.get(call);
    if (may === undefined) continue;
    if (!may.includes(before)) t.fail(`${component} ${task}/${incarnation}: ${call} after ${before}`);
    last.set(`${task}/${incarnation}`, call);
  }
  t.same(new Set(last.values()), new Set(['close']), 'all are closed');
}

t.test('a topology that is switched off while its spout has no instance, and on again', async (t) => {
  const run = await brokenRun(t, { spout: 1 });
  await untilAbsent(run, 'numbers');
  await run.deactivate();
  await run.advance('5s');
  t.strictSame(run.life('numbers').slice(-2), ['constructor', 'open'], 'there is another one, which is not active');
  t.equal(run.status().state, 'inactive');
  const before = run.acked('numbers').length;
  await run.advance('5s');
  t.equal(run.acked('numbers').length, before, 'nor asked');
  await run.activate();
  await run.advance('1s');
  t.equal((await run.completed).status, 'completed');
  t.same(new Set(run.acked('numbers')), new Set(all));
  checkLives(t, run, 'numbers');
});

t.test('a topology that is switched off and on within the wait', async (t) => {
  const run = await brokenRun(t, { spout: 1 });
  await untilAbsent(run, 'numbers');
  await run.deactivate();
  await run.activate();
  await run.advance('5s');
  t.equal((await run.completed).status, 'completed');
  checkLives(t, run, 'numbers');
});

for (const component of ['numbers', 'work'] as const) {
  t.test(`a kill while "${component}" has no instance`, async (t) => {
    const run = await brokenRun(t, component === 'numbers' ? { spout: 1 } : { bolt: 1 });
    await untilAbsent(run, component);
    await run.kill();
    t.equal((await run.completed).status, 'killed');
    t.equal(run.life(component).filter((call) => call === 'close').length, 1, 'what is closed is not closed again');
    checkLives(t, run, component);
  });
}

t.test('a drain while the spout has no instance: it needs no other one', async (t) => {
  const run = await brokenRun(t, { spout: 100 });
  await untilAbsent(run, 'numbers');
  run.drain();
  await run.settle();
  t.equal((await run.completed).status, 'killed');
  t.equal(run.life('numbers').filter((call) => call === 'constructor').length, 1);
});

t.test('a drain while the bolt has no instance: its input is handled by the next one', async (t) => {
  const run = await brokenRun(t, { bolt: 1 });
  await untilAbsent(run, 'work');
  await run.advance('900ms');
  // Of those that failed last, some are not replayed yet, and will not be.
  const { queued } = run.status().components['work']!;
  t.ok(queued > COUNT / 2, `${queued} wait`);
  run.drain();
  await run.advance('1s');
  t.equal((await run.completed).status, 'killed');
  t.equal(new Set(run.acked('numbers')).size, queued);
});

for (const component of ['numbers', 'work'] as const) {
  t.test(`a rebalance that moves "${component}" while it has no instance`, async (t) => {
    const run = await brokenRun(t, component === 'numbers' ? { spout: 1 } : { bolt: 1, parallelism: 2 }, {
      workers: 1,
    });
    await untilAbsent(run, component);
    let isDone = false;
    const done = run.rebalance({ workers: 2, parallelism: { [component]: 1 } }).then(() => (isDone = true));
    for (let steps = 0; steps < 200 && !isDone; steps++) await run.advance('1s');
    await done;
    for (let steps = 0; steps < 60 && run.status().state === 'active'; steps++) await run.advance('1s');
    t.equal((await run.completed).status, 'completed');
    t.same(new Set(run.acked('numbers')), new Set(all), 'nothing was lost');
    t.equal(run.status().workerDeaths, 0);
    checkLives(t, run, component);
  });
}

t.test('a task that begins to do nothing but fail while it hands over', async (t) => {
  const run = await brokenRun(t, { bolt: 1, parallelism: 2 }, { workers: 2 });
  await run.advance('9s');
  let isDone = false;
  const done = run.rebalance({ workers: 1, parallelism: { work: 3 } }).then(() => (isDone = true));
  for (let steps = 0; steps < 200 && !isDone; steps++) await run.advance('1s');
  await done;
  for (let steps = 0; steps < 60 && run.status().state === 'active'; steps++) await run.advance('1s');
  t.equal((await run.completed).status, 'completed');
  t.same(new Set(run.acked('numbers')), new Set(all), 'nothing was lost');
  checkLives(t, run, 'work');
});

t.test('another worker dies while the bolt has no instance', async (t) => {
  const run = await brokenRun(t, { bolt: 1 }, { workers: 2 });
  await untilAbsent(run, 'work');
  const spoutWorker = run.of('life', 'numbers')[0]!.worker;
  await run.crash(spoutWorker);
  await run.advance('5s');
  t.equal((await run.completed).status, 'completed');
  t.same(new Set(run.acked('numbers')), new Set(all));
  t.equal(run.status().components['work']!.restarts, 1);
});

t.test('its own worker dies while the bolt has no instance: incarnations go on', async (t) => {
  const run = await brokenRun(t, { bolt: 3 }, { workers: 2 });
  await untilAbsent(run, 'work');
  await run.advance('2s');
  await run.crash(run.of('life', 'work')[0]!.worker);
  await run.advance('1s');
  const incarnations = run.of('life', 'work').flatMap((each) => (each.call === 'prepare' ? [each.incarnation] : []));
  t.strictSame(incarnations, [0, 1, 2]);
  t.equal(run.status().components['work']!.restarts, 2);
});

t.test('a bolt of a cycle is restarted, and the cycle ends', async (t) => {
  class Round extends Bolt {
    static readonly outputs = ['n', 'times'] as const;
    private context!: BoltContext;

    override prepare(context: BoltContext): void {
      this.context = context;
    }

    execute(tuple: Tuple, emit: (values: [number, number]) => void): void {
      const [n, times = 0] = tuple.values as [number, number?];
      if (times === 1 && this.context.incarnation === 0) throw new RangeError('no way back');
      if (times < 2) emit([n, times + 1]);
    }
  }
  const run = await TestRun.start(
    topology('cycle', (t) => {
      const numbers = t.spout('numbers', Numbers, { config: { count: COUNT, healsAt: 0 } });
      const enter = t.bolt('enter', Round);
      const back = t.bolt('back', Round);
      enter.shuffle(numbers).shuffle(back.feedback());
      back.shuffle(enter);
    }),
  );
  t.teardown(() => run.close());
  for (let steps = 0; steps < 30 && run.status().state === 'active'; steps++) await run.advance('1s');
  t.equal((await run.completed).status, 'completed');
  t.same(new Set(run.acked('numbers')), new Set(all));
  t.ok(run.status().components['back']!.restarts >= 1);
});
