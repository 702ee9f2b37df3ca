// The parts of a host by themselves: its registration, what it runs and what it reports, at the moments that are hard
// to meet with a whole cluster.

import t from 'tap';
import { VirtualClock } from '../../engine/clock.js';
import { silentLogger } from '../../engine/log.js';
import { CheckpointWriter, claimProgress } from '../../coordination/checkpoints.js';
import { Outbox } from '../../coordination/host/outbox.js';
import { ensureLayout, register } from '../../coordination/host/registration.js';
import { Runs } from '../../coordination/host/runs.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { toData } from '../../coordination/store/json-node.js';
import type { Session } from '../../coordination/store/contract.js';
import { Topologies } from '../../coordination/topologies.js';
import { versionsOf, type Version } from '../../coordination/versions.js';
import { Cluster, FakeRunner, settle, topology } from './cluster.js';
import { text, textOf } from './store/contract.js';
import { FaultyStore } from './store/faulty.js';

void t.test('a host takes over what its earlier session left, in one step', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const [old, now, other] = await Promise.all([store.connect(), store.connect(), store.connect()]);
  await ensureLayout(old);
  await ensureLayout(now);
  const record = { host: 'a', boot: 'b1', slots: 2 };
  await register(old, record);
  await register(old, record);
  const seen: (boolean | null)[] = [];
  other.watchNode('/hosts/a~b1', (node) => seen.push(node === null));
  await settle();
  await register(now, record);
  await settle();
  t.equal((await other.get('/hosts/a~b1')).stat.ephemeralOwner, now.id);
  t.notOk(seen.includes(true), 'nobody saw it gone');
  await old.close();
  t.ok(await other.exists('/hosts/a~b1'));
  await t.rejects(register(old, record), { code: 'MILLRACE_STORE_CLOSED' });
});

void t.test('what is assigned and killed before it was ever started ends as killed', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session: Session = await store.connect();
  await ensureLayout(session);
  const clock = new VirtualClock();
  const shared = { session: async () => session, clock, logger: silentLogger };
  const outbox = new Outbox({ ...shared, member: 'a~b' });
  const checkpoints = new CheckpointWriter(shared);
  const runner = new FakeRunner(clock);
  const runs = new Runs({
    ...shared,
    host: 'a',
    boot: 'b',
    runner,
    checkpoints,
    outbox,
    parts: () => 0,
    wallMs: () => 7,
  });
  const places = [{ host: 'a', boot: 'b', slot: 0 }];
  const base = { name: 'n', epoch: 1, revision: 3, kill: null, stage: null } as const;
  const assigned = (id: string, wanted: Version['wanted']): Version => ({ ...base, id, stateId: id, wanted, places });
  runs.follow([assigned('one', 'killed'), assigned('two', 'inactive'), { ...assigned('three', 'active'), places: [] }]);
  await settle();
  const report = JSON.parse(textOf((await session.get('/reports/a~b')).data)) as unknown;
  t.strictSame(report, { host: 'a', boot: 'b', runs: [{ id: 'one', revision: 3, state: 'killed' }] });
  t.match(JSON.parse(textOf((await session.get('/finals/one')).data)), { revision: 3, status: 'killed', endedAtMs: 7 });
  runs.follow([]);
  await settle();
  t.match(JSON.parse(textOf((await session.get('/reports/a~b')).data)), { runs: [] });
  t.equal(runner.runs.length, 0);
  t.equal(await runs.close(), false);
});

void t.test('killed or put to rest while it is still loading', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 2, faulty);
  const { topologies } = host;
  faulty.faults.push({ method: 'get', how: 'refuse', about: '/payloads', times: 1 });
  await topologies.submit(topology('one'));
  await settle();
  t.equal((await topologies.get('one')).state, 'active');
  await topologies.kill('one', { waitMs: 60_000, reason: null });
  await settle();
  t.equal((await topologies.get('one')).state, 'killed', 'there is nothing to wait for');
  faulty.faults.push({ method: 'get', how: 'refuse', about: '/payloads', times: 1 });
  await topologies.submit(topology('two'));
  await settle();
  await topologies.setWanted('two', 'inactive');
  await cluster.advance(1_000);
  t.strictSame(runner.run('two').told, ['deactivate']);
  t.equal(runner.runs.length, 1);
  await host.close();
});

void t.test('a closing host says its last word, and the next master hears it', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 1, faulty);
  await host.topologies.submit(topology('words'));
  await settle();
  faulty.faults.push({ method: 'set', how: 'refuse', about: '/finals', times: 1 });
  runner.run('words').end({ status: 'completed', error: null, final: { emitted: 5 } });
  await settle();
  await host.close();
  const b = await cluster.host('b', 1);
  await settle();
  t.match(await b.host.topologies.get('words'), { state: 'completed', ended: { final: { emitted: 5 } } });
  t.equal(b.runner.runs.length, 0);
  await b.host.close();
});

void t.test('a store that takes nothing does not keep a host from closing', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 2, faulty);
  await host.topologies.submit(topology('words'));
  await host.topologies.submit(topology('more'));
  await settle();
  for (const method of ['set', 'multi', 'create', 'delete', 'children'] as const) {
    faulty.faults.push({ method, how: 'refuse', times: Infinity });
  }
  runner.run('more').listener.checkpoint({ component: 'c', partition: 'p', progress: text('1') });
  runner.run('words').end({ status: 'completed', error: null, final: null });
  await cluster.advance(5_000);
  await host.close();
  t.strictSame(runner.running, []);
  t.equal(cluster.clock.nextDueMs(), undefined, 'and nothing goes on');
});

void t.test('a final that somebody edited is left out of the history', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 1, faulty);
  const { id } = await host.topologies.submit(topology('words'));
  await settle();
  const session = await cluster.store.connect();
  await session.create(`/finals/${id}`, text('?'));
  faulty.faults.push({ method: 'set', how: 'lose', about: '/finals', times: 1 });
  runner.run('words').end({ status: 'failed', error: null, final: 1 });
  await settle();
  await session.set(`/finals/${id}`, text('?'), null);
  faulty.faults.push({ method: 'set', how: 'refuse', about: '/finals', times: 1 });
  await session.set(
    '/reports/' + (await session.children('/reports'))[0]!,
    text(
      JSON.stringify({
        host: 'a',
        boot: host.boot,
        runs: [{ id, revision: 1, state: 'failed' }],
      }),
    ),
    null,
  );
  await settle();
  t.match(await host.topologies.get('words'), { state: 'failed', ended: { final: null, reason: null } });
  t.ok(cluster.logged.some((line) => line.includes(`/finals/${id}`)));
  await cluster.advance(1_000);
  await host.close();
});

void t.test('a host that has not heard yet that a topology was moved does not claim its progress', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session: Session = await store.connect();
  await ensureLayout(session);
  const clock = new VirtualClock();
  const shared = { session: async () => session, clock, logger: silentLogger };
  const topologies = new Topologies({ session: shared.session, newId: () => 'id1' });
  await topologies.submit(topology('words'));
  const outbox = new Outbox({ ...shared, member: 'a~b' });
  const checkpoints = new CheckpointWriter(shared);
  const runner = new FakeRunner(clock);
  const runs = new Runs({
    ...shared,
    host: 'a',
    boot: 'b',
    runner,
    checkpoints,
    outbox,
    parts: () => 0,
    wallMs: () => 7,
  });
  const place = { host: 'a', boot: 'b', slot: 0 };
  const first = {
    name: 'words',
    id: 'id1',
    epoch: 1,
    revision: 1,
    wanted: 'active',
    kill: null,
    places: [place],
  } as const;
  const moved = { ...first, revision: 2, places: [{ ...place, host: 'c' }] };
  await session.create('/assignments/words', toData(moved));
  const progress = await claimProgress(session, 'words', 'id1', 2);
  runs.follow(versionsOf(first));
  await settle();
  t.equal(runner.runs.length, 0, 'and it does not run here');
  checkpoints.add(progress, { component: 'lines', partition: 'p', progress: text('1') });
  await checkpoints.flush();
  t.notOk(progress.lost);
  runs.follow(versionsOf(moved));
  await runs.close();
});

void t.test('a host whose name was taken while it was away gives up what it ran', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 1);
  await host.topologies.submit(topology('words'));
  await settle();
  t.equal(runner.runs.length, 1);
  const session = await cluster.store.connect();
  const member = (await session.children('/hosts'))[0]!;
  const { ephemeralOwner } = (await session.get(`/hosts/${member}`)).stat;
  await cluster.store.expire(ephemeralOwner!);
  await register(session, { host: 'a', boot: 'other', slots: 1 });
  await cluster.advance(1000);
  t.match(cluster.logged.join('\n'), /another host of the cluster is called "a"/);
  t.ok(runner.runs[0]!.over, "it is another one's, or about to be");
  await session.close();
  await cluster.advance(10_000);
  t.match(
    await cluster.store.connect().then((each) => each.children('/hosts')),
    [member],
    'back when the name is free',
  );
  await host.close();
});
