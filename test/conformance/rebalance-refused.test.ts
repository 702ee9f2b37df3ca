// What is not carried out of a rebalance: a new task cannot be made ready, or never is (C51), a worker dies or the
// topology is switched off in the middle of it (C53). All goes on as before, and nothing is lost.

import type { TestRun } from 'millrace/testing';
import { advanceUntil, ALL, checkAll, rebalance, rebalanced, spreading } from './spreading.js';
import { linked, onEachTransport, type Test } from './transports.js';

/** So many spouts can never be opened, and nothing else changes. */
const HANGING = { parallelism: { records: 5 } };

/** What waits for a new task waits for long. */
const LONG_MS = 500;

/** The rebalance has got as far as it can: all spouts have let go, and one of the new ones is being opened. */
async function stuck(run: TestRun): Promise<void> {
  const opened = (): number => run.of('life', 'records').filter(({ call }) => call === 'open').length;
  await advanceUntil(run, () => opened() >= 2 + 5);
}

/** Everything goes on at the place where it was. */
async function goesOn(t: Test, run: TestRun): Promise<void> {
  t.equal(run.status().components['records']!.parallelism, 2);
  await advanceUntil(run, () => run.status().state !== 'active');
  t.equal((await run.completed).status, 'completed');
}

/** Life calls of bolts that were there from the start. */
const prepared = (run: TestRun, bolt: string): number => run.life(bolt).filter((call) => call === 'prepare').length;

onEachTransport('C51 a new spout that cannot be opened: all goes on as before', spreading, {}, async (t, run) => {
  await run.advance(50);
  const prepares = prepared(run, 'owner');
  await t.rejects(rebalance(run, { parallelism: { records: 4 } }), {
    code: 'MILLRACE_WORKER_START',
    message: 'open of component "records" failed: no room for four',
  });
  t.equal(prepared(run, 'owner'), prepares, 'bolts have not noticed');
  await run.advance(20);
  await t.rejects(rebalance(run, { workers: 3, parallelism: { records: 4, owner: 5 } }), {
    code: 'MILLRACE_WORKER_START',
  });
  t.equal(run.status().components['owner']!.parallelism, 2);
  t.equal(run.status().workerDeaths, 0);
  await rebalance(run, { workers: 3, parallelism: { records: 3, owner: 3 } });
  t.equal(run.status().components['records']!.parallelism, 3, 'another change is carried out');
  await advanceUntil(run, () => run.status().state !== 'active');
  checkAll(t, run);
});

onEachTransport('C51 a new task that is never ready: all goes on as before', spreading, {}, async (t, run) => {
  await run.advance(50);
  await t.rejects(rebalanced(run, run.rebalance(HANGING), LONG_MS), {
    code: 'MILLRACE_REBALANCE_TIMEOUT',
    message: 'the rebalance was called off, because open of a new task of component "records" took longer than 30 s',
  });
  await goesOn(t, run);
  checkAll(t, run);
});

for (const worker of [1, 0]) {
  onEachTransport(
    `C53 worker ${worker} dies while new spouts are opened: all goes on as before, and every record is handled`,
    spreading,
    { settings: { messageTimeout: '2s' } },
    async (t, run) => {
      await run.advance(20);
      const done = run.rebalance({ ...HANGING, workers: 3 });
      done.catch(() => undefined);
      await stuck(run);
      await run.crash(worker);
      await t.rejects(rebalanced(run, done, LONG_MS), { code: 'MILLRACE_REBALANCE_WORKER_DIED' });
      t.equal(run.status().workers, 2);
      await goesOn(t, run);
      t.equal(new Set(run.acked('records')).size, ALL, 'every record is acked');
      t.equal(run.status().workerDeaths, 1);
    },
    linked,
  );
}

onEachTransport('C53 it is switched off and on in the middle of a rebalance', spreading, {}, async (t, run) => {
  await run.advance(50);
  const done = run.rebalance(HANGING);
  done.catch(() => undefined);
  await stuck(run);
  const off = run.deactivate();
  await t.rejects(rebalanced(run, done, LONG_MS), { code: 'MILLRACE_REBALANCE_TIMEOUT' });
  await off;
  const acked = run.acked('records').length;
  await run.advance(100);
  t.equal(run.acked('records').length, acked, 'its spouts rest');
  await run.activate();
  await goesOn(t, run);
  checkAll(t, run);
});

onEachTransport('C53 it is drained in the middle of a rebalance', spreading, {}, async (t, run) => {
  await run.advance(50);
  const done = run.rebalance(HANGING);
  done.catch(() => undefined);
  await stuck(run);
  run.drain();
  await t.rejects(rebalanced(run, done, LONG_MS), { code: 'MILLRACE_REBALANCE_TIMEOUT' });
  await advanceUntil(run, () => run.status().state !== 'draining');
  t.equal((await run.completed).status, 'killed');
  t.equal(run.executed('sink').length, run.acked('records').length, 'what was in flight is handled');
});

onEachTransport('C53 it is killed in the middle of a rebalance', spreading, {}, async (t, run) => {
  await run.advance(50);
  const done = run.rebalance(HANGING);
  const refused = t.rejects(done, { code: 'MILLRACE_REBALANCE_ENDED' });
  await stuck(run);
  await run.kill();
  await refused;
  t.equal((await run.completed).status, 'killed');
});
