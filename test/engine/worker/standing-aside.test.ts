// The spouts of a run stand aside for another version, and come back: every tree is done before, nothing is lost after,
// whatever dies, drains or is switched meanwhile.

import type { TestRun } from 'millrace/testing';
import { advanceUntil, ALL, checkAll, rebalanced, spreading } from '../../conformance/spreading.js';
import { linked, onEachTransport, type Test } from '../../conformance/transports.js';

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

onEachTransport('spouts stand aside and come back: each record is handled once', spreading, {}, async (t, run) => {
  await run.advance(50);
  await standAside(run);
  t.equal(run.status().state, 'aside');
  t.equal(run.emitted('records').length, run.acked('records').length, 'every tree is done');
  t.equal(calls(run, 'records', 'deactivate'), 2);
  t.equal(calls(run, 'records', 'close'), 2);
  t.equal(calls(run, 'owner', 'close'), 0, 'bolts stay');
  const emitted = run.emitted('records').length;
  t.ok(emitted > 0 && emitted < ALL);
  await run.advance(200);
  t.equal(run.emitted('records').length, emitted, 'nothing is emitted meanwhile');
  await comeBack(run);
  t.equal(run.status().state, 'active');
  t.equal(calls(run, 'records', 'open'), 4);
  await completes(t, run);
  checkAll(t, run);
  const incarnations = run.of('life', 'records').map(({ incarnation }) => incarnation);
  t.ok(Math.max(...incarnations) > 0, 'in another incarnation');
});
void linked;
