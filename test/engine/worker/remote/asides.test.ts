// A topology whose workers are in several processes stands by, or its spouts stand aside and come back, under load:
// nothing is lost, and what is done is done once as long as no process dies.

import t from 'tap';
import { checkOnce, Team } from './team.js';

const RECORDS = 60;

t.test('spouts in members stand aside and come back', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 2]);
  for (let cycle = 0; cycle < 3; cycle++) {
    await team.acked(RECORDS);
    await team.run.standAside();
    t.equal(team.run.status().state, 'aside');
    t.equal(team.run.status().openTrees, 0);
    t.strictSame(team.lines('sunk').sort(), team.lines('acked').sort(), 'every tree is done');
    await team.run.comeBack();
  }
  await team.acked(RECORDS);
  t.equal((await team.finish()).status, 'completed');
  checkOnce(t, team);
  t.equal(team.run.status().workerDeaths, 0);
});

t.test('one that stands by is opened in its members', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 1], true);
  t.equal(team.run.status().state, 'standby');
  t.equal(team.run.status().components['records']!.emitted, 0);
  await team.run.openSpouts([]);
  await team.acked(RECORDS);
  await team.rebalance({ workers: 1 });
  await team.acked(RECORDS);
  t.equal((await team.finish()).status, 'completed');
  checkOnce(t, team);
});

t.test('a member that is lost while it stands by is replaced', { timeout: 60_000 }, async (t) => {
  const team = await Team.start(t, [1, 1], true);
  await team.leave('b');
  await team.holds(() => team.run.status().workerDeaths > 0);
  const opened = team.run.openSpouts([]);
  team.join('b', 1);
  await opened;
  await team.acked(RECORDS);
  t.equal((await team.finish()).status, 'completed');
  checkOnce(t, team);
});

t.test(
  'a member that is lost while spouts stand aside is replaced when they come back',
  { timeout: 60_000 },
  async (t) => {
    const team = await Team.start(t, [1, 1]);
    await team.acked(RECORDS);
    await team.run.standAside();
    await team.leave('b');
    await team.holds(() => team.run.status().workerDeaths > 0);
    const acked = team.lines('acked').length;
    team.join('b', 1);
    await team.run.comeBack();
    await team.acked(RECORDS);
    t.ok(team.lines('acked').length >= acked + RECORDS);
    t.equal((await team.finish()).status, 'completed');
    const all = new Set(team.lines('acked'));
    for (const record of all) {
      const [partition, seq] = record.split('/') as [string, string];
      if (Number(seq) > 0 && !all.has(`${partition}/${Number(seq) - 1}`)) t.fail(`${record} has none before it`);
    }
  },
);
