// Who comes in by a door and who does not: members of several runs, those who ask, strangers, and too many of them.

import { connect, type Socket } from 'node:net';
import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { MEMBER_GREETING_MS, MEMBERS_MAX } from '../../../../engine/limits.js';
import type { TcpAddress } from '../../../../engine/link/tcp/tcp-wire.js';
import { Door, enterToAsk, enterToJoin, type Hosting } from '../../../../engine/worker/remote/door.js';
import type { LeadToMember, MemberToLead } from '../../../../engine/worker/remote/messages.js';
import { MessageSocket } from '../../../../engine/worker/remote/message-socket.js';

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
