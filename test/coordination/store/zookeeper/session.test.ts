// One session of ZooKeeper against servers that do what no real one does when it is asked to: silent ones, torn
// replies, strange errors, ends at bad moments. Time is virtual, so that nothing here waits for it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { STORE_CALLS_MAX } from '../../../../engine/limits.js';
import type { StoreNode } from '../../../../coordination/store/contract.js';
import { longOf, protocolRecord } from '../../../../coordination/store/zookeeper/codec.js';
import type { ZookeeperSession } from '../../../../coordination/store/zookeeper/zookeeper-session.js';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { bytesOf, FakeServer, type FakeConnection } from './fake-server.js';
import { again, dataReply, op, opened, pass, settled, storeAt, until } from './fake-session.js';

void t.test('pings by what was sent, whatever comes in, and leaves a silent server in time', async (t) => {
  const { clock, server, connection, session, events } = await opened(t);
  for (let count = 0; count < 3; count++) {
    await pass(clock, 1500);
    const { xid } = await connection.request(op.ping);
    t.equal(xid, -2);
    connection.event(3, '/nobody-follows');
    await settled(answered(connection, session));
  }
  await pass(clock, 4100);
  t.strictSame(events, ['suspended'], 'two thirds of the time without a word');
  const next = await server.connection();
  const greeting = await next.greeting();
  t.match(greeting, { timeOut: 6000, sessionId: longOf(1n), passwd: Buffer.alloc(16, 7), lastZxidSeen: longOf(9n) });
  const reconnected = until(session, 'reconnected');
  next.greet(6000);
  await reconnected;
  t.equal(session.state, 'connected');
});

/** A read that is answered: inbound bytes that the watchdog has to take for a sign of life. */
async function answered(connection: FakeConnection, session: ZookeeperSession): Promise<void> {
  const call = session.get('/x');
  const { xid } = await connection.request(op.get);
  connection.reply(xid, 0, dataReply('x'), 9n);
  await call;
}

void t.test('goes on to the next server when one takes the connection and never answers', async (t) => {
  const clock = new VirtualClock();
  const log: string[] = [];
  const servers = [await FakeServer.start(t), await FakeServer.start(t)];
  const connecting = storeAt(servers.map(({ address }) => address).join(), clock, log).connect();
  const arriving = servers.map((server) => server.connection());
  const silent = await Promise.race(arriving.map((each, index) => each.then(() => index)));
  await (await arriving[silent]!).greeting();
  await pass(clock, 1500);
  const other = await arriving[1 - silent]!;
  t.match(await other.greeting(), { timeOut: 6000 });
  other.greet(4000, 5n);
  const session = await connecting;
  t.strictSame([session.id, session.timeoutMs], ['0x5', 4000]);
  t.match(log.join(), /no answer for the session within 1500 ms/);
  t.match(log.join(), /gives session "0x5" 4000 ms of silence instead of 6000 ms/);
  const ending = session.end(10);
  await pass(clock, 10);
  t.equal(await ending, 'unconfirmed');
});

void t.test('says what is there when nobody speaks the protocol', async (t) => {
  const clock = new VirtualClock();
  const server = await FakeServer.start(t);
  const connecting = settled(storeAt(server.address, clock, []).connect({ timeoutMs: 3000 }));
  void (async () => {
    for (;;) (await server.connection()).socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  })();
  let over = false;
  const error = connecting.finally(() => (over = true));
  while (!over) await pass(clock, 50);
  t.match(await error, {
    code: 'MILLRACE_STORE_UNAVAILABLE',
    message: /no session within 3000 ms: 127\.0\.0\.1:\d+: the server sent a packet of 1213486160 bytes/,
  });
});

void t.test('half a reply ends with its connection', async (t) => {
  const { clock, server, connection, session, events } = await opened(t);
  const read = settled(session.get('/r'));
  const write = settled(session.set('/w', Buffer.from('w'), null));
  const { xid } = await connection.request(op.get);
  const reply = bytesOf(protocolRecord('ReplyHeader', xid, longOf(2n), 0), dataReply('x'.repeat(5000)));
  connection.socket.end(reply.subarray(0, 1000));
  t.match(await read, { code: 'MILLRACE_STORE_UNAVAILABLE', message: /get "\/r"/ });
  t.match(await write, { code: 'MILLRACE_STORE_UNCERTAIN', message: /set "\/w"/ });
  const reconnected = until(session, 'reconnected');
  const next = await again(clock, server);
  await reconnected;
  const whole = session.get('/r');
  next.reply((await next.request(op.get)).xid, 0, dataReply('whole'));
  t.equal(Buffer.from((await whole).data).toString(), 'whole');
  t.strictSame(events, ['suspended', 'reconnected']);
});

void t.test('an error that nobody knows is one of its call alone', async (t) => {
  const { connection, session } = await opened(t);
  const strange = settled(session.set('/q', Buffer.from(''), null));
  connection.reply((await connection.request(op.set)).xid, -777);
  t.match(await strange, { code: 'MILLRACE_ZOOKEEPER_REFUSED', status: 502, message: /-777 \(unknown here\)/ });
  t.equal(session.state, 'connected');
});

void t.test('a reply out of order or that cannot be read ends the connection, and every call is told', async (t) => {
  for (const answer of [
    (connection: FakeConnection) => connection.reply(2, 0, dataReply('second')),
    (connection: FakeConnection) => connection.reply(77, 0, dataReply('nobody asked')),
    (connection: FakeConnection) => connection.reply(1, 0, protocolRecord('CreateResponse', '/short')),
    (connection: FakeConnection) => connection.socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 1])),
  ]) {
    const { connection, session } = await opened(t);
    const calls = [session.get('/1'), session.get('/2')].map(settled);
    await connection.request(op.get);
    await connection.request(op.get);
    answer(connection);
    for (const call of calls) t.match(await call, { code: 'MILLRACE_STORE_UNAVAILABLE', message: /the server sent/ });
  }
});

void t.test('whatever comes from a server, the session goes on', async (t) => {
  const { clock, server, connection, session } = await opened(t);
  let last = connection;
  // An event without a path, and one of a kind that nobody knows.
  last.send(protocolRecord('ReplyHeader', -1, longOf(-1n), 0), protocolRecord('WatcherEvent', -1, 3));
  last.event(99, '/x');
  for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 60 }), 20)) {
    const call = settled(session.get('/x'));
    const { xid } = await last.request(op.get);
    const header = bytesOf(protocolRecord('ReplyHeader', xid, longOf(1n), 0)).subarray(4);
    const length = Buffer.alloc(4);
    length.writeInt32BE(header.length + bytes.length);
    const suspended = until(session, 'suspended');
    last.socket.end(Buffer.concat([length, header, bytes]));
    t.match(await call, { code: 'MILLRACE_STORE_UNAVAILABLE' });
    await suspended;
    const reconnected = until(session, 'reconnected');
    await pass(clock, 1000);
    last = await server.greeted();
    await reconnected;
  }
  t.equal(session.state, 'connected');
});

void t.test(
  'calls without a connection are refused at once, and who tries again at once holds up nothing',
  async (t) => {
    const { clock, server, connection, session } = await opened(t);
    const suspended = until(session, 'suspended');
    connection.socket.destroy();
    await suspended;
    let refused = 0;
    let over = false;
    const trying = (async () => {
      while (!over) {
        const error = await settled(session.set('/a', Buffer.from(''), null));
        if (over) return;
        t.match(error, { code: 'MILLRACE_STORE_UNAVAILABLE', message: /no connection/ });
        if (++refused === 3) over = true;
      }
    })();
    await trying;
    const reconnected = until(session, 'reconnected');
    const next = await again(clock, server);
    await reconnected;
    t.equal(next.requests.count, 0, 'none of them is carried out later');
  },
);

void t.test('a call without an answer in its time ends the connection: the server may be cut off', async (t) => {
  const { clock, server, connection, session } = await opened(t);
  const write = settled(session.set('/w', Buffer.from(''), null, { timeoutMs: 300 }));
  const aborted = settled(session.get('/a', { signal: AbortSignal.abort('given up') }));
  const controller = new AbortController();
  const given = settled(session.get('/b', { signal: controller.signal, timeoutMs: 5000 }));
  controller.abort('given up later');
  await connection.request(op.set);
  await pass(clock, 400);
  t.match(await write, { code: 'MILLRACE_STORE_UNCERTAIN', message: /no answer to set "\/w" within 300 ms/ });
  t.strictSame([await aborted, await given], ['given up', 'given up later']);
  await connection.closed;
  await again(clock, server);
});

void t.test(
  'what is watched is told to the next connection behind the credentials, and before anything else',
  async (t) => {
    const clock = new VirtualClock();
    const server = await FakeServer.start(t);
    const connecting = storeAt(server.address, clock, [], { credentials: [{ user: 'ann', password: 'p' }] }).connect();
    let connection = await server.greeted();
    const { body, xid } = await connection.request(op.auth);
    t.ok(body.toString('latin1').endsWith('ann:p'));
    connection.reply(xid);
    const session = await connecting;
    const told: (string | null)[] = [];
    let heard = (): void => undefined;
    session.watchNode('/n', (node) => {
      told.push(node && Buffer.from(node.data).toString());
      heard();
    });
    connection.reply((await connection.request(op.get)).xid, 0, dataReply('one', 5n), 5n);
    await new Promise<void>((resolve) => (heard = resolve));
    const suspended = until(session, 'suspended');
    connection.socket.destroy();
    await suspended;
    connection = await again(clock, server);
    connection.reply((await connection.request(op.auth)).xid);
    const watches = await connection.request(op.watches);
    t.equal(watches.body.readBigInt64BE(0), 5n);
    t.ok(watches.body.includes('/n'));
    connection.event(3, '/n');
    const refused = await settled(session.get('/other'));
    t.match(refused, { code: 'MILLRACE_STORE_UNAVAILABLE' }, 'not open yet');
    connection.reply(watches.xid);
    connection.reply((await connection.request(op.get)).xid, 0, dataReply('two', 8n), 8n);
    await new Promise<void>((resolve) => (heard = resolve));
    t.strictSame(told, ['one', 'two']);

    // A server that is behind what was seen is asked to come up, and is read again.
    connection.event(3, '/n');
    connection.reply((await connection.request(op.get)).xid, 0, dataReply('old', 6n));
    connection.reply((await connection.request(op.sync)).xid, 0, protocolRecord('CreateResponse', '/n'));
    connection.reply((await connection.request(op.get)).xid, 0, dataReply('three', 9n));
    await new Promise<void>((resolve) => (heard = resolve));
    t.strictSame(told, ['one', 'two', 'three'], 'never back');
    const closing = session.close();
    connection.reply((await connection.request(op.close)).xid);
    await closing;
  },
);

void t.test('refused credentials are told, and not tried again', async (t) => {
  const clock = new VirtualClock();
  const server = await FakeServer.start(t);
  const connecting = settled(
    storeAt(server.address, clock, [], { credentials: [{ user: 'ann', password: 'p' }] }).connect(),
  );
  const connection = await server.greeted();
  connection.reply((await connection.request(op.auth)).xid, -115);
  t.match(await connecting, {
    code: 'MILLRACE_STORE_CREDENTIALS',
    status: 401,
    message: /"ann".*-115 \(AUTH_FAILED\)/,
  });
  // The session that was opened for it is ended.
  const ending = await again(clock, server);
  ending.reply((await ending.request(op.close)).xid);
  await ending.closed;
});

void t.test('only the ensemble says that a session is over', async (t) => {
  const byGreeting = await opened(t);
  const suspended = until(byGreeting.session, 'suspended');
  byGreeting.connection.socket.destroy();
  await suspended;
  const lost = until(byGreeting.session, 'lost');
  await again(byGreeting.clock, byGreeting.server, 0, 0n);
  await lost;
  t.strictSame(byGreeting.events, ['suspended', 'lost']);
  t.match(byGreeting.session.ended.reason, { code: 'MILLRACE_STORE_SESSION_LOST' });
  t.equal(await byGreeting.session.end(), 'gone');

  const byReply = await opened(t);
  const calls = [byReply.session.get('/1'), byReply.session.set('/2', Buffer.from(''), null)].map(settled);
  byReply.connection.reply((await byReply.connection.request(op.get)).xid, -112);
  for (const call of calls) t.match(await call, { code: 'MILLRACE_STORE_SESSION_LOST' });
  t.strictSame(byReply.events, ['lost']);
  t.throws(() => byReply.session.watchNode('/', () => undefined), { code: 'MILLRACE_STORE_SESSION_LOST' });
});

void t.test('a session that has moved is looked for on a new connection', async (t) => {
  const { clock, connection, session, server } = await opened(t);
  const call = settled(session.set('/1', Buffer.from(''), null));
  const suspended = until(session, 'suspended');
  connection.reply((await connection.request(op.set)).xid, -118);
  t.match(await call, { code: 'MILLRACE_STORE_UNAVAILABLE', message: /SESSION_MOVED/ });
  await suspended;
  await again(clock, server);
});

void t.test('close ends the session at whatever moment it comes', async (t) => {
  const connected = await opened(t);
  const before = connected.session.get('/before');
  const closing = connected.session.end();
  connected.connection.reply((await connected.connection.request(op.get)).xid, 0, dataReply('b'));
  t.equal(Buffer.from((await before).data).toString(), 'b', 'what was asked for before is answered');
  connected.connection.reply((await connected.connection.request(op.close)).xid);
  t.equal(await closing, 'closed');
  t.strictSame(connected.events, ['closed']);

  const suspended = await opened(t);
  const gone = until(suspended.session, 'suspended');
  suspended.connection.socket.destroy();
  await gone;
  const late = suspended.session.end();
  const second = await again(suspended.clock, suspended.server);
  await second.request(op.close);
  const told = suspended.log.length;
  // Lost on the way: asked for again, and the ensemble does not know the session any more.
  second.socket.destroy();
  while (suspended.log.length === told) await pass(suspended.clock, 0);
  await again(suspended.clock, suspended.server, 0, 0n);
  t.equal(await late, 'gone');

  const silent = await opened(t);
  const never = silent.session.close();
  await silent.connection.request(op.close);
  await pass(silent.clock, 5100);
  await never;
  await silent.connection.closed;
  t.match(silent.log.join(), /no server confirmed the end of session "0x1": .* up to 6000 ms/);
});

void t.test('an opening that is given up leaves nothing behind', async (t) => {
  const clock = new VirtualClock();
  const server = await FakeServer.start(t);
  const store = storeAt(`${server.address}/chroot`, clock, []);
  t.equal(await settled(store.connect({ signal: AbortSignal.abort('never') })), 'never');
  const controller = new AbortController();
  const connecting = settled(store.connect({ signal: controller.signal }));
  await (await server.connection()).greeting();
  controller.abort('given up');
  t.equal(await connecting, 'given up');

  const refused = settled(store.connect());
  const connection = await server.greeted();
  connection.reply((await connection.request(op.exists)).xid, -101);
  connection.reply((await connection.request(op.create)).xid, -102);
  connection.reply((await connection.request(op.close)).xid);
  t.match(await refused, { code: 'MILLRACE_STORE_FORBIDDEN', message: /create node "\/chroot"/ });
});

void t.test('calls without a reply are bounded, and so are their bytes and each packet', async (t) => {
  const { session } = await opened(t);
  const tiny = Array.from({ length: 20_000 }, () => ({ type: 'check', path: '/', version: 0 }) as const);
  const many = Array.from({ length: 3 }, () => tiny).flat();
  t.match(await settled(session.multi(many)), { code: 'MILLRACE_STORE_TOO_LARGE' });
  const large = new Uint8Array(500_000);
  const bytes = Array.from({ length: 140 }, () => settled(session.set('/big', large, null)));
  t.match(await bytes.at(-1), { code: 'MILLRACE_STORE_TOO_MANY', message: /bytes of calls/ });

  const other = await opened(t);
  const calls = Array.from({ length: STORE_CALLS_MAX + 1 }, () => settled(other.session.exists('/')));
  t.match(await calls.at(-1), { code: 'MILLRACE_STORE_TOO_MANY', message: /10000 calls/ });
});

void t.test('somebody else ends a session with its id and password', async (t) => {
  const { session, server, store, clock, connection } = await opened(t);
  t.match(session.password, /^(07){16}$/);
  const ending = store.endSession(session.id, session.password);
  const other = await server.connection();
  t.match(await other.greeting(), { sessionId: longOf(1n), passwd: Buffer.alloc(16, 7) });
  other.greet(6000);
  other.reply((await other.request(op.close)).xid);
  t.equal(await ending, 'closed');
  const unknown = store.endSession('0xffffffffffffffff', '00');
  const third = await server.connection();
  t.match(await third.greeting(), { sessionId: longOf(-1n) });
  third.greet(0);
  t.equal(await unknown, 'gone');
  const unanswered = store.endSession('0x1', '00', 100);
  await pass(clock, 100);
  t.equal(await unanswered, 'unconfirmed');
  for (const id of ['1', '0x0', '0x0000']) {
    const refused = { code: 'MILLRACE_ZOOKEEPER_OPTION', message: new RegExp(`"${id}"`) };
    await t.rejects(store.endSession(id, '', 100), refused);
  }
  connection.socket.destroy();
});

void t.test('options that cannot be are told before anything is dialled', async (t) => {
  const servers = '127.0.0.1:1';
  for (const sessionTimeoutMs of [0, 1.5, NaN, 600_001]) {
    t.throws(() => new ZookeeperStore({ servers, sessionTimeoutMs }), {
      code: 'MILLRACE_ZOOKEEPER_OPTION',
      message: /"sessionTimeoutMs"/,
    });
  }
  t.throws(() => new ZookeeperStore({ servers, tls: { cert: 'no certificate' } }), {
    code: 'MILLRACE_ZOOKEEPER_OPTION',
  });
  t.throws(() => new ZookeeperStore({ servers, credentials: [{ user: 'a:b', password: '' }] }), {
    code: 'MILLRACE_STORE_CREDENTIALS',
  });
  t.throws(() => new ZookeeperStore({ servers, access: [] }), { code: 'MILLRACE_STORE_ACCESS' });
  t.throws(() => new ZookeeperStore({ servers: ':' }), { code: 'MILLRACE_ZOOKEEPER_CONNECT_STRING' });
});

void t.test('what was told is not kept', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { clock, connection, session } = await opened(t);
  const told: WeakRef<StoreNode>[] = [];
  const watch = session.watchNode('/large', (node) => told.push(new WeakRef(node!)));
  connection.reply((await connection.request(op.get)).xid, 0, dataReply('x'.repeat(10_000)));
  // What a weak reference was made of stays until the turn ends.
  while (told.length === 0) await pass(clock, 0);
  await pass(clock, 0);
  collect();
  t.equal(told[0]!.deref(), undefined);
  watch.close();
});

void t.test('a transaction whose errors say nothing went wrong cannot be read', async (t) => {
  const { connection, session } = await opened(t);
  const call = settled(session.multi([{ type: 'check', path: '/', version: 0 }]));
  const { xid } = await connection.request(op.multi);
  const error = [protocolRecord('MultiHeader', -1, false, 0), protocolRecord('ErrorResponse', 0)];
  const header = protocolRecord('ReplyHeader', xid, longOf(1n), 0);
  connection.send(header, ...error, protocolRecord('MultiHeader', -1, true, -1));
  t.match(await call, { code: 'MILLRACE_STORE_UNCERTAIN', message: /a failed transaction without its error/ });
});
