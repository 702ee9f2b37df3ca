// What is measured of a topology whose every tuple is known, on virtual time and on each transport: counts are exact,
// times are those of the virtual clock.

import type { TestRun } from 'millrace/testing';
import type { ComponentSnapshot } from '../../engine/metrics/snapshot.js';
import { linked, onEachTransport, range, settleUntil, topologyUrl, type Test } from './transports.js';

const metered = topologyUrl('metered');
const holding = topologyUrl('holding');

function component(run: TestRun, id: string): ComponentSnapshot {
  return run.metrics().components[id]!;
}

/** Figures of a component, of which those of its tasks are the parts. */
function counted(t: Test, run: TestRun, id: string, expected: Partial<ComponentSnapshot>): void {
  const found = component(run, id);
  t.match(found, expected, id);
  for (const key of Object.keys(expected) as (keyof ComponentSnapshot)[]) {
    if (typeof expected[key] !== 'number') continue;
    const parts = found.tasks.map((task) => (task as unknown as Record<string, number>)[key]!);
    t.equal(
      parts.reduce((sum, part) => sum + part, 0),
      expected[key],
      `${id}: ${key} of its tasks`,
    );
  }
}

for (const strict of [true, false]) {
  onEachTransport(
    `every tuple is counted, by task${strict ? '' : ', also on the quickest way'}`,
    metered,
    { fed: ['source'], strict },
    async (t, run) => {
      for (const n of [...range(9, 1), 13]) run.feed('source', [n], { id: n });
      await run.advance('5s');
      t.strictSame(run.failed('source'), [13]);
      counted(t, run, 'source', { emitted: 10, transferred: 20, executed: 0, acked: 9, failed: 1, openTrees: 0 });
      counted(t, run, 'spread', { emitted: 18, transferred: 36, executed: 10, acked: 9, failed: 1, errors: 1 });
      counted(t, run, 'wide', { emitted: 0, transferred: 0, executed: 36, acked: 36, failed: 0, queued: 0 });
      counted(t, run, 'late', { executed: 10, acked: 10, failed: 0, calls: 0, restarts: 0, stale: 0 });
      t.strictSame(
        component(run, 'wide').tasks.map(({ executed, index }) => [index, executed]),
        [
          [0, 18],
          [1, 18],
        ],
      );
      const { windows } = component(run, 'source');
      t.match(windows['10s'], { seconds: 5, emittedPerSecond: 2, transferredPerSecond: 4, ackedPerSecond: 1.8 });
      t.match(windows['10m'], { seconds: 5, emittedPerSecond: 2, failedPerSecond: 0.2 });
      const { executeLatencyMs, processLatencyMs, windows: late } = component(run, 'late');
      t.match(executeLatencyMs, { all: { count: 10, sum: 1000, mean: 100 }, '10s': { count: 10 } });
      t.match(processLatencyMs, { all: { count: 10, sum: 1000 } }, 'asynchronous calls settle their tuples');
      t.equal(late['10s'].capacity, 1000 / (5000 * 16), 'of 16 calls at once for five seconds');
      t.match(component(run, 'spread').executeLatencyMs, { all: { count: 10, sum: 0 } }, 'no virtual time went by');
      const { completeLatencyMs } = component(run, 'source');
      t.match(completeLatencyMs, { all: { count: 9, sum: 900, mean: 100 }, '10m': { count: 9 } });
      t.ok(completeLatencyMs!.all.p50 >= 100 && completeLatencyMs!.all.max <= 100 * 1.07);
      t.match(component(run, 'spread').user, { counters: { seen: 10 }, gauges: { last: 13 } });
      t.match(component(run, 'spread').user.histograms['size'], { count: 10, sum: 58 });
      t.equal(component(run, 'spread').condition.state, 'flowing');
      await run.advance('20s');
      t.equal(component(run, 'source').windows['10s'].emittedPerSecond, 0, 'the window has left it behind');
      t.equal(component(run, 'source').windows['10m'].emittedPerSecond, 10 / 25);
      t.match(component(run, 'late').executeLatencyMs, {
        all: { count: 10 },
        '10s': { count: 0 },
        '10m': { count: 10 },
      });
      t.equal(component(run, 'spread').condition.text, 'idle: no input');
      t.match(component(run, 'source').condition, { state: 'idle', text: 'idle: has nothing to emit' });
    },
  );
}

const tiny = {
  batchTuplesMax: 4,
  mailboxTuplesMax: 4,
  channelReserveTuples: 2,
  linkSharedTuples: 6,
  sliceTuplesMax: 8,
};

onEachTransport(
  'who is blocked says by whom, for how long and why',
  topologyUrl('pressure'),
  { fed: ['left', 'right', 'waits', 'command'], limits: tiny },
  async (t, run, transport) => {
    const gate = `metrics ${transport.name}`;
    for (const number of range(200)) run.feed('left', [[gate, number]], { id: number });
    await run.advance('4s');
    const why = transport.workers === 1 ? 'its mailbox is full' : 'no credit left';
    const relay = component(run, 'relay');
    t.strictSame(relay.condition, { state: 'blocked', text: `blocked by slow#0 (${why}), 100 % of the last 4 s` });
    t.match(relay, { stalls: 1, stalledMs: 4000, windows: { '10s': { stalled: 1 } } });
    const slow = component(run, 'slow');
    t.equal(relay.tasks[0]!.blockedBy, slow.tasks[0]!.task);
    t.match(component(run, 'left').condition.text, /^blocked by relay#0 \(its mailbox is full\)/);
    t.match(slow.condition, { state: 'calls-full', text: 'waits for its calls: 1 of 1 under way' });
    t.match(slow.windows['10s'], { capacity: 1 });
    t.ok(slow.queued >= 2 && slow.queueFill >= 0.4 && slow.queueFill <= 1, `${slow.queued}, ${slow.queueFill} full`);
    t.ok(slow.queuedBytes > 0);
    t.equal(relay.outbox > 0, transport.workers > 1);
    t.equal(component(run, 'fast').condition.state, 'idle');
    await run.advance('60s');
    t.match(component(run, 'relay'), { stalls: 1, stalledMs: 64_000 });
    run.feed('command', [gate]);
    await run.settle();
    t.equal(run.acked('left').length, 200);
    t.match(component(run, 'relay'), { stalledMs: 64_000, outbox: 0, tasks: [{ blockedBy: null }] });
    t.match(component(run, 'slow'), { queued: 0, queuedBytes: 0, queueFill: 0, calls: 0 });
    await run.advance('30s');
    t.match(component(run, 'relay'), { stalledMs: 64_000, condition: { text: 'idle: no input' } });
  },
);

onEachTransport(
  'a spout with as many open trees as it may says so; what is acked twice or too late is counted',
  holding,
  { fed: ['source', 'command'], settings: { maxSpoutPending: 3, messageTimeout: '1h' } },
  async (t, run) => {
    for (const id of range(5)) run.feed('source', [id], { id });
    await run.advance('2s');
    const waiting = { openTrees: 3, openTreesMax: 3, ackWaits: 1, ackWaitedMs: 2000 };
    t.match(component(run, 'source'), waiting);
    t.equal(component(run, 'source').condition.text, 'waits for acks, 100 % of the last 2 s: 3 of 3 trees open');
    for (const leaf of ['a', 'b', 'c']) run.feed('command', ['ack', `0/${leaf}`]);
    await run.settle();
    t.strictSame(run.acked('source'), [0]);
    t.match(component(run, 'source'), { openTrees: 3, acked: 1, ackWaitedMs: 2000 });
    t.match(component(run, 'holder').processLatencyMs, { all: { count: 3, sum: 6000 } }, 'what outlived its call');
    for (const [verb, key] of [
      ['ack', '1/a'],
      ['ack', '1/a'],
      ['fail', '1/b'],
      ['ack', '1/b'],
      ['touch', '1/b'],
      ['fail', '1/c'],
    ]) {
      run.feed('command', [verb, key]);
      await run.settle();
    }
    t.match(component(run, 'holder'), { duplicates: 2, misused: 3 });
    t.match(component(run, 'source'), { failed: 1, stale: 1 });
  },
);

onEachTransport(
  'what was counted stays when a worker dies, and its tasks were started again',
  metered,
  { fed: ['source'] },
  async (t, run) => {
    for (const n of range(10)) run.feed('source', [n], { id: n });
    await run.advance('5s');
    const { worker } = component(run, 'spread').tasks[0]!;
    await run.crash(worker);
    await settleUntil(run, () => run.metrics().workerDeaths === 1 && component(run, 'spread').restarts === 1);
    await run.settle();
    for (const n of range(5)) run.feed('source', [n], { id: `again ${n}` });
    await run.advance('5s');
    t.equal(run.metrics().workerDeaths, 1);
    for (const each of Object.values(run.metrics().components)) {
      for (const task of each.tasks) t.equal(task.restarts, task.worker === worker ? 1 : 0);
    }
    const { executed, user } = component(run, 'spread');
    t.equal(executed, 15);
    t.match(user, { counters: { seen: 15 }, gauges: { last: 4 }, histograms: { size: { count: 15, sum: 55 } } });
    t.equal(component(run, 'late').executeLatencyMs?.all.count, 15);
  },
  linked,
);

onEachTransport('what has ended says so, and stays as it was', metered, { fed: ['source'] }, async (t, run) => {
  run.feed('source', [1], { id: 1 });
  await run.advance('1s');
  run.endFeed('source');
  await run.advance('1s');
  t.equal((await run.completed).status, 'completed');
  const metrics = run.metrics();
  t.equal(metrics.state, 'completed');
  for (const { condition } of Object.values(metrics.components)) t.equal(condition.state, 'ended');
  t.match(metrics.components['wide'], { executed: 4 });
  t.strictSame(run.metrics(), metrics);
});
