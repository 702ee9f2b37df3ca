// A host takes part in topologies that others lead: as long as it is assigned there, in one revision at a time, through
// a store that is away for a while.

import t from 'tap';
import { Memberships } from '../../coordination/host/memberships.js';
import type { Membership } from '../../coordination/host/runner.js';
import { VirtualClock } from '../../engine/clock.js';
import { MEMBER_LEAVE_LOOK_MS, MEMBER_LEAVE_MS } from '../../engine/limits.js';
import { silentLogger } from '../../engine/log.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { Topologies } from '../../coordination/topologies.js';
import type { Version } from '../../coordination/versions.js';
import { ensureLayout } from '../../coordination/host/registration.js';
import { FakeRunner, settle, topology } from './cluster.js';

const lead = { host: 'a', boot: 'a1', slot: 0 };
const own = { host: 'b', boot: 'b1', slot: 0 };

async function hostOf() {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  await ensureLayout(session);
  const topologies = new Topologies({ session: () => Promise.resolve(session), newId: () => 'id-1' });
  await topologies.submit(topology('lines', { workers: 2 }));
  const clock = new VirtualClock();
  const runner = new FakeRunner(clock);
  let isAway = false;
  const given = {
    ...{ host: 'b', boot: 'b1', runner, clock, logger: silentLogger, changed: () => undefined },
    session: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(session)),
  };
  return { runner, clock, memberships: new Memberships(given), setAway: (away: boolean) => (isAway = away) };
}

function assigned(revision: number, places: Version['places'], id = 'id-1'): Version {
  return { name: 'lines', id, stateId: id, epoch: 1, revision, wanted: 'active', kill: null, places, stage: null };
}

t.test('it joins what has places here, and leaves when it has none', async (t) => {
  const { memberships, runner } = await hostOf();
  memberships.follow([assigned(1, [lead, own, own])]);
  await settle();
  t.match(runner.memberships, [{ order: { name: 'lines', id: 'id-1', revision: 1, lead }, over: false }]);
  t.equal(memberships.slotsUsed, 2);
  memberships.follow([assigned(1, [lead, own])]);
  t.equal(memberships.slotsUsed, 1, 'a part of it');
  t.equal(runner.memberships.length, 1, 'the same');
  memberships.follow([assigned(1, [lead, { ...lead, slot: 1 }])]);
  await settle();
  t.equal(runner.memberships[0]!.over, true);
  t.equal(memberships.slotsUsed, 0);
  await memberships.close();
});

t.test('workers that are moved away are ended by their lead, which is waited for, but not for ever', async (t) => {
  const { memberships, runner, clock } = await hostOf();
  memberships.follow([assigned(1, [lead, own])]);
  await settle();
  const [part] = runner.memberships;
  part!.workers = 1;
  const moved = [assigned(1, [lead, { ...lead, slot: 1 }])];
  memberships.follow(moved);
  clock.step(clock.now() + MEMBER_LEAVE_LOOK_MS);
  await settle();
  t.notOk(part!.over, 'its lead has not ended it yet');
  memberships.follow([assigned(1, [lead, own])]);
  t.equal(clock.nextDueMs(), undefined, 'placed here again, it stays');
  memberships.follow(moved);
  part!.workers = 0;
  clock.step(clock.now() + MEMBER_LEAVE_LOOK_MS);
  await settle();
  t.ok(part!.over);
  memberships.follow([assigned(2, [lead, own])]);
  await settle();
  const next = runner.memberships[1]!;
  next.workers = 1;
  memberships.follow([assigned(2, [lead])]);
  const fromMs = clock.now();
  while (clock.step(fromMs + MEMBER_LEAVE_MS));
  await settle();
  t.ok(next.over, 'a lead that does not end it is not waited for any more');
  await memberships.close();
});

t.test('what it leads itself is no part', async (t) => {
  const { memberships, runner } = await hostOf();
  memberships.follow([assigned(1, [own, lead]), assigned(1, [], 'id-2')]);
  await settle();
  t.strictSame(runner.memberships, []);
  await memberships.close();
});

t.test('a new revision is joined when the old part is over', async (t) => {
  const { memberships, runner } = await hostOf();
  let letEnd: () => void = () => undefined;
  const join = runner.join.bind(runner);
  runner.join = (order): Membership => {
    const membership = join(order);
    if (order.revision > 1) return membership;
    const ended = new Promise<void>((resolve) => (letEnd = resolve));
    return { workers: 0, end: async () => await ended };
  };
  memberships.follow([assigned(1, [lead, own])]);
  await settle();
  memberships.follow([assigned(2, [lead, own])]);
  memberships.follow([assigned(3, [lead, own])]);
  await settle();
  t.equal(runner.memberships.length, 1, 'the old one still ends');
  letEnd();
  await settle();
  t.strictSame(
    runner.memberships.map(({ order }) => order.revision),
    [1, 3],
  );
  await memberships.close();
  t.equal(runner.memberships.at(-1)!.over, true);
});

t.test('it is loaded as soon as the store is there, and not when it is assigned no more', async (t) => {
  const { memberships, runner, clock, setAway } = await hostOf();
  setAway(true);
  memberships.follow([assigned(1, [lead, own])]);
  await settle();
  clock.step(clock.now() + 60_000);
  await settle();
  t.equal(runner.memberships.length, 0);
  setAway(false);
  clock.step(clock.now() + 60_000);
  await settle();
  t.equal(runner.memberships.length, 1);
  memberships.follow([]);
  await settle();
  setAway(true);
  memberships.follow([assigned(2, [lead, own])]);
  await settle();
  memberships.follow([]);
  await settle();
  setAway(false);
  clock.step(clock.now() + 60_000);
  await settle();
  t.equal(runner.memberships.length, 1);
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
  await memberships.close();
});

t.test('what goes wrong when it joins is told, and the part is over', async (t) => {
  const { memberships, runner } = await hostOf();
  runner.join = () => {
    throw new Error('cannot');
  };
  memberships.follow([assigned(1, [lead, own])]);
  await settle();
  // As it is still assigned, it would try for ever in one turn: it waits for news instead.
  t.equal(memberships.slotsUsed, 1);
  await memberships.close();
});
