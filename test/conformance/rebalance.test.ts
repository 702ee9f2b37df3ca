// A topology is rebalanced under load: C50 and C51 on one host; and a worker dies in the middle of it (C53).

import type { TestRun } from 'millrace/testing';
import { advanceUntil, ALL, checkAll, rebalance, rebalanced, spreading } from './spreading.js';
import { linked, onEachTransport, type Test } from './transports.js';

onEachTransport('C50 more workers, fewer workers, any parallelism: nothing is lost', spreading, {}, async (t, run) => {
  await run.advance(50);
  await rebalance(run, { workers: 3, parallelism: { owner: 4 } });
  t.equal(run.status().workers, 3);
  t.equal(run.status().components['owner']!.parallelism, 4);
  await run.advance(50);
  await rebalance(run, { parallelism: { records: 3, sink: 1 } });
  t.equal(run.status().components['records']!.parallelism, 3);
  await run.advance(50);
  t.ok(run.acked('records').length < ALL, 'it is not over yet');
  await rebalance(run, { workers: 1, parallelism: { owner: 3, records: 1, sink: 5 } });
  t.equal(run.status().workers, 1);
  await advanceUntil(run, () => run.status().state !== 'active');
  t.equal((await run.completed).status, 'completed');
  checkAll(t, run);
  t.equal(run.status().components['owner']!.executed, ALL, 'what tasks did that are gone stays counted');
  const closed = run.life('owner').filter((call) => call === 'close').length;
  t.equal(closed, run.life('owner').filter((call) => call === 'prepare').length);
});

onEachTransport('C50 tasks that need not move are not started again', spreading, {}, async (t, run) => {
  await run.advance(50);
  const before = run.of('life', 'sink').filter(({ call }) => call === 'prepare').length;
  await rebalance(run, { parallelism: { owner: 5 } });
  await advanceUntil(run, () => run.status().state !== 'active');
  const lives = run.of('life', 'sink').filter(({ call }) => call === 'prepare').length;
  t.equal(lives, before);
  t.equal(run.life('records').filter((call) => call === 'open').length, 2);
  checkAll(t, run);
});

onEachTransport(
  'C51 what makes no sense, or cannot be made, is refused: nothing changes',
  spreading,
  {},
  async (t, run) => {
    await run.advance(50);
    const workers = run.status().workers;
    for (const [change, code] of [
      [{ parallelism: { owner: 0 } }, 'MILLRACE_REBALANCE_PARALLELISM'],
      [{ parallelism: { owner: 65 } }, 'MILLRACE_REBALANCE_PARALLELISM'],
      [{ parallelism: { nobody: 2 } }, 'MILLRACE_REBALANCE_COMPONENT'],
      [{ workers: 0 }, 'MILLRACE_REBALANCE_WORKERS'],
      [{ parallelism: { refusing: 9_999 } }, 'MILLRACE_REBALANCE_TASKS'],
      [{ workers: 3, parallelism: { refusing: 3, owner: 4 } }, 'MILLRACE_WORKER_START'],
    ] as const) {
      await t.rejects(rebalance(run, change), { code });
    }
    t.equal(run.status().workers, workers);
    t.equal(run.status().components['owner']!.parallelism, 2);
    await run.advance(50);
    await rebalance(run, { parallelism: { owner: 3 } });
    const second = run.rebalance({ parallelism: { owner: 2 } });
    await t.rejects(run.rebalance({ workers: 2 }), { code: 'MILLRACE_REBALANCE_BUSY' });
    await rebalanced(run, second);
    await advanceUntil(run, () => run.status().state !== 'active');
    checkAll(t, run);
    await t.rejects(run.rebalance({ workers: 2 }), { code: 'MILLRACE_REBALANCE_STATE' });
  },
);

onEachTransport(
  'C53 a worker dies while it is rebalanced: it is carried out or called off, and every record is handled',
  spreading,
  { settings: { messageTimeout: '2s' } },
  async (t, run) => {
    await run.advance(50);
    for (const death of [1, 0]) await crashed(t, run, death);
    await advanceUntil(run, () => run.status().state !== 'active');
    t.equal((await run.completed).status, 'completed');
    t.equal(new Set(run.acked('records')).size, ALL, 'every record is acked');
    t.equal(run.status().workerDeaths, 2);
  },
  linked,
);

onEachTransport(
  'C53 the only worker dies and is replaced, and is linked with those that come then',
  spreading,
  { settings: { messageTimeout: '2s' } },
  async (t, run) => {
    await run.advance(50);
    await rebalance(run, { workers: 1 });
    await run.crash(0);
    await run.settle();
    await rebalance(run, { workers: 3, parallelism: { owner: 4 } });
    await advanceUntil(run, () => run.status().state !== 'active');
    t.equal((await run.completed).status, 'completed');
    t.equal(new Set(run.acked('records')).size, ALL, 'every record is acked');
  },
  linked,
);

async function crashed(t: Test, run: TestRun, death: number): Promise<void> {
  let how = 'nothing';
  const done = run.rebalance({ workers: 3, parallelism: { owner: 4 + death } }).then(
    () => void (how = 'carried out'),
    (error: unknown) => void (how = (error as { readonly code: string }).code),
  );
  await run.crash(death);
  await rebalanced(run, done);
  t.match(how, /^carried out$|^MILLRACE_REBALANCE_WORKER_DIED$/);
  await run.settle();
}
