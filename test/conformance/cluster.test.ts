// Topologies as wishes, masters and hosts, on virtual time: C08, C14, C40, C47, C49, C54, C56, C58, C59, C63. What runs
// them is a fake, so nothing is emitted; what the engine does is in the other files, and what real hosts do in
// test/system/cluster.

import t from 'tap';
import type { Store } from '../../coordination/store/contract.js';
import { failure } from '../../engine/errors.js';
import { Cluster, settle, topology } from '../coordination/cluster.js';

void t.test('C08 a name in use is refused, also within its kill delay', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const { topologies } = host;
  await topologies.submit(topology('words'));
  await t.rejects(topologies.submit(topology('words')), {
    code: 'MILLRACE_TOPOLOGY_EXISTS',
    status: 409,
    message: /"words" exists already/,
  });
  await settle();
  runner.run('words').holds = true;
  await topologies.kill('words', { waitMs: 10_000, reason: null });
  await cluster.advance(9_000);
  await t.rejects(topologies.submit(topology('words')), { code: 'MILLRACE_TOPOLOGY_EXISTS', message: /draining/ });
  t.equal(runner.runs.length, 1);
  const [first, second] = await Promise.allSettled([
    topologies.submit(topology('other')),
    topologies.submit(topology('other')),
  ]);
  t.strictSame([first.status, second.status].sort(), ['fulfilled', 'rejected'], 'of two at once one is refused');
  await host.close();
});

void t.test('C14 every operation on an unknown topology says so, with its name', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 1);
  const { topologies } = host;
  const unknown = { code: 'MILLRACE_TOPOLOGY_UNKNOWN', status: 404, message: /"nobody"/ };
  await t.rejects(topologies.get('nobody'), unknown);
  await t.rejects(topologies.payload('nobody'), unknown);
  await t.rejects(topologies.setWanted('nobody', 'active'), unknown);
  await t.rejects(topologies.setWanted('nobody', 'inactive'), unknown);
  await t.rejects(topologies.kill('nobody', { waitMs: 0, reason: null }), unknown);
  await t.rejects(topologies.get('no/path//'), { code: 'MILLRACE_TOPOLOGY_UNKNOWN' });
  t.strictSame(await topologies.list(), []);
  await host.close();
});

void t.test('C40 submitted inactive, nothing is started until it is activated', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 1);
  const { topologies } = host;
  t.equal((await topologies.submit(topology('asleep', { active: false }))).state, 'inactive');
  await cluster.advance(60_000);
  t.equal(runner.runs.length, 0);
  t.strictSame(host.slots, { total: 1, used: 0 }, 'it takes no slot');
  t.equal((await topologies.get('asleep')).state, 'inactive');
  await topologies.setWanted('asleep', 'active');
  await settle();
  t.equal((await topologies.get('asleep')).state, 'active');
  const run = runner.run('asleep');
  t.strictSame(run.told, []);
  await topologies.setWanted('asleep', 'inactive');
  await topologies.setWanted('asleep', 'inactive');
  await settle();
  t.strictSame(run.told, ['deactivate']);
  t.strictSame(host.slots, { total: 1, used: 1 }, 'one that rests keeps its place');
  await topologies.setWanted('asleep', 'active');
  await settle();
  t.strictSame(run.told, ['deactivate', 'activate']);
  t.equal(runner.runs.length, 1);
  await host.close();
});

void t.test(
  'C47 killed with a wait of 10 s while a bolt holds a tuple: gone after it, and its name is free',
  async (t) => {
    const cluster = await Cluster.open();
    const { host, runner } = await cluster.host('a', 1);
    const { topologies } = host;
    const { id } = await topologies.submit(topology('words'));
    await settle();
    const run = runner.run('words');
    run.holds = true;
    await topologies.kill('words', { waitMs: 10_000, reason: 'enough' });
    await topologies.kill('words', { waitMs: 1, reason: 'again' });
    await cluster.advance(9_000);
    t.match(await topologies.get('words'), {
      kind: 'live',
      state: 'draining',
      assignment: { places: [{ host: 'a' }] },
    });
    t.strictSame(run.told, ['kill 10000'], 'the first wait stands');
    t.equal(host.slots.used, 1);
    await t.rejects(topologies.setWanted('words', 'active'), { code: 'MILLRACE_TOPOLOGY_ENDED', message: /draining/ });
    const ended = topologies.whenEnded('words', id, new AbortController().signal);
    await cluster.advance(2_000);
    t.match(await ended, { state: 'killed', reason: 'enough', final: { counts: 7 } });
    t.match(await topologies.get('words'), { kind: 'ended', state: 'killed', id });
    t.match(await topologies.kill('words', { waitMs: 0, reason: 'once more' }), {
      state: 'killed',
      ended: { reason: 'enough' },
    });
    await t.rejects(topologies.setWanted('words', 'active'), { code: 'MILLRACE_TOPOLOGY_ENDED', message: /killed/ });
    t.equal(host.slots.used, 0);
    const session = await cluster.store.connect();
    for (const place of ['assignments', 'payloads', 'checkpoints', 'finals', 'topologies']) {
      t.strictSame(await session.children(`/${place}`), [], `nothing is left in ${place}`);
    }
    t.equal((await topologies.submit(topology('words'))).state, 'waiting');
    await settle();
    t.equal(runner.runs.length, 2);
    t.match(await topologies.get('words'), { kind: 'live', state: 'active' });
    await host.close();
  },
);

void t.test('C49 hosts that join leave a running topology where it is', async (t) => {
  const cluster = await Cluster.open();
  const a = await cluster.host('a', 2);
  await a.host.topologies.submit(topology('words', { workers: 2 }));
  await settle();
  const before = await a.host.topologies.get('words');
  const b = await cluster.host('b', 8);
  const c = await cluster.host('c', 8);
  await cluster.advance(60_000);
  t.strictSame(await c.host.topologies.get('words'), before);
  t.equal(b.runner.runs.length + c.runner.runs.length, 0);
  t.strictSame(a.runner.run('words').told, []);
  for (const { host } of [a, b, c]) await host.close();
});

void t.test(
  'C54 a host without its store goes on until its tasks are elsewhere, and stops them when it is back',
  async (t) => {
    const cluster = await Cluster.open();
    let isCut = false;
    const store: Store = {
      connect: async (options) => {
        if (isCut) throw failure('MILLRACE_STORE_UNAVAILABLE', { what: 'a new session', reason: 'cut off' });
        return await cluster.store.connect(options);
      },
    };
    const a = await cluster.host('a', 4, store);
    await a.host.topologies.submit(topology('words'));
    await settle();
    const first = a.runner.run('words');
    const b = await cluster.host('b', 4);
    isCut = true;
    const session = await cluster.store.connect();
    const [member = ''] = (await session.children('/hosts')).filter((each) => each.startsWith('a~'));
    await cluster.store.expire((await session.get(`/hosts/${member}`)).stat.ephemeralOwner!);
    await cluster.advance(5_000);
    t.strictSame(b.runner.running, ['words'], 'placed elsewhere');
    t.strictSame([first.over, first.told], [false, []], 'cut off, it goes on');
    const second = b.runner.run('words');
    t.ok(second.order.firstIncarnation > first.order.firstIncarnation, 'in incarnations that nobody had');
    isCut = false;
    await cluster.advance(10_000);
    t.strictSame([first.over, first.told], [true, ['kill 0']], 'back, it stops what is no longer its own');
    t.equal(second.over, false);
    await session.close();
    await a.host.close();
    await b.host.close();
  },
);

void t.test('C63 hosts whose wall clocks are hours apart are there, and nothing moves', async (t) => {
  const cluster = await Cluster.open();
  const hour = 3_600_000;
  const clocked = (shiftMs: number) => ({ wallMs: () => 1e12 + shiftMs + cluster.clock.now() });
  const behind = await cluster.host('behind', 1, cluster.store, clocked(-5 * hour));
  const ahead = await cluster.host('ahead', 1, cluster.store, clocked(7 * hour));
  for (const name of ['one', 'two']) await behind.host.topologies.submit(topology(name));
  await cluster.advance(hour);
  t.strictSame(
    (await ahead.host.hosts.list()).map(({ host, used }) => [host, used]),
    [
      ['ahead', 1],
      ['behind', 1],
    ],
  );
  const runs = [...behind.runner.runs, ...ahead.runner.runs];
  t.strictSame(
    runs.map(({ order, over }) => [order.revision, over]),
    [
      [1, false],
      [1, false],
    ],
    'each was started once',
  );
  await behind.host.close();
  await ahead.host.close();
});

void t.test('C56 what does not fit waits and says so, and starts when a slot frees up', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 3);
  const { topologies } = host;
  await topologies.submit(topology('first', { workers: 2 }));
  await topologies.submit(topology('second', { workers: 2 }));
  await topologies.submit(topology('third', { workers: 1 }));
  await topologies.submit(topology('never', { workers: 4 }));
  await settle();
  t.strictSame(runner.running, ['first', 'third'], 'what fits runs');
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await topologies.list()).map(({ name, state }) => [name, state]));
  t.strictSame(await states(), { first: 'active', second: 'waiting', third: 'active', never: 'waiting' });
  runner.run('third').end({ status: 'completed', error: null, final: null });
  await settle();
  t.strictSame(runner.running, ['first'], 'one slot is not enough');
  runner.run('first').end({ status: 'completed', error: null, final: null });
  await settle();
  t.strictSame(runner.running, ['second']);
  t.strictSame(await states(), { first: 'completed', second: 'active', third: 'completed', never: 'waiting' });
  const slots = runner.run('second').order.places.map(({ slot }) => slot);
  t.equal(new Set(slots).size, 2, 'no slot twice');
  const b = await cluster.host('b', 4);
  await settle();
  t.strictSame(b.runner.running, ['never'], 'and on a host that joins');
  await topologies.submit(topology('waits', { workers: 3 }));
  await topologies.kill('waits', { waitMs: 60_000, reason: 'not needed' });
  await settle();
  t.match(await topologies.get('waits'), { state: 'killed', ended: { reason: 'not needed', startedAtMs: null } });
  for (const each of [host, b.host]) await each.close();
});

void t.test('C56 slots that a rebalance gives back are for who has waited longest', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const { topologies } = host;
  await topologies.submit(topology('old', { workers: 2, active: false }));
  await topologies.submit(topology('young', { workers: 4 }));
  await settle();
  await topologies.setWanted('old', 'active');
  await cluster.advance(1_000);
  t.equal((await topologies.get('old')).state, 'waiting');
  await topologies.rebalance('young', { workers: 1 });
  await cluster.advance(1_000);
  t.equal((await topologies.get('old')).state, 'active');
  t.strictSame(runner.running, ['young', 'old']);
  await host.close();
});

void t.test('C58 any host takes a wish, and the master carries it out', async (t) => {
  const cluster = await Cluster.open();
  const a = await cluster.host('a', 1);
  const b = await cluster.host('b', 4);
  await b.host.topologies.submit(topology('words', { workers: 3 }));
  await settle();
  t.strictSame(b.runner.running, ['words'], 'the host with room, assigned by the other one');
  await a.host.topologies.kill('words', { waitMs: 0, reason: null });
  await settle();
  t.equal((await b.host.topologies.get('words')).state, 'killed');
  for (const { host } of [a, b]) await host.close();
});

void t.test('C59 the master dies between accepting a kill and doing it: the next one does it', async (t) => {
  const cluster = await Cluster.open();
  const a = await cluster.host('a', 1);
  const b = await cluster.host('b', 4);
  await b.host.topologies.submit(topology('words', { workers: 2 }));
  await settle();
  const run = b.runner.run('words');
  run.holds = true;
  const session = await cluster.store.connect();
  const owner = (await session.get('/hosts/' + (await session.children('/hosts'))[0]!)).stat.ephemeralOwner!;
  const killed = a.host.topologies.kill('words', { waitMs: 500, reason: null });
  await killed;
  await cluster.store.expire(owner);
  await settle();
  await cluster.advance(1_000);
  t.strictSame(run.told, ['kill 500']);
  t.equal((await b.host.topologies.get('words')).state, 'killed');
  for (const { host } of [a, b]) await host.close();
});
