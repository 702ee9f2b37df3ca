// The spouts of a run stand aside for another version, and come back: every tree is done before, nothing is lost after,
// whatever dies, drains or is switched meanwhile.

import type { TestRun } from 'millrace/testing';
import { advanceUntil, ALL, checkAll, rebalance, rebalanced, spreading } from '../../conformance/spreading.js';
import {
  linked,
  onEachTransport,
  oneThread,
  topologyUrl,
  twoThreads,
  type Test,
} from '../../conformance/transports.js';

const summing = new URL('./topologies/summing.js', import.meta.url);
const ingesting = topologyUrl('ingesting');

const calls = (run: TestRun, component: string, call: string): number =>
  run.life(component).filter((each) => each === call).length;

/** Lets time pass until all spouts have let go. */
async function standAside(run: TestRun): Promise<void> {
  await rebalanced(run, run.run.standAside());
}

async function comeBack(run: TestRun): Promise<void> {
  await rebalanced(run, run.run.comeBack());
}

/** Everything goes on and comes to its end. */
async function completes(t: Test, run: TestRun): Promise<void> {
  await advanceUntil(run, () => !['active', 'inactive'].includes(run.status().state));
  t.equal((await run.completed).status, 'completed');
}

async function deaths(run: TestRun, count: number): Promise<void> {
  while (run.status().workerDeaths < count) await new Promise((resolve) => setImmediate(resolve));
}

/** The sum of all numbers that the spout emitted, as the last bolt prints it. */
function total(run: TestRun): string {
  return `total ${run.emitted('numbers').reduce((sum, [number]) => sum + (number as number), 0)}`;
}

onEachTransport('spouts stand aside and come back: each record is handled once', spreading, {}, async (t, run) => {
  await run.advance(50);
  await standAside(run);
  t.equal(run.status().state, 'aside');
  t.match(run.metrics().components['records'], { condition: { state: 'inactive', text: /stands aside/ } });
  t.equal(run.emitted('records').length, run.acked('records').length, 'every tree is done');
  t.equal(calls(run, 'records', 'close'), 2);
  t.equal(calls(run, 'owner', 'close'), 0, 'bolts stay');
  const emitted = run.emitted('records').length;
  t.ok(emitted > 0 && emitted < ALL);
  await run.advance(200);
  t.equal(run.emitted('records').length, emitted, 'nothing is emitted meanwhile');
  await run.run.standAside();
  await t.rejects(run.rebalance({ workers: 1 }), { code: 'MILLRACE_REBALANCE_BUSY' });
  await comeBack(run);
  t.equal(run.status().state, 'active');
  t.equal(calls(run, 'records', 'open'), 4);
  await rebalance(run, { workers: 2, parallelism: { owner: 3 } });
  await completes(t, run);
  checkAll(t, run);
  const incarnations = run.of('emitted', 'records').map(({ incarnation }) => incarnation);
  t.ok(Math.max(...incarnations) > 0, 'in another incarnation');
});

onEachTransport('asked back before they have let go, they go on', ingesting, {}, async (t, run) => {
  const waits = run.ingest('orders', ['Ahab', 'wait']);
  await run.settle();
  const aside = run.run.standAside();
  await run.settle();
  t.equal(run.status().state, 'active', 'a tree is open');
  await t.rejects(run.ingest('orders', ['Ahab', 'ack']), { code: 'MILLRACE_INGEST_INACTIVE' });
  const back = run.run.comeBack();
  await t.rejects(aside, { code: 'MILLRACE_SPOUTS_CALLED_OFF' });
  await back;
  await run.advance('1s');
  await waits;
  await run.ingest('orders', ['Ishmael', 'ack']);
  await run.ingest('orders', ['Queequeg', 'ack']);
  const tasks = run.of('emitted', 'orders').map(({ task }) => task);
  t.equal(new Set(tasks).size, 2, 'both tasks take records');
});

onEachTransport('records from outside are refused while they stand aside', ingesting, {}, async (t, run) => {
  await run.ingest('orders', ['Ahab', 'ack']);
  const last = [run.ingest('orders', ['Ishmael', 'ack']), run.ingest('orders', ['Pip', 'ack'])];
  const settled = Promise.allSettled(last);
  await standAside(run);
  for (const each of await settled) {
    const code = each.status === 'fulfilled' ? null : (each.reason as { readonly code: string }).code;
    t.ok(code === null || code === 'MILLRACE_INGEST_INACTIVE', 'it is emitted, or refused');
  }
  await t.rejects(run.ingest('orders', ['Queequeg', 'ack']), { code: 'MILLRACE_INGEST_INACTIVE' });
  await comeBack(run);
  await run.ingest('orders', ['Starbuck', 'ack']);
});

for (const worker of [0, 1]) {
  onEachTransport(
    `worker ${worker} dies before they have let go: all goes on as before`,
    ingesting,
    {},
    async (t, run) => {
      const waits = run.ingest('orders', ['Ahab', 'wait']).catch(() => undefined);
      await run.settle();
      const aside = run.run.standAside();
      aside.catch(() => undefined);
      await run.settle();
      await run.crash(worker);
      await t.rejects(rebalanced(run, aside), { code: 'MILLRACE_REBALANCE_WORKER_DIED' });
      t.equal(run.status().state, 'active');
      await run.advance('1s');
      await waits;
      for (const name of ['Ishmael', 'Queequeg', 'Pip']) await run.ingest('orders', [name, 'ack']);
      await standAside(run);
      t.equal(run.status().state, 'aside', 'they can stand aside after that');
    },
    linked,
  );

  onEachTransport(
    `worker ${worker} dies while they stand aside: it is replaced when they come back`,
    spreading,
    {},
    async (t, run) => {
      await run.advance(50);
      await standAside(run);
      const opened = calls(run, 'records', 'open');
      await run.crash(worker);
      await deaths(run, 1);
      await run.advance('1m');
      t.equal(run.status().state, 'aside');
      t.equal(calls(run, 'records', 'open'), opened);
      await run.run.standAside();
      await comeBack(run);
      await completes(t, run);
      t.equal(new Set(run.acked('records')).size, ALL, 'every record is acked');
    },
    linked,
  );

  onEachTransport(
    `worker ${worker} dies while they stand aside: drained, it ends and reads nothing`,
    summing,
    {},
    async (t, run) => {
      await run.advance(50);
      await standAside(run);
      const made = calls(run, 'numbers', 'constructor');
      await run.crash(worker);
      await deaths(run, 1);
      void run.kill({ waitMs: 60_000 });
      await advanceUntil(run, () => run.status().state !== 'draining');
      t.equal((await run.completed).status, 'killed');
      t.equal(run.printed.length, 1, 'its bolts came to the end of their inputs');
      t.equal(calls(run, 'numbers', 'constructor'), made, 'no spout is made');
    },
    linked,
  );
}

onEachTransport('drained while they stand aside, bolts finish and no spout is made', summing, {}, async (t, run) => {
  await run.advance(50);
  await standAside(run);
  void run.kill({ waitMs: 60_000 });
  t.equal(run.status().state, 'draining');
  await t.rejects(run.run.standAside(), { code: 'MILLRACE_SPOUTS_STATE' });
  await advanceUntil(run, () => run.status().state !== 'draining');
  t.equal((await run.completed).status, 'killed');
  t.strictSame(run.printed, [total(run)]);
  t.equal(calls(run, 'numbers', 'constructor'), 1);
  t.equal(calls(run, 'numbers', 'close'), 1);
});

onEachTransport('drained on their way aside, bolts finish', summing, {}, async (t, run) => {
  await run.advance(50);
  const aside = run.run.standAside();
  void run.kill({ waitMs: 60_000 });
  await t.rejects(aside, { code: 'MILLRACE_SPOUTS_STATE' });
  await advanceUntil(run, () => run.status().state !== 'draining');
  t.equal((await run.completed).status, 'killed');
  t.strictSame(run.printed, [total(run)]);
  t.equal(calls(run, 'numbers', 'constructor'), 1);
});

onEachTransport('killed while they stand aside, it ends at once', summing, {}, async (t, run) => {
  await run.advance(50);
  await standAside(run);
  await run.kill();
  t.equal((await run.completed).status, 'killed');
  t.strictSame(run.printed, []);
  t.equal(calls(run, 'numbers', 'close'), 1);
});

onEachTransport('switched off while they stand aside, they come back and rest', spreading, {}, async (t, run) => {
  await run.advance(50);
  await standAside(run);
  await run.deactivate();
  t.equal(run.status().state, 'aside');
  await comeBack(run);
  t.equal(run.status().state, 'inactive');
  const emitted = run.emitted('records').length;
  await run.advance(100);
  t.equal(run.emitted('records').length, emitted);
  await standAside(run);
  await run.activate();
  t.equal(run.status().state, 'aside');
  await comeBack(run);
  await completes(t, run);
  checkAll(t, run);
});

onEachTransport(
  'a worker that is moved while they stand aside is started elsewhere when they come back',
  spreading,
  {},
  async (t, run) => {
    await run.advance(50);
    await standAside(run);
    run.run.move([1]);
    await deaths(run, 1);
    await comeBack(run);
    await completes(t, run);
    t.equal(new Set(run.acked('records')).size, ALL, 'every record is acked');
  },
  linked,
);

onEachTransport(
  'spouts that had said that they are done: the topology completes all the same',
  topologyUrl('finishing'),
  {},
  async (t, run) => {
    await standAside(run).catch(() => undefined);
    await comeBack(run);
    await advanceUntil(run, () => run.status().state !== 'active');
    t.equal((await run.completed).status, 'completed');
    t.ok(run.printed.includes('total 10100'), run.printed.join());
  },
);

onEachTransport(
  'they stand aside when a worker that is being replaced is there, and not in the middle of a rebalance',
  spreading,
  {},
  async (t, run) => {
    await run.advance(20);
    const change = run.rebalance({ parallelism: { owner: 3 } });
    await t.rejects(run.run.standAside(), { code: 'MILLRACE_REBALANCE_BUSY' });
    await rebalanced(run, change);
    await run.crash(0);
    await deaths(run, 1);
    const aside = run.run.standAside();
    await run.run.comeBack();
    await t.rejects(aside, { code: 'MILLRACE_SPOUTS_CALLED_OFF' });
    await standAside(run);
    t.equal(run.status().state, 'aside');
    await comeBack(run);
    await advanceUntil(run, () => run.status().state !== 'active');
    t.equal(new Set(run.acked('records')).size, ALL);
  },
  [oneThread, twoThreads],
);
