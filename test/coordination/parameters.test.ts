// Parameters in the store: versions that keep two from overwriting each other, what is refused, what goes with its
// topology, and what hosts and runs see of it, over sessions and over content that somebody wrote by hand.

import t from 'tap';
import type { ClusterHost } from '../../coordination/host/cluster-host.js';
import { CLUSTER_PARAMETERS, PARAMETERS, parametersPath, wishPath } from '../../coordination/paths.js';
import { ParameterNodes } from '../../coordination/parameters.js';
import type { Operation, Session, Store } from '../../coordination/store/contract.js';
import { failure } from '../../engine/errors.js';
import { ORPHAN_LOOK_MS, PARAMETERS_BYTES_MAX, STORE_RETRY_MAX_MS } from '../../engine/limits.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import { Cluster, settle, topology } from './cluster.js';
import { text } from './store/contract.js';

/** What a run of that topology sees, each time that it changed. */
function seenBy(host: ClusterHost, { id, name }: { readonly id: string; readonly name: string }) {
  const changes: ParameterValues[] = [];
  const seen = host.liveParameters.follow({ stateId: id, name }, (values) => changes.push(values));
  return { seen, changes };
}

void t.test('each set has a version, and one that was made of an older one is refused', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 2);
  const { host: other } = await cluster.host('b', 2);
  await host.topologies.submit(topology('words'));
  for (const target of [null, { name: 'words' }]) {
    const owner = target === null ? /the cluster/ : /topology "words"/;
    t.strictSame(await host.parameters.get(target), { version: 0, values: {}, problem: null });
    const first = await host.parameters.set(target, { threshold: 1 }, 0);
    t.strictSame(first, { version: 1, values: { threshold: 1 }, problem: null });
    t.strictSame(await other.parameters.get(target), first);
    t.match(await other.parameters.set(target, { threshold: 2 }, 1), { version: 2 });
    await t.rejects(host.parameters.set(target, { threshold: 3 }, 1), {
      code: 'MILLRACE_PARAMETERS_VERSION',
      message: owner,
    });
    await t.rejects(host.parameters.set(target, { threshold: 3 }, 0), { code: 'MILLRACE_PARAMETERS_VERSION' });
    t.match(await host.parameters.set(target, {}, null), { version: 3, values: {} }, 'without one, whatever it is');
  }
  const all = Array.from({ length: 8 }, (_, n) => [host, other][n % 2]!.parameters.set(null, { n }, 3));
  const settled = await Promise.allSettled(all);
  t.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1, 'of several at once, one');
});

void t.test('what cannot be kept is refused, and says why', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 2);
  await host.topologies.submit(topology('words'));
  const deep = JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown;
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    ['text', /they are "text", and not an object/],
    [[1], /a list of 1/],
    [null, /null/],
    [{ '': 1 }, /"" is no key/],
    [{ __proto__x: 1 }, /"__proto__x" is no key/],
    [JSON.parse('{"__proto__":1}'), /"__proto__" is no key/],
    [{ at: new Date(0) }, /"at" has an object in it, which is not JSON/],
    [{ at: { toJSON: () => 1 } }, /"at"/],
    [{ size: Infinity }, /Infinity/],
    [{ list: [undefined] }, /nothing in it/],
    [{ deep }, /nested deeper than 32/],
    [{ text: 'x'.repeat(PARAMETERS_BYTES_MAX) }, /bytes as JSON, and the limit is/],
    [{ 'millrace.loglevel': 'debug' }, /there is only "millrace.logLevel"/],
    [{ 'millrace.logLevel': 'loud' }, /not one of "debug", "info"/],
  ];
  for (const [values, message] of wrong) {
    await t.rejects(host.parameters.set(null, values, null), { code: 'MILLRACE_PARAMETERS_INVALID', message });
  }
  const own = { 'millrace.logLevel': 'debug' };
  await t.rejects(host.parameters.set({ name: 'words' }, own, null), { message: /set it for the cluster/ });
  t.match(await host.parameters.get(null), { version: 0 });
  for (const call of [
    host.parameters.get({ name: 'nobody' }),
    host.parameters.set({ name: 'nobody' }, {}, null),
    host.parameters.get({ name: 'words', id: 'another' }),
    host.parameters.get({ name: '../x' }),
  ]) {
    await t.rejects(call, { code: 'MILLRACE_TOPOLOGY_UNKNOWN' });
  }
});

void t.test('those of a topology go with it, whoever sets them at that moment', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 2);
  const { id } = await host.topologies.submit(topology('words'));
  await host.parameters.set({ name: 'words' }, { a: 1 }, null);
  await host.parameters.set(null, { b: 1 }, null);
  await settle();
  runner.run('words').end({ status: 'completed', error: null, final: null });
  await cluster.advance(1000);
  const session = await cluster.store.connect();
  t.strictSame(await session.children(PARAMETERS), ['cluster']);
  for (const target of [{ name: 'words' }, { name: 'words', id }]) {
    await t.rejects(host.parameters.set(target, { a: 2 }, null), { code: 'MILLRACE_PARAMETERS_ENDED' });
    await t.rejects(host.parameters.get(target), {
      code: 'MILLRACE_PARAMETERS_ENDED',
      message: 'topology "words" has ended as completed, and its parameters with it',
    });
  }
  await host.topologies.submit(topology('words'));
  t.match(await host.parameters.get({ name: 'words' }), { version: 0 }, 'the next one begins without');
  await session.create(parametersPath('nobodys'), text('{}'));
  await cluster.advance(2 * ORPHAN_LOOK_MS + 1000);
  t.strictSame(await session.children(PARAMETERS), ['cluster'], 'orphans are swept, those of the cluster are none');
});

void t.test('a wish that changes meanwhile is looked at again; one whose answer was lost counts once', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 2);
  await host.topologies.submit(topology('words'));
  const session = await cluster.store.connect();
  let before: (() => Promise<void>) | null = null;
  let after: (() => void) | null = null;
  const meddled = new Proxy(session, {
    get(target, key) {
      if (key !== 'multi') {
        const value = Reflect.get(target, key) as unknown;
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      }
      return async (operations: readonly Operation[]) => {
        const [first, last] = [before, after];
        before = null;
        after = null;
        await first?.();
        const results = await target.multi(operations);
        last?.();
        return results;
      };
    },
  });
  const nodes = new ParameterNodes({ session: async () => meddled, topologies: host.topologies });
  const target = { name: 'words' };
  before = async () => void (await host.topologies.setWanted('words', 'inactive'));
  t.match(await nodes.set(target, { a: 1 }, 0), { version: 1 }, 'the wish is another one');
  const lose = (): void => {
    throw failure('MILLRACE_STORE_UNCERTAIN', { what: 'a transaction', reason: 'the answer was lost' });
  };
  after = lose;
  t.match(await nodes.set(target, { a: 2 }, 1), { version: 2 }, 'it was carried out');
  before = async () => lose();
  t.match(await nodes.set(target, { a: 3 }, 2), { version: 3 }, 'it was not');
  before = async () => void (await host.parameters.set(target, { a: 'theirs' }, 3));
  await t.rejects(nodes.set(target, { a: 4 }, 3), { code: 'MILLRACE_PARAMETERS_VERSION' }, 'somebody was quicker');
  t.match(await nodes.get(target), { version: 4, values: { a: 'theirs' } });
  before = async () => {
    await session.delete(wishPath('words'), null);
  };
  await t.rejects(nodes.set(target, { a: 4 }, null), { code: 'MILLRACE_TOPOLOGY_UNKNOWN' }, 'it is gone');
});

void t.test('a run sees those of its topology, and below them those of the cluster', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 2);
  const words = await host.topologies.submit(topology('words'));
  await host.parameters.set(null, { a: 1, b: [1], 'millrace.logLevel': 'debug' }, null);
  const { seen, changes } = seenBy(host, words);
  await seen.ready;
  t.strictSame(seen.now, { a: 1, b: [1] }, 'what is for hosts is not for it');
  await host.parameters.set({ name: 'words' }, { b: 2, c: 3 }, null);
  await settle();
  t.strictSame(seen.now, { a: 1, b: 2, c: 3 });
  await host.parameters.set(null, { a: 1, b: 5, 'millrace.logLevel': 'info' }, null);
  await host.parameters.set(null, { a: 7 }, null);
  await settle();
  t.strictSame(changes.at(-1), { a: 7, b: 2, c: 3 });
  const count = changes.length;
  await host.parameters.set(null, { b: 9, a: 7 }, null);
  await settle();
  t.equal(changes.length, count, 'what it does not see is no change');
  t.throws(() => Object.assign(seen.now, { a: 0 }), TypeError);
  seen.close();
  await host.parameters.set(null, { a: 8 }, null);
  await settle();
  t.equal(changes.length, count);
});

void t.test('what somebody wrote by hand is told of once, and the last good ones stay', async (t) => {
  const cluster = await Cluster.open();
  const { host } = await cluster.host('a', 2);
  const words = await host.topologies.submit(topology('words'));
  const path = parametersPath(words.id);
  const target = { name: 'words' };
  await host.parameters.set(target, { a: 1 }, null);
  const { seen, changes } = seenBy(host, words);
  await seen.ready;
  const session = await cluster.store.connect();
  for (const content of ['{', '[]', '{"millrace.logLevel":"debug"}', '{"":1}']) {
    cluster.logged.length = 0;
    await session.set(path, text(content), null);
    await settle();
    t.strictSame(seen.now, { a: 1 });
    t.equal(cluster.logged.filter((line) => line.startsWith('error') && line.includes(path)).length, 1, content);
    const { problem, values } = await host.parameters.get(target);
    t.type(problem, 'string');
    t.strictSame(values, {});
  }
  const { version } = await host.parameters.get(target);
  await host.parameters.set(target, { a: 2 }, version);
  await settle();
  t.strictSame(seen.now, { a: 2 }, 'it can be mended');
  await session.delete(path, null);
  await settle();
  t.strictSame(changes, [{ a: 1 }, { a: 2 }]);
});

void t.test('while the store is away the last ones hold, and then the newest are told', async (t) => {
  const cluster = await Cluster.open();
  const sessions: Session[] = [];
  let isAway = false;
  const store: Store = {
    connect: async (options) => {
      if (isAway) throw failure('MILLRACE_STORE_UNAVAILABLE', { what: 'a connection', reason: 'it is away' });
      const session = await cluster.store.connect(options);
      sessions.push(session);
      return session;
    },
  };
  const { host } = await cluster.host('a', 2, store);
  const { host: other } = await cluster.host('b', 2);
  const words = await other.topologies.submit(topology('words'));
  await other.parameters.set({ name: 'words' }, { a: 1 }, null);
  const { seen, changes } = seenBy(host, words);
  await seen.ready;
  isAway = true;
  await sessions.at(-1)!.close();
  await settle();
  const late = seenBy(host, words);
  await other.parameters.set(null, { b: 1 }, null);
  await other.parameters.set({ name: 'words' }, { a: 2 }, null);
  await other.parameters.set({ name: 'words' }, { a: 3 }, null);
  await cluster.advance(STORE_RETRY_MAX_MS);
  t.strictSame(seen.now, { a: 1 });
  isAway = false;
  await cluster.advance(2 * STORE_RETRY_MAX_MS);
  t.strictSame(seen.now, { a: 3, b: 1 });
  await late.seen.ready;
  t.strictSame(late.seen.now, { a: 3, b: 1 }, 'who began to follow meanwhile, too');
  t.ok(changes.length <= 3, 'states may be skipped');
  cluster.logged.length = 0;
  const session = await cluster.store.connect();
  await session.set(CLUSTER_PARAMETERS, text('nonsense'), null);
  await settle();
  const problems = (): number => cluster.logged.filter((line) => line.includes(CLUSTER_PARAMETERS)).length;
  t.equal(problems(), 2, 'both hosts say so');
  await sessions.at(-1)!.close();
  await cluster.advance(2 * STORE_RETRY_MAX_MS);
  t.equal(problems(), 2, 'and not again in the next session');
  t.strictSame(seen.now, { a: 3, b: 1 });
});
