// What a session makes of its times when they meet: deadlines that pass while the thread was busy and the answer had
// come, ends that nobody confirms, and steps of an opening that fail. Against a server that says what it is told to.

import { Socket } from 'node:net';
import t from 'tap';
import { Connector } from '../../../../coordination/store/zookeeper/connector.js';
import type { Dialled } from '../../../../coordination/store/zookeeper/dial.js';
import type { ZookeeperSession } from '../../../../coordination/store/zookeeper/zookeeper-session.js';
import { VirtualClock, type Timer } from '../../../../engine/clock.js';
import { DURATION_MAX_MS } from '../../../../engine/limits.js';
import { silentLogger } from '../../../../engine/log.js';
import { Random } from '../../../../engine/random.js';
import { FakeServer } from './fake-server.js';
import { again, op, opened, pass, settled, storeAt } from './fake-session.js';

void t.test('an opening that fails does not wait for the end of its session', async (t) => {
  const clock = new VirtualClock();
  const server = await FakeServer.start(t);
  const store = storeAt(`${server.address}/chroot`, clock, []);
  let over = false;
  const refused = settled(store.connect()).finally(() => (over = true));
  const connection = await server.greeted();
  connection.reply((await connection.request(op.exists)).xid, -102);
  const end = await connection.request(op.close);
  await pass(clock, 0);
  t.ok(over, 'before anybody has confirmed the end');
  t.match(await refused, { code: 'MILLRACE_STORE_FORBIDDEN' });
  connection.reply(end.xid);
  await connection.closed;
});

void t.test('of a name with several addresses, what is wrong with each is told', async (t) => {
  const clock = new VirtualClock();
  const dialler = (): Dialled => {
    const socket = new Socket();
    const refused = ['::1:2181', '127.0.0.1:2181'].map((address) => new Error(`connect ECONNREFUSED ${address}`));
    socket.destroy(new AggregateError(refused));
    return { socket, ready: 'connect' };
  };
  const servers = [{ host: 'localhost', port: 2181 }];
  const random = new Random(1);
  const connector = new Connector(
    { servers, dialler, sessionTimeoutMs: 6000, credentials: [], clock, random, logger: silentLogger },
    {
      suspended: () => undefined,
      reconnected: () => undefined,
      lost: () => undefined,
      event: () => undefined,
      watches: () => [],
    },
  );
  const opening = settled(connector.open(10, undefined));
  await pass(clock, 10);
  t.match(await opening, {
    code: 'MILLRACE_STORE_UNAVAILABLE',
    message: /localhost:2181: connect ECONNREFUSED ::1:2181; connect ECONNREFUSED 127\.0\.0\.1:2181/,
  });
});

void t.test('what has arrived while the thread was busy is in time', async (t) => {
  for (const { timeoutMs, busyMs } of [
    { timeoutMs: 10_000, busyMs: 2000 },
    { timeoutMs: 500, busyMs: 600 },
  ]) {
    const clock = new VirtualClock();
    const server = await FakeServer.start(t);
    const log: string[] = [];
    let outcome: unknown = null;
    const connecting = settled(storeAt(server.address, clock, log).connect({ timeoutMs }));
    void connecting.then((value) => (outcome = value));
    const connection = await server.connection();
    await connection.greeting();
    // From here to the end of the turn the client reads nothing.
    await pass(clock, 0);
    connection.greet(20_000);
    busy(clock, busyMs);
    while (outcome === null && log.length === 0) await pass(clock, 0);
    t.strictSame(log, [], 'the greeting was');
    t.match(outcome, { id: '0x1', state: 'connected' }, `with ${timeoutMs} ms`);
    const session = outcome as ZookeeperSession;
    const ending = session.end(100);
    const { xid } = await connection.request(op.close);
    await pass(clock, 0);
    connection.reply(xid);
    busy(clock, 200);
    t.equal(await ending, 'closed', 'and so was the confirmation of the end');
  }
});

/** A long turn of the thread: all timers that became due meanwhile come before anything is read. */
function busy(clock: VirtualClock, ms: number): void {
  const endMs = clock.now() + ms;
  while (clock.step(endMs));
}

void t.test('an end that is refused is asked for again', async (t) => {
  const { clock, server, connection, session, log } = await opened(t);
  const ending = session.end();
  connection.reply((await connection.request(op.close)).xid, -5);
  await connection.closed;
  t.match(log.join(), /the server refused the end of the session with error -5 \(MARSHALLING_ERROR\)/);
  const next = await again(clock, server);
  next.reply((await next.request(op.close)).xid);
  t.equal(await ending, 'closed');
});

void t.test('an end may have any time, and no timer more than it can take', async (t) => {
  const delaysMs: number[] = [];
  const clock = new (class extends VirtualClock {
    override after(delayMs: number, call: () => void): Timer {
      delaysMs.push(delayMs);
      return super.after(delayMs, call);
    }
  })();
  const server = await FakeServer.start(t);
  const ending = storeAt(server.address, clock, []).endSession('0x1', '00', Infinity);
  await server.greeted(0, 0n);
  t.equal(await ending, 'gone');
  t.equal(Math.max(...delaysMs), DURATION_MAX_MS);
});
