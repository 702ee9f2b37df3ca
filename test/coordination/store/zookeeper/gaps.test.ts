// The gaps of node-zookeeper-client that could reach a user of the store, by their number in the project's list: what
// goes wrong between a client and one server, on real servers behind a network that misbehaves. The others:
//
//   1, 9, 11, 12, 13, 15, 16, 19 to 28, 30   gaps-calls.test.ts
//   5 (who is only told of things must ping)  session.test.ts, on virtual time
//   17 (deep subtrees)                        the recursive cache has its own tests; the store has no such call
//   29 (types of the package)                 the compiler

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { runningEnsemble } from '../../ensemble/running.js';
import { Proxy } from './proxy.js';
import { Events, freshPath, outcome, sessionOn, text, textOf } from './real.js';

t.setTimeout(150_000);

const ensemble = await runningEnsemble(t, { settings: { enforceQuota: 'true' } });
const [first, second] = ensemble.servers;

void t.test('gap 2: a half-open connection is left in time, and the session kept', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const servers = `${proxy.address},127.0.0.1:${second!.clientPort}`;
  const other = await sessionOn(t, ensemble);
  const path = freshPath('half-open');
  // Whichever it dials first: it is behind the proxy in the end.
  let session = await sessionOn(t, ensemble, { servers, sessionTimeoutMs: 2_000 });
  while (proxy.connections === 0) session = await sessionOn(t, ensemble, { servers, sessionTimeoutMs: 2_000 });
  const events = new Events(session);
  await session.create(path, text('mine'), 'ephemeral');
  const gone: boolean[] = [];
  await other.sync(path);
  other.watchNode(path, (node) => gone.push(node === null));
  proxy.rule('both', { swallow: true });
  await events.until('suspended');
  proxy.refuses = true;
  await events.until('reconnected');
  t.equal(textOf((await session.get(path)).data), 'mine');
  await other.sync(path);
  t.notOk(gone.includes(true), 'its ephemeral node was there all the time');
  t.strictSame(events.seen, ['suspended', 'reconnected']);
});

void t.test('gap 3: half a reply ends with its connection', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const session = await sessionOn(t, ensemble, { servers: proxy.address });
  const events = new Events(session);
  const path = freshPath('torn');
  await session.create(path, new Uint8Array(200_000));
  for (const [index, bytes] of [1, 3, 4, 13, 16, 50_000].entries()) {
    proxy.rule('down', { cutAfterBytes: bytes });
    t.equal(await outcome(session.get(path)), 'MILLRACE_STORE_UNAVAILABLE', `cut after ${bytes} bytes`);
    await events.until('reconnected', index + 1);
    t.equal((await session.get(path)).data.length, 200_000);
  }
  t.equal(proxy.connections, 7, 'one for each cut');
  proxy.rule('both', { pieceBytes: 1 });
  t.equal(await session.exists('/none'), null, 'byte by byte');
  proxy.rule('both', { delayMs: 30 });
  t.equal(await session.exists('/none'), null, 'late');
});

void t.test('gap 4: a server that takes connections and says nothing is left for another', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  silent.on('connection', (socket) => t.teardown(() => socket.destroy()));
  const { port } = silent.address() as AddressInfo;
  // Of two stores one dials the silent server first, sooner or later.
  let tries = 0;
  silent.on('connection', () => tries++);
  while (tries === 0) {
    const session = await sessionOn(t, ensemble, { servers: `127.0.0.1:${port},127.0.0.1:${first!.clientPort}` });
    t.equal(await session.exists('/none'), null);
  }
});

void t.test('gap 6: an error that the client does not know fails its call alone', async (t) => {
  const session = await sessionOn(t, ensemble);
  const path = freshPath('quota');
  await session.create(path, text(''));
  await session.create(`/zookeeper/quota${path}`, text(''));
  await session.create(`/zookeeper/quota${path}/zookeeper_stats`, text('count=1,bytes=0'));
  await session.create(
    `/zookeeper/quota${path}/zookeeper_limits`,
    text('count=2,bytes=-1=;byteHardLimit=-1;countHardLimit=2'),
  );
  await session.create(`${path}/a`, text(''));
  const calls = ['b', 'c'].map((name) => outcome(session.create(`${path}/${name}`, text(''))));
  t.strictSame(await Promise.all([...calls, session.exists('/none')]), [
    'MILLRACE_STORE_FULL',
    'MILLRACE_STORE_FULL',
    null,
  ]);
});

void t.test('gap 7: trying again at once without a connection holds up nothing', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const session = await sessionOn(t, ensemble, { servers: proxy.address });
  const events = new Events(session);
  proxy.refuses = true;
  proxy.cut();
  await events.until('suspended');
  let isBack = false;
  let tries = 0;
  setImmediate(() => setImmediate(() => proxy.heal()));
  void events.until('reconnected').then(() => (isBack = true));
  // Whoever does this is wrong, and must harm nobody but itself.
  while ((await outcome(session.exists('/none'))) !== null) tries++;
  t.ok(tries > 0);
  await events.until('reconnected');
  t.ok(isBack);
});

void t.test('gap 8: close ends the session at whatever moment it comes', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const other = await sessionOn(t, ensemble);
  const path = freshPath('closed');
  const open = async (): Promise<Awaited<ReturnType<typeof sessionOn>>> => {
    const session = await sessionOn(t, ensemble, { servers: proxy.address, sessionTimeoutMs: 30_000 });
    await session.create(path, text(''), 'ephemeral');
    return session;
  };
  const away = await open();
  const events = new Events(away);
  proxy.refuses = true;
  proxy.cut();
  await events.until('suspended');
  const ending = away.end();
  await other.get(path);
  proxy.heal();
  t.equal(await ending, 'closed', 'while there was no connection');
  await other.sync(path);
  t.equal(await other.exists(path), null, 'it was not left open');
  t.strictSame([await away.end(), await away.end()], ['closed', 'closed']);

  const silent = await open();
  proxy.rule('both', { hold: true });
  t.equal(await silent.end(100), 'unconfirmed', 'on a server that says nothing');
  proxy.heal();
  t.equal(await outcome(silent.get(path)), 'MILLRACE_STORE_CLOSED');

  proxy.rule('down', { hold: true });
  const opening = new ZookeeperStore({ servers: proxy.address }).connect({ timeoutMs: 100 });
  t.equal(await outcome(opening), 'MILLRACE_STORE_UNAVAILABLE', 'between the connection and the session');
  proxy.heal();
});

void t.test('gap 10: calls without a connection are refused, and carried out by nobody later', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const session = await sessionOn(t, ensemble, { servers: proxy.address, sessionTimeoutMs: 2_000 });
  const events = new Events(session);
  const path = freshPath('refused');
  proxy.refuses = true;
  proxy.cut();
  await events.until('suspended');
  const calls = Array.from({ length: 20 }, () => outcome(session.create(path, text(''))));
  t.strictSame([...new Set(await Promise.all(calls))], ['MILLRACE_STORE_UNAVAILABLE']);
  proxy.heal();
  await events.until('reconnected');
  t.equal(await session.exists(path), null, 'given up is given up');
  proxy.rule('down', { hold: true });
  const lost = [outcome(session.get('/')), outcome(session.create(path, text('')))];
  const store = new ZookeeperStore({ servers: ensemble.connectString });
  t.equal(await store.endSession(session.id, session.password), 'closed');
  proxy.cut();
  proxy.heal();
  await events.until('lost');
  t.match(await Promise.all(lost), [/_UNAVAILABLE|_SESSION_LOST/, /_UNCERTAIN|_SESSION_LOST/], 'each is answered');
  t.equal(await outcome(session.get('/')), 'MILLRACE_STORE_SESSION_LOST');
});

void t.test('gap 14: a lost reply is told as one, and nothing is written twice', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const session = await sessionOn(t, ensemble, { servers: proxy.address });
  const other = await sessionOn(t, ensemble);
  const events = new Events(session);
  const path = freshPath('lost');
  await session.create(path, text('0'));
  await session.create(`${path}/old`, text(''));
  const data = text('mine');
  const writes: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
    ['create', () => session.create(`${path}/s-`, data, 'ephemeral-sequential'), () => other.children(path)],
    ['set', () => session.set(path, data, 0), async () => (await other.get(path)).stat.version],
    ['delete', () => session.delete(`${path}/old`, 0), () => other.children(path)],
    ['multi', () => session.multi([{ type: 'create', path: `${path}/m`, data }]), () => other.children(path)],
  ];
  const s = 's-0000000001';
  const expected: readonly unknown[] = [['old', s], 1, [s], ['m', s]];
  for (const [index, [name, write, look]] of writes.entries()) {
    proxy.rule('down', { hold: true });
    const written = outcome(write());
    // It has arrived when another one sees it.
    while (JSON.stringify(await look()) !== JSON.stringify(expected[index])) await other.sync(path);
    proxy.rule('down', { swallow: true });
    proxy.cut();
    proxy.heal();
    t.equal(await written, 'MILLRACE_STORE_UNCERTAIN', `${name} may have been carried out, and was`);
    await events.until('reconnected', index + 1);
    await other.sync(path);
    t.strictSame(await look(), expected[index], `${name} was carried out once`);
  }
});

void t.test('gap 18: what comes twice, or out of its order, ends the connection and not the session', async (t) => {
  const proxy = await Proxy.before(t, first!.clientPort);
  const session = await sessionOn(t, ensemble, { servers: proxy.address });
  const events = new Events(session);
  for (const direction of ['down', 'up'] as const) {
    const round = events.seen.filter((type) => type === 'reconnected').length + 1;
    proxy.rule(direction, { repeat: true });
    await outcome(session.exists('/none'));
    await outcome(session.exists('/none'));
    proxy.heal();
    if (direction === 'up') proxy.cut();
    await events.until('reconnected', round);
    t.equal(await session.exists('/none'), null);
  }
  t.notOk(events.seen.includes('lost'));
});

void t.test('what is no ZooKeeper is told as such, and asked again and again with pauses only', async (t) => {
  const http = createHttpServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.teardown(() => http.close());
  let connections = 0;
  http.on('connection', () => connections++);
  const { port } = http.address() as AddressInfo;
  const store = new ZookeeperStore({ servers: `127.0.0.1:${port}` });
  await t.rejects(store.connect({ timeoutMs: 500 }), {
    code: 'MILLRACE_STORE_UNAVAILABLE',
    message: new RegExp(`127\\.0\\.0\\.1:${port}: .*none of ZooKeeper's`),
  });
  t.ok(connections < 30, `${connections} tries`);
});
