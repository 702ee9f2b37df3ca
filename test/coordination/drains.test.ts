// Hosts that are to be without workers: kept by name, never the last one, and what a list says of them.

import t from 'tap';
import { Drains } from '../../coordination/drains.js';
import { Hosts } from '../../coordination/hosts.js';
import { ensureLayout, register, showLeaving } from '../../coordination/host/registration.js';
import { assignmentPath, DRAINS, drainPath, reportPath } from '../../coordination/paths.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { toData } from '../../coordination/store/json-node.js';
import type { Session } from '../../coordination/store/contract.js';
import type { Report } from '../../coordination/topology-records.js';
import { Cluster, settle } from './cluster.js';

const NOW_MS = 1_750_000_000_000;

interface World {
  readonly store: EmbeddedStore;
  readonly session: Session;
  readonly hosts: Hosts;
  readonly drains: Drains;
  states(): Promise<Record<string, string>>;
}

/** Hosts `a`, `b` and so on, each with two slots. */
async function worldOf(...names: readonly string[]): Promise<World> {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  await ensureLayout(session);
  for (const host of names) await register(session, { host, boot: '1', slots: 2 });
  const hosts = new Hosts(async () => session);
  const drains = new Drains({ session: async () => session, hosts, wallMs: () => NOW_MS });
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await hosts.list()).map(({ host, state }) => [host, state]));
  return { store, session, hosts, drains, states };
}

t.test('a host is draining until nothing of it runs there, then drained, and up when that is taken back', async (t) => {
  const { store, session, hosts, drains, states } = await worldOf('a', 'b');
  const places = [{ host: 'a', boot: '1', slot: 0 }];
  const assignment = { name: 't', id: 'i', epoch: 1, revision: 1, wanted: 'active', kill: null, places };
  await session.create(assignmentPath('t'), toData(assignment));
  const report: Report = { host: 'a', boot: '1', runs: [{ id: 'i', revision: 1, state: 'running' }] };
  await session.create(reportPath('a~1'), toData(report));
  t.match(await drains.drain('a'), { host: 'a', state: 'draining', used: 1, drainedSinceMs: NOW_MS });
  t.strictSame(await states(), { a: 'draining', b: 'up' });
  t.match(await drains.drain('a'), { state: 'draining' }, 'once more changes nothing');
  await session.set(assignmentPath('t'), toData({ ...assignment, places: [{ ...places[0], host: 'b' }] }), null);
  t.strictSame(await states(), { a: 'draining', b: 'up' }, 'it has not ended there yet');
  await session.set(reportPath('a~1'), toData({ ...report, runs: [] }), null);
  t.strictSame(await states(), { a: 'drained', b: 'up' });
  t.match(await drains.undrain('a'), { state: 'up', drainedSinceMs: null });
  t.match(await drains.undrain('a'), { state: 'up' }, 'once more changes nothing');
  t.match(await hosts.list(), [
    { host: 'a', state: 'up' },
    { host: 'b', used: 1 },
  ]);
  await store.close();
});

t.test('it stays drained when it is started again, and is listed while it is away', async (t) => {
  const { store, session, drains, states } = await worldOf('b');
  const other = await store.connect();
  await register(other, { host: 'a', boot: '1', slots: 2 });
  await drains.drain('a');
  await other.close();
  t.strictSame(await states(), { a: 'away', b: 'up' });
  t.match(await drains.drain('a'), { state: 'away', slots: 0 });
  await register(session, { host: 'a', boot: '2', slots: 2 });
  t.strictSame(await states(), { a: 'drained', b: 'up' });
  await session.set(drainPath('a'), Buffer.from('?'), null);
  t.match(await drains.undrain('a'), { state: 'up' }, 'whatever stands in its node');
  await store.close();
});

t.test('one that is away is undrained, and then is not known any more', async (t) => {
  const { store, session, drains, states } = await worldOf('b');
  await session.create(drainPath('gone'), toData({ host: 'gone', sinceMs: 1 }));
  t.match(await drains.undrain('gone'), { host: 'gone', state: 'away', drainedSinceMs: null });
  t.strictSame(await states(), { b: 'up' });
  const unknown = { code: 'MILLRACE_HOST_UNKNOWN', message: /no host "gone"/, hint: /its hosts: b$/ };
  await t.rejects(drains.drain('gone'), unknown);
  await t.rejects(drains.undrain('gone'), unknown);
  await store.close();
});

t.test('the last host that takes workers is not drained, also when two are drained at once', async (t) => {
  const { store, session, drains, states } = await worldOf('a', 'b', 'c');
  const last = { code: 'MILLRACE_DRAIN_LAST' };
  await drains.drain('c');
  const both = await Promise.allSettled([drains.drain('a'), drains.drain('b')]);
  t.strictSame(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.match(
    both.find(({ status }) => status === 'rejected'),
    { reason: last },
  );
  t.strictSame(Object.values(await states()).sort(), ['drained', 'drained', 'up']);
  await drains.undrain('c');
  await showLeaving(session, { host: 'c', boot: '1', slots: 2 });
  const [up] = Object.entries(await states()).find(([, state]) => state === 'up')!;
  await t.rejects(drains.drain(up), last, 'one that leaves takes none');
  t.equal((await session.children(DRAINS)).length, 1);
  await store.close();
});

t.test('a host that closes says that it leaves before it is gone', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 1, cluster.store, { door: () => '127.0.0.1:9000' });
  const b = await cluster.host('b', 1);
  const session = await cluster.store.connect();
  const seen: unknown[] = [];
  session.watchNode(`/hosts/a~${host.boot}`, (node) => {
    seen.push(node === null ? 'gone' : (JSON.parse(Buffer.from(node.data).toString()) as { leaving?: true }).leaving);
  });
  await settle();
  await host.close();
  await settle();
  t.strictSame(seen, [undefined, true, 'gone']);
  await b.host.close();
});
