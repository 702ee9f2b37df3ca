// The gaps of node-zookeeper-client that could reach a user of the store, by their number in the project's list: calls,
// watches and connection strings, on real servers. What needs a network that misbehaves is in gaps.test.ts.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { startEnsemble } from '../../../../coordination/ensemble/start.js';
import type { CreateMode, Operation } from '../../../../coordination/store/contract.js';
import { operationOf } from '../../../../coordination/store/store-errors.js';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { STORE_CALLS_MAX, STORE_NODE_BYTES_MAX, ZOOKEEPER_XID_MAX } from '../../../../engine/limits.js';
import { guardedDirectory, runningEnsemble, testTimes } from '../../ensemble/running.js';
import { Proxy } from './proxy.js';
import { Events, freshPath, outcome, sessionOn, text, textOf, untilNode } from './real.js';

t.setTimeout(150_000);

const ensemble = await runningEnsemble(t);
const [first] = ensemble.servers;

void t.test('gap 1: version 0 in a transaction is version 0', async (t) => {
  const session = await sessionOn(t, ensemble);
  const path = freshPath('version');
  await session.create(path, text('0'));
  await session.set(path, text('1'), 0);
  const operations: readonly Operation[] = [
    { type: 'check', path, version: 0 },
    { type: 'set', path, data: text('stale'), version: 0 },
    { type: 'delete', path, version: 0 },
  ];
  for (const operation of operations) {
    t.equal(await outcome(session.multi([operation])), 'MILLRACE_STORE_BAD_VERSION', operation.type);
  }
  t.equal(textOf((await session.get(path)).data), '1');
  await session.multi(operations.map((operation) => ({ ...operation, version: operation.type === 'delete' ? 2 : 1 })));
  t.equal(await session.exists(path), null);
});

void t.test('gap 9: what is too large for a packet fails its caller alone', async (t) => {
  const session = await sessionOn(t, ensemble);
  const events = new Events(session);
  const path = freshPath('large');
  await session.create(path, new Uint8Array(STORE_NODE_BYTES_MAX));
  const data = new Uint8Array(300_000);
  const four = [1, 2, 3, 4].map((n) => ({ type: 'create', path: `${path}/${n}`, data }) as const);
  const calls = [
    session.set(path, new Uint8Array(1_048_576), null),
    session.exists('/none'),
    session.multi(four),
    session.create(`${path}/n`, new Uint8Array(1_048_575)),
    session.exists('/none'),
    session.multi(four.slice(0, 3)).then((results) => results.length),
  ];
  const large = 'MILLRACE_STORE_TOO_LARGE';
  t.strictSame(await Promise.all(calls.map(outcome)), [large, null, large, large, null, 3]);
  t.strictSame(events.seen, []);
});

void t.test('gap 11: after a new connection credentials go out before anything else', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const credentials = [{ user: 'ann', password: 'secret' }];
  const session = await sessionOn(t, ensemble, { servers: proxy.address, credentials });
  const path = freshPath('private');
  const access = [{ who: 'creator', may: ['read', 'write', 'create', 'delete', 'admin'] }] as const;
  await session.create(path, text('hers'), 'persistent', { access });
  const other = await sessionOn(t, ensemble);
  t.equal(await outcome(other.get(path)), 'MILLRACE_STORE_FORBIDDEN');
  const reads: Promise<unknown>[] = [];
  const events = new Events(session);
  session.onEvent(({ type }) => {
    if (type !== 'reconnected') return;
    for (let n = 0; n < 50; n++) reads.push(outcome(session.get(path).then(({ data }) => textOf(data))));
  });
  proxy.cut();
  await events.until('reconnected');
  t.strictSame([...new Set(await Promise.all(reads))], ['hers']);
  t.equal(reads.length, 50);
});

void t.test('gap 12: attempts that fail leave nothing that is sent later', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  // A pause between attempts may last an eighth of the session's time: four of them never outlast the session.
  const session = await sessionOn(t, ensemble, { servers: proxy.address, sessionTimeoutMs: 4_000 });
  const events = new Events(session);
  const path = freshPath('attempts');
  for (let n = 0; n < 200; n++) session.watchNode(`${path}-${n}`, () => undefined);
  await session.create(path, text(''));
  await untilWatches(200);
  const sent: number[] = [];
  for (const [round, attempts] of [1, 4].entries()) {
    const before = proxy.bytes.up;
    const connections = proxy.connections;
    proxy.refuses = true;
    proxy.cut();
    while (proxy.connections < connections + attempts) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.refuses = false;
    await events.until('reconnected', round + 1);
    await session.exists('/none');
    sent.push(proxy.bytes.up - before);
  }
  const [few = 0, many = 0] = sent;
  t.ok(many < few + 1_000, `${few} bytes after one attempt, ${many} after four`);
});

void t.test('gap 13: ten thousand watches over a new connection', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const session = await sessionOn(t, ensemble, { servers: proxy.address, sessionTimeoutMs: 20_000 });
  const events = new Events(session);
  const path = `${freshPath('watches')}-${'x'.repeat(90)}`;
  let told = 0;
  for (let n = 0; n < 11_000; n++) session.watchNode(`${path}-${n}`, () => told++);
  while (told < 11_000) await session.exists('/none');
  const connections = proxy.connections;
  proxy.cut();
  await events.until('reconnected');
  await session.create(`${path}-10999`, text('here'));
  await untilNode(session, `${path}-10999`, (node) => node !== null);
  t.equal(proxy.connections, connections + 1);
  while (told < 11_001) await session.exists('/none');
  t.equal(told, 11_001, 'the one that was watched before is told of');
});

void t.test('gap 15: every mode is what it is called, and sync is there', async (t) => {
  const session = await sessionOn(t, ensemble);
  const path = freshPath('modes');
  await session.create(path, text(''));
  const modes: readonly CreateMode[] = ['persistent', 'ephemeral', 'persistent-sequential', 'ephemeral-sequential'];
  for (const [index, mode] of modes.entries()) {
    const single = await session.create(`${path}/s${index}`, text(''), mode);
    const [result] = await session.multi([{ type: 'create', path: `${path}/m${index}`, data: text(''), mode }]);
    const both = [single, (result as { readonly path: string }).path];
    for (const made of both) {
      t.equal(/\d{10}$/.test(made), mode.endsWith('sequential'), `${mode}: ${made}`);
      t.equal((await session.exists(made))!.ephemeralOwner, mode.startsWith('ephemeral') ? session.id : null);
    }
  }
  await session.sync(path);
});

void t.test('gap 16: the numbers of requests begin anew', async (t) => {
  const session = await sessionOn(t, ensemble);
  // As after two days of ten thousand requests a second.
  interface Numbers {
    sentXid: number;
    answeredXid: number;
  }
  const { connector } = session as unknown as { readonly connector: { readonly connection: Numbers } };
  connector.connection.sentXid = connector.connection.answeredXid = ZOOKEEPER_XID_MAX - 3;
  const events = new Events(session);
  const calls = Array.from({ length: 10 }, () => session.exists('/none'));
  t.strictSame(await Promise.all(calls), Array(10).fill(null));
  t.strictSame([connector.connection.sentXid < 20, events.seen], [true, []]);
});

void t.test('gaps 19 and 20: thousands of calls at once are answered, more than the limit are refused', async (t) => {
  const session = await sessionOn(t, ensemble);
  const calls = Array.from({ length: STORE_CALLS_MAX + 1 }, () => outcome(session.exists('/none')));
  const outcomes = await Promise.all(calls);
  t.equal(outcomes.at(-1), 'MILLRACE_STORE_TOO_MANY');
  t.strictSame([...new Set(outcomes.slice(0, -1))], [null]);
});

void t.test('gaps 21 and 22: connection strings are read before anything is dialled', async (t) => {
  for (const servers of ['zk:99999', 'zk:x', '[::1', '::1:2181', '', 'zk1,,zk2']) {
    t.throws(() => new ZookeeperStore({ servers }), { code: 'MILLRACE_ZOOKEEPER_CONNECT_STRING' }, servers);
  }
  const spaced = `[::1]:${first!.clientPort}, 127.0.0.1:${first!.clientPort} , 127.0.0.1:${first!.clientPort}`;
  const session = await sessionOn(t, ensemble, { servers: spaced });
  t.equal(await session.exists('/none'), null, 'nobody listens at the IPv6 address, the other one is tried');
});

void t.test('gap 23: lost is lost, and said as such', async (t) => {
  const store = new ZookeeperStore({ servers: ensemble.connectString });
  const session = await store.connect();
  const events = new Events(session);
  // Its owner may come back once more before every server has heard of the end.
  await store.endSession(session.id, session.password);
  await events.until('lost');
  t.equal(session.state, 'lost');
  t.equal(await outcome(session.exists('/none')), 'MILLRACE_STORE_SESSION_LOST');
  t.match(session.ended.reason, { code: 'MILLRACE_STORE_SESSION_LOST' });
  await session.close();
  t.equal(session.state, 'lost', 'and nothing follows');
  const next = await store.connect();
  t.not(next.id, session.id);
  await next.close();
  t.equal(events.seen.indexOf('lost'), events.seen.length - 1, 'lost is the last that is told, and told once');
});

void t.test('gap 24: who follows a path a thousand times costs one watch, and none afterwards', async (t) => {
  const session = await sessionOn(t, ensemble);
  const path = freshPath('followed');
  await session.create(path, text(''));
  let told = 0;
  const following = Array.from({ length: 1_000 }, () => session.watchNode(path, () => told++));
  while (told < 1_000) await session.exists('/none');
  t.equal(await watchesOf(path), 1);
  for (const each of following) each.close();
  while ((await watchesOf(path)) > 0) await session.exists('/none');
  t.equal(await watchesOf(path), 0);
});

void t.test('gap 25: a chroot below nodes that others own', async (t) => {
  const owner = await sessionOn(t, ensemble, { credentials: [{ user: 'owner', password: 'secret' }] });
  const path = freshPath('owned');
  const access = [
    { who: 'creator', may: ['read', 'write', 'create', 'delete', 'admin'] },
    { who: 'anyone', may: ['read'] },
  ] as const;
  await owner.create(path, text('kept'), 'persistent', { access });
  await owner.create(`${path}/ours`, text(''));
  const session = await sessionOn(t, ensemble, { servers: `${ensemble.connectString}${path}/ours/deep/down` });
  t.equal(await session.create('/a', text('')), '/a');
  await owner.sync('/');
  t.strictSame(await owner.children(`${path}/ours/deep/down`), ['a']);
  t.equal(textOf((await owner.get(path)).data), 'kept');
  t.strictSame((await owner.get(`${path}/ours/deep`)).data.length, 0);
  const refused = new ZookeeperStore({ servers: `${ensemble.connectString}${path}/theirs` }).connect();
  await t.rejects(refused, { code: 'MILLRACE_STORE_FORBIDDEN', message: new RegExp(path) });
});

void t.test('gaps 26 and 28: mistakes reject, and errors name the path', async (t) => {
  const session = await sessionOn(t, ensemble);
  const path = freshPath('missing');
  const calls: readonly Promise<unknown>[] = [
    session.get(path),
    session.set(path, text(''), 3),
    session.delete(path, null),
  ];
  for (const call of calls) {
    await t.rejects(call, { code: 'MILLRACE_STORE_NO_NODE', message: new RegExp(`"${path}"`) });
  }
  for (const wrong of ['', 'a', '/a//b', '/a/', '/a/../b', '/\0']) {
    t.equal(await outcome(session.get(wrong)), 'MILLRACE_STORE_PATH', JSON.stringify(wrong));
  }
  const second = session.multi([
    { type: 'create', path, data: text('') },
    { type: 'delete', path: `${path}/none`, version: null },
  ]);
  await t.rejects(second, { code: 'MILLRACE_STORE_NO_NODE', message: new RegExp(`"${path}/none"`) });
  t.equal(operationOf(await second.catch((error: unknown) => error)), 1);
  t.equal(await session.exists(path), null, 'all or nothing');
  await session.create(path, text(''));
  t.equal((await session.get(path)).data.length, 0, 'no data is empty data');
});

void t.test('gap 27: TLS, to whom is trusted only', async (t) => {
  const directory = guardedDirectory(t);
  const keys = join(dirname(directory), 'keys');
  mkdirSync(keys);
  const keyStore = join(keys, 'server.p12');
  const keytool = (...args: readonly string[]): string =>
    execFileSync('keytool', [...args, '-alias', 'server', '-keystore', keyStore, '-storepass', 'secret'], {
      encoding: 'utf8',
    });
  const names = ['-dname', 'CN=localhost', '-ext', 'SAN=IP:127.0.0.1,DNS:localhost'];
  keytool('-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-storetype', 'PKCS12', ...names);
  const ca = keytool('-exportcert', '-rfc');
  const tls = { keyStore, keyStorePassword: 'secret' };
  const { ensemble: secured } = await startEnsemble({ ...testTimes, durable: false, servers: 1, directory, tls });
  const servers = secured.secureConnectString!;
  const session = await sessionOn(t, secured, { servers, tls: { ca } });
  t.equal(await session.create('/a', text('')), '/a');
  const stranger = new ZookeeperStore({ servers, tls: {} }).connect({ timeoutMs: 500 });
  await t.rejects(stranger, { code: 'MILLRACE_STORE_UNAVAILABLE', message: /self.signed certificate/ });
  const plain = new ZookeeperStore({ servers }).connect({ timeoutMs: 500 });
  await t.rejects(plain, { code: 'MILLRACE_STORE_UNAVAILABLE' });
});

void t.test('gap 30: a session that is asked to be short is as short as the ensemble allows', async (t) => {
  const session = await sessionOn(t, ensemble, { sessionTimeoutMs: 1 });
  t.equal(session.timeoutMs, testTimes.sessionMinMs);
  t.equal(await session.exists('/none'), null);
});

/** How many watches the servers know of that path. */
async function watchesOf(path: string): Promise<number> {
  const answers = await Promise.all(ensemble.servers.map(({ id }) => ensemble.ask(id, 'wchp')));
  const lines = answers.join('\n').split('\n');
  const at = lines.indexOf(path);
  return at < 0 ? 0 : lines.slice(at + 1).findIndex((line) => !line.startsWith('\t'));
}

/** Waits until the first server has that many watches of the session. */
async function untilWatches(count: number): Promise<void> {
  for (;;) {
    const watches = /Total watches:(\d+)/.exec(await ensemble.ask(1, 'wchs'))?.[1];
    if (Number(watches) >= count) return;
  }
}
