// The master and its hosts when things go wrong: hosts that vanish, sessions that are lost, nodes that somebody edited,
// runs that do not start. Two hosts over one store, on virtual time.

import t from 'tap';
import {
  HISTORY_MAX,
  HOST_START_MAX_MS,
  KILL_REASON_TEXT_MAX,
  ORPHAN_LOOK_MS,
  STORE_PIECE_BYTES,
  TOPOLOGIES_MAX,
  WISH_BYTES_MAX,
} from '../../engine/limits.js';
import { Cluster, described, settle, topology } from './cluster.js';
import { text } from './store/contract.js';
import { FaultyStore } from './store/faulty.js';

const completed = { status: 'completed', error: null, final: { emitted: 3 } } as const;

/** Ends the session of that host, as if it had been silent for too long. */
async function lose(cluster: Cluster, host: string): Promise<void> {
  const session = await cluster.store.connect();
  for (const member of await session.children('/hosts')) {
    if (!member.startsWith(`${host}~`)) continue;
    await cluster.store.expire((await session.get(`/hosts/${member}`)).stat.ephemeralOwner!);
  }
  await session.close();
}

void t.test('a host that is gone loses its topologies to another one; when it is back it lets them go', async (t) => {
  const cluster = await Cluster.open();
  const a = await cluster.host('a', 8);
  const b = await cluster.host('b', 4);
  const { topologies } = b.host;
  for (const name of ['one', 'two', 'rests']) await topologies.submit(topology(name));
  await settle();
  t.strictSame(a.runner.running, ['one', 'two', 'rests']);
  await topologies.setWanted('rests', 'inactive');
  await settle();
  await lose(cluster, 'a');
  await settle();
  t.strictSame(b.runner.running, ['one', 'two'], 'the next master places them');
  t.match(b.runner.run('one').order, { revision: 2, epoch: 2 });
  t.match(await topologies.get('rests'), { state: 'inactive', assignment: { places: [] } });
  t.strictSame(a.runner.running, ['one', 'two', 'rests'], 'without a session it cannot know');
  await cluster.advance(1_000);
  t.strictSame(a.runner.running, []);
  t.strictSame(b.runner.running, ['one', 'two']);
  t.strictSame(await Promise.all(['one', 'two'].map(async (name) => (await topologies.get(name)).state)), [
    'active',
    'active',
  ]);
  for (const { host } of [a, b]) await host.close();
});

void t.test(
  'a lost session of the only host: it registers again, and what runs goes on or is started again',
  async (t) => {
    const cluster = await Cluster.open();
    const { host, runner } = await cluster.host('a', 1);
    await host.topologies.submit(topology('words'));
    await settle();
    await lose(cluster, 'a');
    await cluster.advance(5_000);
    t.strictSame(runner.running, ['words']);
    t.equal((await host.topologies.get('words')).state, 'active');
    runner.run('words').end(completed);
    await settle();
    t.match(await host.topologies.get('words'), { state: 'completed', ended: { final: { emitted: 3 } } });
    await host.close();
  },
);

void t.test('what a host said before it died counts: completed is not run again', async (t) => {
  const cluster = await Cluster.open();
  const a = await cluster.host('a', 1);
  const faulty = new FaultyStore(cluster.store);
  const b = await cluster.host('b', 4, faulty);
  await a.host.topologies.submit(topology('words', { workers: 2 }));
  await settle();
  // The master cannot write for a while, and the host that ran it dies meanwhile.
  const session = await cluster.store.connect();
  await session.set('/epoch', text(JSON.stringify({ epoch: 5, member: 'x', nonce: 'x' })), null);
  b.runner.run('words').end(completed);
  await settle();
  await lose(cluster, 'b');
  await cluster.advance(1_000);
  t.match(await a.host.topologies.get('words'), { state: 'completed' });
  t.equal(b.runner.runs.length, 1);
  for (const { host } of [a, b]) await host.close();
});

void t.test('a report is said again until the store takes it', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 1, faulty);
  faulty.faults.push({ method: 'set', how: 'refuse', about: '/checkpoints', times: 1 });
  await host.topologies.submit(topology('words'));
  await cluster.advance(100);
  t.strictSame(runner.running, ['words'], 'a start is tried again as well');
  faulty.faults.push({ method: 'set', how: 'refuse', about: '/finals', times: 3 });
  faulty.faults.push({ method: 'create', how: 'lose', about: '/finals', times: 1 });
  runner.run('words').end(completed);
  await settle();
  t.equal((await host.topologies.get('words')).state, 'active');
  await cluster.advance(5_000);
  t.match(await host.topologies.get('words'), { state: 'completed', ended: { final: { emitted: 3 } } });
  t.ok(cluster.logged.some((line) => /report was not kept/.test(line)));
  await host.close();
});

void t.test('what cannot start, or fails, ends as failed, with its reason', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 1);
  const { topologies } = host;
  runner.failure = new Error('no such thread');
  await topologies.submit(topology('one'));
  await settle();
  t.match(await topologies.get('one'), { state: 'failed', ended: { reason: 'no such thread' } });
  t.ok(cluster.logged.includes('error topology "one" failed: no such thread'), 'and its host says so');
  runner.failure = null;
  await topologies.submit(topology('two'));
  await settle();
  const problems = Array.from({ length: 50 }, () => ({ code: 'X', path: 'p', message: 'm', hint: 'h' }));
  const error = { name: 'E', code: null, message: 'x'.repeat(1e6), hint: null, stack: null, fatal: true, problems };
  runner.run('two').end({ status: 'failed', error, final: 'y'.repeat(1e6) });
  await settle();
  const two = await topologies.get('two');
  t.match(two, { state: 'failed', ended: { final: null } });
  t.ok(JSON.stringify(two).length < 100_000, 'cut to what a node takes');
  await host.close();
});

void t.test('nodes that somebody edited are named, and disturb nothing else', async (t) => {
  const cluster = await Cluster.open();
  const session = await cluster.store.connect();
  await session.create('/assignments', text(''));
  await session.create('/assignments/odd2', text('{"what":'));
  const { host, runner } = await cluster.host('a', 2);
  const { topologies } = host;
  for (const path of ['/topologies/odd', '/hosts/odd', '/reports/odd']) {
    await session.create(path, text('{"what":'));
  }
  await topologies.submit(topology('words'));
  await settle();
  t.strictSame(runner.running, ['words']);
  for (const path of ['/topologies/odd', '/hosts/odd', '/reports/odd']) {
    t.equal(cluster.logged.filter((line) => line.includes(`"${path}"`)).length, 1, `${path} is told once`);
  }
  t.equal(await session.exists('/assignments/odd2'), null, 'an assignment of nothing goes');
  await t.rejects(topologies.get('odd'), { code: 'MILLRACE_STORE_CONTENT', message: /\/topologies\/odd/ });
  await session.delete('/topologies/odd', null);
  const { id } = await topologies.submit(topology('broken', { active: false }));
  await session.set(`/payloads/${id}/0`, text('[]'), null);
  await topologies.setWanted('broken', 'active');
  await settle();
  t.match(await topologies.get('broken'), { state: 'failed', ended: { reason: /another shape/ } });
  await host.close();
});

void t.test('a large definition travels in pieces, a larger one is refused', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const { topologies } = host;
  for (const bytes of [10, STORE_PIECE_BYTES - 300, STORE_PIECE_BYTES, 3 * STORE_PIECE_BYTES]) {
    const name = `t${bytes}`;
    const document = { text: 'ä'.repeat(bytes / 2) };
    await topologies.submit(topology(name, { source: { kind: 'document', document } }));
    await settle();
    t.strictSame(runner.run(name).order.source, { kind: 'document', document });
    t.strictSame((await topologies.payload(name)).source, { kind: 'document', document });
  }
  const source = { kind: 'document', document: 'x'.repeat(WISH_BYTES_MAX) } as const;
  await t.rejects(topologies.submit(topology('huge', { source })), { code: 'MILLRACE_WISH_TOO_LARGE', status: 413 });
  await host.close();
});

void t.test('topologies and their history are bounded', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 1);
  const { topologies } = host;
  for (let number = 0; number < HISTORY_MAX + 5; number++) {
    await topologies.submit(topology('again', { submittedAtMs: number }));
    await settle();
    runner.run('again').end(completed);
    await settle();
  }
  const list = await topologies.list();
  t.equal(list.length, HISTORY_MAX);
  t.match(list[0], { kind: 'ended', ended: { submittedAtMs: HISTORY_MAX + 4 } }, 'the newest first');
  await t.rejects(topologies.whenEnded('again', 'long ago', new AbortController().signal), {
    code: 'MILLRACE_TOPOLOGY_UNKNOWN',
  });
  const session = await cluster.store.connect();
  const nodes = Array.from({ length: TOPOLOGIES_MAX }, (_, i) => session.create(`/topologies/x${i}`, text('{}')));
  await Promise.all(nodes);
  await t.rejects(topologies.submit(topology('more')), { code: 'MILLRACE_WISH_TOO_MANY', message: /"more".*1000/ });
  await host.close();
});

void t.test('artifacts in use, and waiting for an end that is given up', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 1);
  const { topologies } = host;
  const { id } = await topologies.submit(topology('words', { artifacts: ['aa', 'bb'] }));
  await topologies.submit(topology('more', { artifacts: ['bb', 'cc'] }));
  t.strictSame([...(await topologies.artifactsInUse())].sort(), ['aa', 'bb', 'cc']);
  const controller = new AbortController();
  const reason = new Error('not interested');
  const waiting = t.rejects(topologies.whenEnded('words', id, controller.signal), reason);
  await settle();
  controller.abort(reason);
  await waiting;
  await host.close();
});

void t.test('what a submission left behind goes after two looks', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 1);
  const session = await cluster.store.connect();
  await host.topologies.submit(topology('words'));
  await session.create('/payloads/orphan', text(''));
  await session.create('/payloads/orphan/0', text(''));
  await session.create('/finals/orphan', text(''));
  await cluster.advance(ORPHAN_LOOK_MS);
  t.equal((await session.children('/payloads')).length, 2, 'it may be a submission under way');
  await cluster.advance(ORPHAN_LOOK_MS);
  t.equal((await session.children('/payloads')).length, 1);
  t.strictSame(await session.children('/finals'), []);
  t.equal((await host.topologies.get('words')).state, 'active');
  await host.close();
});

void t.test('a wish whose answer got lost is known', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 1, faulty);
  faulty.faults.push({ method: 'multi', how: 'lose', about: '/topologies/words', times: 1 });
  await host.topologies.submit(topology('words'));
  await settle();
  t.strictSame(runner.running, ['words']);
  faulty.faults.push({ method: 'multi', how: 'refuse', about: '/topologies/other', times: 1 });
  await t.rejects(host.topologies.submit(topology('other')), { code: 'MILLRACE_STORE_UNAVAILABLE' });
  await host.close();
});

void t.test('a master that cannot read its assignments at first tries again', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  faulty.faults.push({ method: 'children', how: 'refuse', about: '/assignments', times: 3 });
  const { host, runner } = await cluster.host('a', 1, faulty);
  await host.topologies.submit(topology('words'));
  await cluster.advance(5_000);
  t.strictSame(runner.running, ['words']);
  t.equal(cluster.logged.filter((line) => /^warn the master could not look/.test(line)).length, 1, 'told once');
  await host.close();
});

void t.test('a topology that cannot be ended holds up no other one', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  const { host, runner } = await cluster.host('a', 2, faulty);
  const { topologies } = host;
  await topologies.submit(topology('stuck'));
  await topologies.submit(topology('young'));
  await settle();
  faulty.faults.push({ method: 'multi', how: 'refuse', about: '/topologies/stuck', times: Infinity });
  runner.run('stuck').end(completed);
  runner.run('young').end(completed);
  await settle();
  t.match(await topologies.get('young'), { state: 'completed' });
  await topologies.submit(topology('more'));
  await cluster.advance(20_000);
  t.strictSame(runner.running, ['more']);
  t.match(await topologies.get('stuck'), { state: 'active', assignment: { places: [{ slot: 0 }] } });
  t.equal(cluster.logged.filter((line) => /"stuck" is decided on again later/.test(line)).length, 1, 'told once');
  faulty.faults.length = 0;
  await cluster.advance(5_000);
  t.match(await topologies.get('stuck'), { state: 'completed' });
  await host.close();
});

void t.test('however much is said of an end, it fits into the history', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 1);
  const { topologies } = host;
  const much = '\u0001'.repeat(1e5);
  const description = { ...described('words'), version: 'v'.repeat(100_000) };
  await topologies.submit(topology('words', { description }));
  await settle();
  const problems = Array.from({ length: 50 }, () => ({ code: much, path: much, message: much, hint: much }));
  const error = { name: much, code: much, message: much, hint: much, stack: much, fatal: true, problems };
  runner.run('words').end({ status: 'failed', error, final: 'y'.repeat(120_000) });
  await cluster.advance(5_000);
  t.match(await topologies.get('words'), { state: 'failed', ended: { description: null, final: 'y'.repeat(120_000) } });
  await topologies.submit(topology('more'));
  await settle();
  await topologies.kill('more', { waitMs: 0, reason: 'x'.repeat(1e6) });
  await settle();
  t.match(await topologies.get('more'), { state: 'killed', ended: { reason: 'x'.repeat(KILL_REASON_TEXT_MAX) } });
  await host.close();
});

void t.test('waiting for the end of a topology whose wish is damaged', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 1);
  const { id } = await host.topologies.submit(topology('words'));
  const waiting = t.rejects(host.topologies.whenEnded('words', id, new AbortController().signal), {
    code: 'MILLRACE_STORE_CONTENT',
    message: /\/topologies\/words/,
  });
  await settle();
  const session = await cluster.store.connect();
  await session.set('/topologies/words', text('{"what":'), null);
  await waiting;
  await host.close();
});

void t.test('a host that cannot join its cluster says why', async (t) => {
  const cluster = await Cluster.open();
  const faulty = new FaultyStore(cluster.store);
  faulty.faults.push({ method: 'create', how: 'refuse', times: Infinity });
  const starting = t.rejects(cluster.host('a', 1, faulty), { code: 'MILLRACE_STORE_UNAVAILABLE' });
  await cluster.advance(HOST_START_MAX_MS);
  await starting;
  t.equal(cluster.clock.nextDueMs(), undefined, 'and does not go on trying');
});
