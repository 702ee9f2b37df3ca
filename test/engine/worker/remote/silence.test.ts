// A peer that is cut off without a word, and one that is only held up: what is noticed, and when. The lead's end is on
// virtual time; the other end says what the test says, over a real socket.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { RealClock, VirtualClock, type Clock } from '../../../../engine/clock.js';
import { pack } from '../../../../engine/codec/pack.js';
import { HOST_AWAY_MS, MEMBER_BEAT_MS, MEMBER_SILENT_BEATS_MAX } from '../../../../engine/limits.js';
import type { WorkerInit } from '../../../../engine/worker/messages.js';
import type { MemberSocket } from '../../../../engine/worker/remote/door.js';
import { MemberDesk } from '../../../../engine/worker/remote/member-desk.js';
import type { LeadToMember, MemberToLead } from '../../../../engine/worker/remote/messages.js';
import { MessageSocket } from '../../../../engine/worker/remote/message-socket.js';
import { LeadWords } from '../../../../engine/worker/remote/shared-words.js';

const BREAKS_MS = MEMBER_BEAT_MS * (MEMBER_SILENT_BEATS_MAX + 1);

interface Ends {
  readonly lead: MemberSocket;
  readonly closed: readonly string[];
  /** The member says that it is there, and the lead has heard it. */
  beat(): Promise<void>;
}

async function ends(t: Test, clock: Clock, lost: (reason: string) => void = () => undefined): Promise<Ends> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const member = connect((server.address() as AddressInfo).port, '127.0.0.1');
  member.on('error', () => undefined);
  const socket = await accepted;
  const closed: string[] = [];
  const receiver = {
    message: () => undefined,
    closed: (reason: string) => {
      closed.push(reason);
      lost(reason);
    },
  };
  const lead = new MessageSocket<MemberToLead, LeadToMember>(socket, clock, { type: 'beat' }, receiver);
  t.teardown(() => {
    member.destroy();
    socket.destroy();
    server.close();
  });
  const beat = async (): Promise<void> => {
    const heard = new Promise((resolve) => socket.once('data', resolve));
    const packed = pack({ type: 'beat' });
    const head = Buffer.alloc(4);
    head.writeUInt32LE(packed.length);
    member.write(Buffer.concat([head, packed]));
    await heard;
  };
  return { lead, closed, beat };
}

function pass(clock: VirtualClock, ms: number): void {
  const untilMs = clock.now() + ms;
  while (clock.step(untilMs));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

t.test('a silent cut is noticed after two seconds, and a pause of one second is none', async (t) => {
  const clock = new VirtualClock();
  const { closed, beat, lead } = await ends(t, clock);
  for (let round = 0; round < 5; round++) {
    pass(clock, 1_000);
    t.equal(lead.quietMs, 1_000);
    await beat();
    t.equal(lead.quietMs, 0);
  }
  pass(clock, BREAKS_MS - 1);
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(closed, []);
  pass(clock, 1);
  await until(() => closed.length > 0);
  t.strictSame(closed, ['nothing was heard for 2 s']);
});

t.test('a member that is cut off is away three seconds after it was heard last', async (t) => {
  const clock = new VirtualClock();
  const away: boolean[] = [];
  const onAway = (isAway: boolean): void => void away.push(isAway);
  const about = { name: 'b', words: new LeadWords(), clock, say: () => undefined, onAway };
  const desk = new MemberDesk({ ...about, awayMs: HOST_AWAY_MS, comingMs: 10 * HOST_AWAY_MS });
  t.teardown(() => desk.end());
  const { lead, closed, beat } = await ends(t, clock, (reason) => desk.lost(lead, reason));
  desk.joined(lead);
  const handle = desk.start(worker());
  await beat();
  pass(clock, BREAKS_MS);
  await until(() => closed.length > 0);
  t.match(await handle.ended, /nothing was heard for 2 s/);
  // The next one in its place waits for the member.
  desk.start(worker());
  pass(clock, HOST_AWAY_MS - BREAKS_MS - 1);
  t.strictSame(away, [false], 'it was there');
  pass(clock, 1);
  t.strictSame(away, [false, true]);
});

/** The init of a worker, as far as a desk looks at it. */
function worker(): WorkerInit {
  const { port2 } = new MessageChannel();
  const init = { control: port2, instrument: null, counters: [], backlog: new SharedArrayBuffer(4) };
  return init as unknown as WorkerInit;
}

t.test('an event loop that is held up itself takes nobody for silent', async (t) => {
  const { closed, beat, lead } = await ends(t, new RealClock());
  await beat();
  const beganMs = performance.now();
  while (performance.now() - beganMs < BREAKS_MS + 2 * MEMBER_BEAT_MS);
  t.ok(lead.silentMs > BREAKS_MS, 'so much time has passed');
  // What was due meanwhile happens, and what came is read.
  await new Promise((resolve) => setTimeout(resolve, 0));
  t.ok(lead.quietMs <= 2 * MEMBER_BEAT_MS, `${lead.quietMs} ms`);
  t.strictSame(closed, []);
});
