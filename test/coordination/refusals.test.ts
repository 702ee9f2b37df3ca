// Hosts that were refused: what they leave in the store, how little of it, and when it goes.

import t, { type Test } from 'tap';
import { ensureLayout, register } from '../../coordination/host/registration.js';
import { hostPath, memberOf, REFUSED, refusedPath, VERSION } from '../../coordination/paths.js';
import { forgetRefusals, leaveRefusal, listRefusals, type Refusal } from '../../coordination/refusals.js';
import type { Session } from '../../coordination/store/contract.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { toData } from '../../coordination/store/json-node.js';
import { REFUSALS_KEPT_MS, REFUSALS_MAX, STORE_RETRY_MAX_MS } from '../../engine/limits.js';
import { Cluster } from './cluster.js';

const NOW_MS = 1_750_000_000_000;

async function opened(t: Test): Promise<Session> {
  const store = await EmbeddedStore.open({ directory: null });
  t.teardown(async () => await store.close());
  const session = await store.connect();
  await ensureLayout(session);
  return session;
}

function refusal(host: string, boot: string, more: Partial<Refusal> = {}): Refusal {
  return { host, boot, code: 'MILLRACE_HOST_NAME_TAKEN', reason: 'it is taken', atMs: NOW_MS, ...more };
}

async function bootsOf(session: Session, nowMs = NOW_MS): Promise<readonly string[]> {
  return (await listRefusals(session, nowMs)).map(({ boot }) => boot);
}

t.test('the newest are kept, for a while', async (t) => {
  const session = await opened(t);
  const old = refusal('a', 'old', { atMs: NOW_MS - REFUSALS_KEPT_MS - 1 });
  await leaveRefusal(session, old);
  t.strictSame(await bootsOf(session, old.atMs), ['old']);
  t.strictSame(await bootsOf(session), [], 'that was a day ago');
  await session.create(refusedPath('damaged'), Buffer.from('{'));
  t.strictSame(await bootsOf(session, old.atMs), ['old'], 'what cannot be read is not shown');
  for (let n = 0; n < REFUSALS_MAX; n++) await leaveRefusal(session, refusal('a', String(n)));
  t.equal((await session.children(REFUSED)).length, REFUSALS_MAX, 'what is old, or cannot be read, is removed');
  await leaveRefusal(session, refusal('a', '1', { reason: 'again' }));
  await leaveRefusal(session, refusal('b', 'last'));
  const kept = await listRefusals(session, NOW_MS);
  t.equal(kept.length, REFUSALS_MAX);
  t.match(kept.slice(0, 2), [{ boot: 'last' }, { boot: '1', reason: 'again' }]);
  t.notOk(
    kept.some(({ boot }) => boot === '0'),
    'the oldest one made room',
  );
});

t.test('a host that is taken forgets its own, and not those of others that wanted its name', async (t) => {
  const session = await opened(t);
  const [url, other] = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
  await leaveRefusal(session, refusal('a', 'twin', { url: other }));
  await leaveRefusal(session, refusal('a', 'before', { url }));
  await leaveRefusal(session, refusal('a', 'moved', { url: other, code: 'MILLRACE_HOST_ADDRESS_TAKEN' }));
  await leaveRefusal(session, refusal('a', 'now', { url: other }));
  await leaveRefusal(session, refusal('ab', 'ab', { url }));
  const record = { host: 'a', boot: 'now', slots: 1, url };
  await register(session, record);
  t.strictSame(await bootsOf(session), ['ab', 'moved', 'before', 'twin'], 'it is there');
  await forgetRefusals(session, record);
  t.strictSame(await session.children(REFUSED), ['ab~ab', 'a~twin']);
});

t.test('of two hosts with one name or address the second is shown by the first, until it may come', async (t) => {
  const cluster = await Cluster.open();
  const url = (): string => 'http://127.0.0.1:7070';
  const a = await cluster.host('a', 1, cluster.store, { url });
  const refusals = async (): Promise<unknown> => {
    const found = await a.host.refusals();
    return found.map(({ host, code, url: at = null }) => [host, code, at]);
  };
  const twin = cluster.host('a', 1, cluster.store, { url: () => 'http://127.0.0.1:7071' });
  await cluster.advance(1);
  t.strictSame(await refusals(), [['a', 'MILLRACE_HOST_NAME_TAKEN', 'http://127.0.0.1:7071']]);
  const same = cluster.host('b', 1, cluster.store, { url });
  await cluster.advance(1);
  t.match(await refusals(), [['b', 'MILLRACE_HOST_ADDRESS_TAKEN', url()], ['a']]);
  t.equal(a.host.problem, null);
  await a.host.close();
  await cluster.advance(STORE_RETRY_MAX_MS);
  await Promise.all([twin, same].map(async (each) => await each));
  const session = await cluster.store.connect();
  t.strictSame(await session.children(REFUSED), [], 'both are there');
});

t.test('nothing is left where the data is newer, and the host says itself why it is not in its cluster', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 1);
  const session = await cluster.store.connect();
  await session.set(VERSION, toData({ format: 1_000 }), null);
  const { stat } = await session.get(hostPath(memberOf('a', host.boot)));
  await cluster.store.expire(stat.ephemeralOwner!);
  await cluster.advance(STORE_RETRY_MAX_MS);
  t.match(host.problem, /format 1000/);
  t.strictSame(await session.children(REFUSED), []);
});
