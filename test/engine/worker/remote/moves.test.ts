// Workers of a topology move from process to process while it runs: only their tasks begin anew, everything is handled,
// and a process that takes no part any more may go.

import t, { type Test } from 'tap';
import { Team } from './team.js';

t.setTimeout(120_000);

/** Everything was handled, some of it again. */
function checkAll(t: Test, team: Team): void {
  const acked = new Set(team.lines('acked'));
  const sunk = new Set(team.lines('sunk'));
  t.strictSame(
    [...acked].filter((record) => !sunk.has(record)),
    [],
    'what is acked was handled',
  );
}

t.test('workers move between members and to their lead', async (t) => {
  const team = await Team.start(t, [1, 1, 1]);
  await team.acked(50);
  const before = team.run.status();
  await team.place(['a', 'a', 'b']);
  await team.acked(50);
  await team.leave('c');
  await team.acked(50);
  t.equal(team.run.status().workerDeaths, before.workerDeaths + 2, 'two have moved, the third was left alone');
  await team.place(['a', 'b', 'a']);
  await team.acked(50);
  const outcome = await team.finish();
  t.equal(outcome.status, 'completed');
  checkAll(t, team);
});

t.test('a member that is not there is told of, and its workers go elsewhere', async (t) => {
  const team = await Team.start(t, [1, 1, 1]);
  await team.acked(20);
  await team.leave('b');
  await team.place(['a', 'c', 'c']);
  await team.acked(20);
  t.equal((await team.finish()).status, 'completed');
  checkAll(t, team);
});
