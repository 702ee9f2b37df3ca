// The rebalances of one run: one after the other, the last one counts, and who waits for which hears how it went.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { RunRebalances } from '../../../api/host/run-rebalances.js';
import { failure } from '../../../engine/errors.js';
import { REBALANCE_TRIES_MAX, RESIZE_RETRY_MS } from '../../../engine/limits.js';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import type { PlanChange } from '../../../engine/plan/replan.js';
import type { TopologyRun } from '../../../engine/worker/topology-run.js';

interface Asked {
  readonly change: PlanChange;
  settle(error?: Error): void;
}

/** A run whose rebalances end when the test says so. */
function runOf(): { readonly run: TopologyRun; readonly asked: Asked[]; next(): Promise<Asked> } {
  const asked: Asked[] = [];
  const run = {
    rebalance: (change: PlanChange) =>
      new Promise<void>((resolve, reject) => {
        asked.push({ change, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  };
  const next = async (): Promise<Asked> => {
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return asked.shift()!;
  };
  return { run: run as unknown as TopologyRun, asked, next };
}

const description = {
  name: 'words',
  components: [
    { id: 'lines', parallelism: 1 },
    { id: 'count', parallelism: 2 },
  ],
} as unknown as TopologyDescription;

function rebalancesOf() {
  const clock = new VirtualClock();
  const told: [change: number, reason: string | null][] = [];
  const rebalances = new RunRebalances({ name: 'words', description, change: 3 }, clock, (order, error) => {
    told.push([order.change, error === null ? null : (error as Error).message]);
  });
  return { rebalances, told, clock };
}

const order = (change: number, workers: number, parallelism = {}) => ({
  ...{ change, workers, parallelism },
  places: [],
});
const never = new AbortController().signal;

t.test('what is asked for before the run has started is carried out then; only the last counts', async (t) => {
  const { rebalances, told } = rebalancesOf();
  const { run, next, asked } = runOf();
  rebalances.add(order(4, 2));
  rebalances.add(order(5, 3, { count: 4 }));
  const first = rebalances.done(4, never);
  const second = rebalances.done(5, never);
  rebalances.started(run);
  const one = await next();
  t.strictSame(one.change, { workers: 3, parallelism: { lines: 1, count: 4 } }, 'what is left out is as defined');
  one.settle();
  await Promise.all([first, second]);
  t.strictSame(told, [[5, null]]);
  t.strictSame(asked, []);
  await rebalances.done(3, never);
  await rebalances.done(5, never);
});

t.test('one after the other; those between are passed over', async (t) => {
  const { rebalances, told } = rebalancesOf();
  const { run, next, asked } = runOf();
  rebalances.started(run);
  rebalances.add(order(4, 1));
  const one = await next();
  for (const change of [5, 6, 7]) rebalances.add(order(change, change));
  t.strictSame(asked, [], 'the first one is under way');
  const waits = [5, 6, 7].map((change) => rebalances.done(change, never));
  one.settle();
  const last = await next();
  t.equal(last.change.workers, 7);
  last.settle();
  await Promise.all(waits);
  t.strictSame(told, [
    [4, null],
    [7, null],
  ]);
});

t.test('one that is refused is told to who waits for it, and to who asks later', async (t) => {
  const { rebalances, told } = rebalancesOf();
  const { run, next } = runOf();
  rebalances.started(run);
  rebalances.add(order(4, 1));
  const waits = t.rejects(rebalances.done(4, never), { message: 'not like that' });
  (await next()).settle(new Error('not like that'));
  await waits;
  await t.rejects(rebalances.done(4, never), { message: 'not like that' });
  t.strictSame(told, [[4, 'not like that']]);
  rebalances.add(order(5, 2));
  (await next()).settle();
  await rebalances.done(5, never);
  await rebalances.done(4, never);
});

t.test('a worker that dies is no reason to give it up, unless that goes on', async (t) => {
  const { rebalances, told } = rebalancesOf();
  const { run, next } = runOf();
  const died = failure('MILLRACE_REBALANCE_WORKER_DIED', { worker: 1, reason: 'killed' });
  rebalances.started(run);
  rebalances.add(order(4, 1));
  (await next()).settle(died);
  (await next()).settle();
  await rebalances.done(4, never);
  rebalances.add(order(5, 1));
  const refused = t.rejects(rebalances.done(5, never), { code: 'MILLRACE_REBALANCE_WORKER_DIED' });
  for (let tries = 0; tries < REBALANCE_TRIES_MAX; tries++) (await next()).settle(died);
  await refused;
  t.strictSame(
    told.map(([change]) => change),
    [4, 5],
  );
});

t.test('who gives up waiting hears why, and the rebalance goes on', async (t) => {
  const { rebalances, told } = rebalancesOf();
  const { run, next } = runOf();
  rebalances.started(run);
  rebalances.add(order(4, 1));
  const gone = new AbortController();
  const waits = t.rejects(rebalances.done(4, gone.signal), { message: 'went home' });
  gone.abort(new Error('went home'));
  await waits;
  await t.rejects(rebalances.done(4, gone.signal), { message: 'went home' });
  (await next()).settle();
  await rebalances.done(4, never);
  t.strictSame(told, [[4, null]]);
});

t.test('the end of the run is the end of what waits', async (t) => {
  const { rebalances, told } = rebalancesOf();
  const { run, next } = runOf();
  rebalances.started(run);
  rebalances.add(order(4, 1));
  const one = await next();
  const waits = t.rejects(rebalances.done(4, never), { code: 'MILLRACE_REBALANCE_ENDED' });
  rebalances.end();
  await waits;
  await t.rejects(rebalances.done(5, never), { code: 'MILLRACE_REBALANCE_ENDED' });
  one.settle();
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(told, [], 'nobody is told of what came too late');
});

t.test('one that meets spouts that stand aside is asked for again, until the run is over', async (t) => {
  const { rebalances, told, clock } = rebalancesOf();
  const { run, next, asked } = runOf();
  const busy = failure('MILLRACE_REBALANCE_BUSY', { topology: 'words' });
  const passes = async (): Promise<void> => {
    while (clock.nextDueMs() === undefined) await new Promise((resolve) => setImmediate(resolve));
    clock.step(clock.now() + RESIZE_RETRY_MS);
  };
  rebalances.started(run);
  rebalances.add(order(4, 2));
  (await next()).settle(busy);
  await passes();
  (await next()).settle();
  await rebalances.done(4, never);
  t.strictSame(told, [[4, null]]);
  rebalances.add(order(5, 3));
  (await next()).settle(busy);
  while (clock.nextDueMs() === undefined) await new Promise((resolve) => setImmediate(resolve));
  rebalances.end();
  await t.rejects(rebalances.done(5, never), { code: 'MILLRACE_REBALANCE_ENDED' });
  t.strictSame(asked, []);
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
});
