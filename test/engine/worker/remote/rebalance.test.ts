// A topology whose workers are in several processes is rebalanced under load: nothing is lost, no key is in two tasks
// at once, and what members counted is not lost with the tasks that go.

import { rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../../engine/random.js';
import { checkOnce, Team } from './team.js';

const RUNS = Number(process.env['MILLRACE_REMOTE_REBALANCE_RUNS'] ?? 2);
const RECORDS = 60;

t.test('workers come and go in members, and tasks move between processes', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 2]);
  await team.acked(RECORDS);
  await team.rebalance({ workers: 1 });
  t.equal(team.run.status().workers, 1);
  await team.acked(RECORDS);
  await team.rebalance({ workers: 3, parallelism: { owner: 5 } });
  t.equal(team.run.status().workers, 3);
  t.equal(team.run.status().components['owner']!.parallelism, 5);
  await team.acked(RECORDS);
  await team.rebalance({ workers: 2, parallelism: { records: 3, owner: 1 } });
  await team.acked(RECORDS);
  t.equal((await team.finish()).status, 'completed');
  checkOnce(t, team);
  t.equal(team.run.status().workerDeaths, 0);
});

t.test('more workers than the processes have are refused, and nothing changes', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 1]);
  await team.acked(1);
  await t.rejects(team.rebalance({ workers: 3 }), {
    code: 'MILLRACE_REBALANCE_PLACES',
    message: 'topology "watched-keys" cannot be spread over 3 workers: its processes have 2',
  });
  await team.acked(1);
  t.equal(team.run.status().workers, 2);
  t.equal((await team.finish()).status, 'completed');
  checkOnce(t, team);
});

t.test('a spout that cannot be opened in a member: all goes on as before', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 2]);
  await team.acked(RECORDS);
  await team.rebalance({ workers: 2 });
  writeFileSync(team.file('refuse'), '');
  await t.rejects(team.rebalance({ workers: 3, parallelism: { records: 3, owner: 5 } }), {
    code: 'MILLRACE_WORKER_START',
    message: 'open of component "records" failed: not now',
  });
  t.equal(team.run.status().workers, 2);
  await team.acked(RECORDS);
  t.equal((await team.finish()).status, 'completed');
  checkOnce(t, team);
});

t.test('a member is lost in the middle of a rebalance, and comes back', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 1]);
  await team.acked(RECORDS);
  writeFileSync(team.file('hold'), '');
  const done = team.rebalance({ parallelism: { owner: 4 } });
  const refused = t.rejects(done, { code: 'MILLRACE_REBALANCE_WORKER_DIED' });
  await team.leave('b');
  await refused;
  rmSync(team.file('hold'));
  team.join('b', 1);
  await team.rebalance({ parallelism: { owner: 2 } });
  await team.acked(RECORDS);
  t.equal((await team.finish()).status, 'completed');
  t.equal(team.run.status().components['owner']!.parallelism, 2);
  t.equal(team.run.status().workerDeaths, 1);
});

t.test('random rebalances over three processes', { timeout: 100_000 }, async (t) => {
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 0x7fffffff }), async (seed) => {
    const random = new Random(seed);
    await t.test(`seed ${seed}`, async (t) => {
      const team = await Team.start(t, [1, 2, 1]);
      for (let at = 0; at < 4; at++) {
        await team.acked(random.nextBelow(RECORDS));
        const parallelism: Record<string, number> = {};
        for (const id of ['records', 'owner', 'sink']) {
          if (random.nextBelow(2) === 0) parallelism[id] = 1 + random.nextBelow(5);
        }
        await team.rebalance({ parallelism, ...(random.nextBelow(3) > 0 ? { workers: 1 + random.nextBelow(4) } : {}) });
      }
      t.equal((await team.finish()).status, 'completed');
      checkOnce(t, team);
    });
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});
