// Who comes in by a door and who does not: members of several runs, those who ask, strangers, and too many of them.

import { connect, type Socket } from 'node:net';
import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { PROTOCOL_VERSION } from '../../../../engine/codec/data-frame.js';
import { MEMBER_GREETING_MS, MEMBERS_MAX } from '../../../../engine/limits.js';
import { dial } from '../../../../engine/link/tcp/secure.js';
import type { TcpAddress } from '../../../../engine/link/tcp/tcp-wire.js';
import { Door, enterToAsk, enterToJoin, type Hosting } from '../../../../engine/worker/remote/door.js';
import type { LeadToMember, MemberToLead } from '../../../../engine/worker/remote/messages.js';
import { MessageSocket } from '../../../../engine/worker/remote/message-socket.js';
import { identity, stranger } from '../../link/tcp/certificates.js';

const SECRET = 'a secret of the test';

interface OpenDoor {
  readonly door: Door;
  readonly clock: VirtualClock;
  readonly address: TcpAddress;
  readonly asked: Socket[];
}

async function openDoor(t: { teardown(call: () => void): void }, answers = true): Promise<OpenDoor> {
  const clock = new VirtualClock();
  const asked: Socket[] = [];
  const take = answers ? { asked: (socket: Socket) => void asked.push(socket) } : {};
  const door = new Door({ host: '127.0.0.1', ports: null, secret: SECRET, tls: null, clock, ...take });
  t.teardown(() => door.close());
  return { door, clock, address: await door.listen(), asked };
}

function socketTo(address: TcpAddress): Socket {
  const socket = connect(address);
  socket.on('error', () => undefined);
  return socket;
}

/** What a hello begins with. */
function magic(): Buffer {
  return Buffer.of(0x4b, 0x4c, 0x52, 0x4d);
}

const closeOf = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
};

/** A run that keeps who joined it. */
function runOf(joined: string[]): Hosting {
  return {
    join: (member, name) => {
      joined.push(name);
      member.send({ type: 'welcome' });
      return { heard: () => undefined, lost: (reason) => joined.push(`${name} lost: ${reason}`) };
    },
  };
}

/** Joins, and gives the first answer. */
async function join(address: TcpAddress, clock: VirtualClock, run: string): Promise<LeadToMember> {
  const socket = socketTo(address);
  t.equal(await enterToJoin(socket, SECRET), 'greeted');
  return await new Promise((resolve) => {
    const messages = new MessageSocket<LeadToMember, MemberToLead>(
      socket,
      clock,
      { type: 'beat' },
      { message: resolve, closed: () => undefined },
    );
    messages.send({ type: 'join', run, name: 'b', hash: 'h' });
  }).then((answer) => {
    socket.destroy();
    return answer as LeadToMember;
  });
}

t.test('one door lets members into many runs', async (t) => {
  const { door, clock, address } = await openDoor(t);
  const [first, second]: [string[], string[]] = [[], []];
  const run = runOf(first);
  door.open('one', run);
  door.open('two', runOf(second));
  t.match(await join(address, clock, 'one'), { type: 'welcome' });
  t.match(await join(address, clock, 'two'), { type: 'welcome' });
  t.match(await join(address, clock, 'three'), { type: 'refused', error: { code: 'MILLRACE_MEMBER_RUN' } });
  door.shut('one', runOf([]));
  t.match(await join(address, clock, 'one'), { type: 'welcome' }, 'shut by who had it before: nothing changes');
  door.shut('one', run);
  t.match(await join(address, clock, 'one'), { type: 'refused', error: { code: 'MILLRACE_MEMBER_RUN' } });
  t.match(second, ['b', /^b lost/]);
});

t.test('who wants to ask gets the socket, once it belongs to who answers', async (t) => {
  const { address, asked } = await openDoor(t);
  const socket = socketTo(address);
  t.equal(await enterToAsk(socket, SECRET), 'greeted');
  socket.write('question');
  const taken = asked[0]!;
  const heard = await new Promise((resolve) => taken.once('data', (bytes: Buffer) => resolve(bytes.toString())));
  t.equal(heard, 'question', 'no byte of it was read before');
  taken.destroy();
  await closeOf(socket);
});

t.test('a door at which nobody answers, a wrong secret, and something that is wanted by nobody', async (t) => {
  const { address } = await openDoor(t, false);
  t.equal(await enterToAsk(socketTo(address), SECRET), 'refused');
  t.equal(await enterToAsk(socketTo(address), 'another secret'), 'stranger');
  const odd = socketTo(address);
  const before = odd.write.bind(odd);
  let count = 0;
  // The byte behind the proof is one that means nothing.
  odd.write = (bytes: Uint8Array) => before(count++ === 2 ? Buffer.of(9) : bytes);
  t.equal(await enterToJoin(odd, SECRET), 'greeted');
  odd.resume();
  await closeOf(odd);
});

t.test('who does not belong here is told of, and who only connects is not', async (t) => {
  const told: string[] = [];
  const refused = (address: string, reason: string): void => void told.push(`${address}: ${reason}`);
  const about = { host: '127.0.0.1', ports: null, clock: new VirtualClock(), refused };
  const door = new Door({ ...about, secret: SECRET, tls: null });
  const guarded = new Door({ ...about, secret: SECRET, tls: identity });
  t.teardown(() => [door, guarded].forEach((each) => each.close()));
  const [address, guardedAddress] = await Promise.all([door.listen(), guarded.listen()]);
  const until = async (count: number): Promise<void> => {
    while (told.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  const silent = socketTo(address).resume();
  await new Promise((resolve) => silent.once('connect', resolve));
  silent.end();
  await closeOf(silent);
  const wrong = socketTo(address);
  t.equal(await enterToAsk(wrong, 'another secret'), 'stranger');
  wrong.destroy();
  await until(1);
  // The version stands behind four bytes.
  const newer = socketTo(address).resume();
  newer.write(Buffer.concat([magic(), Buffer.of(77, 0, 0, 0), Buffer.alloc(16)]));
  await until(2);
  const odd = socketTo(address).resume();
  odd.write('GET / HTTP/1.1\r\n\r\nand some more');
  await until(3);
  const plain = socketTo(guardedAddress).resume();
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await until(4);
  const other = dial({ ...stranger, ca: identity.ca }, guardedAddress);
  other.on('error', () => undefined).resume();
  await until(5);
  t.strictSame(told, [
    '127.0.0.1: it does not know the secret of this cluster, and left',
    `127.0.0.1: it speaks protocol 77, and this host ${PROTOCOL_VERSION}`,
    '127.0.0.1: it is no host, or does not know the secret of this cluster',
    '127.0.0.1: it has no certificate of the authority of this cluster',
    '127.0.0.1: it has no certificate of the authority of this cluster',
  ]);
  const friend = dial(identity, guardedAddress);
  t.equal(await enterToAsk(friend, SECRET), 'refused', 'it belongs here, though nobody answers');
  for (const socket of [newer, odd, plain, other, friend]) socket.destroy();
  await Promise.all([newer, odd, plain, other, friend].map(closeOf));
  t.equal(told.length, 5);
});

t.test('strangers are few, and not for long', async (t) => {
  const { address, clock } = await openDoor(t);
  const first = socketTo(address).resume();
  const others = Array.from({ length: MEMBERS_MAX }, () => socketTo(address).resume());
  await closeOf(first);
  t.equal(others.filter(({ destroyed }) => destroyed).length, 0, 'the oldest made room');
  const untilMs = clock.now() + MEMBER_GREETING_MS;
  while (clock.step(untilMs));
  await Promise.all(others.map(closeOf));
});

t.test('a door that is closed lets nobody in', async (t) => {
  const { door, address } = await openDoor(t);
  const socket = socketTo(address).resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  door.close();
  await closeOf(socket);
  t.equal(await enterToAsk(socketTo(address), SECRET), 'closed');
});
