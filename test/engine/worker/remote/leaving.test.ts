// A member that is to have no workers any more is waited for as long as it says something, and no longer.

import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { MEMBER_LEAVING_SILENT_MS } from '../../../../engine/limits.js';
import type { MemberSocket } from '../../../../engine/worker/remote/door.js';
import { MemberDesk } from '../../../../engine/worker/remote/member-desk.js';
import { LeadWords } from '../../../../engine/worker/remote/shared-words.js';

/** A member on virtual time, which says nothing when it is stopped. */
function member(clock: VirtualClock): {
  readonly desk: MemberDesk;
  readonly socket: { silentMs: number; broken: string[] };
} {
  const socket = {
    silentMs: 0,
    broken: [] as string[],
    send: () => undefined,
    break: (reason: string) => void socket.broken.push(reason),
  };
  const about = { name: 'b', words: new LeadWords(), say: () => undefined, awayMs: 5_000, comingMs: 5_000 };
  const desk = new MemberDesk({ ...about, clock });
  desk.joined(socket as unknown as MemberSocket);
  return { desk, socket };
}

function pass(clock: VirtualClock, ms: number): void {
  const untilMs = clock.now() + ms;
  while (clock.step(untilMs));
}

t.test('one that is silent is given up at once', (t) => {
  const { desk, socket } = member(new VirtualClock());
  socket.silentMs = MEMBER_LEAVING_SILENT_MS;
  desk.stays(true);
  t.strictSame(socket.broken, [], 'not while it has workers');
  desk.stays(false);
  t.equal(socket.broken.length, 1);
  t.end();
});

t.test('one that talks is looked at again, unless it is given workers before', (t) => {
  const clock = new VirtualClock();
  const { desk, socket } = member(clock);
  desk.stays(false);
  pass(clock, MEMBER_LEAVING_SILENT_MS);
  t.strictSame(socket.broken, [], 'it talks');
  desk.stays(true);
  socket.silentMs = MEMBER_LEAVING_SILENT_MS;
  pass(clock, 2 * MEMBER_LEAVING_SILENT_MS);
  t.strictSame(socket.broken, [], 'it has workers again');
  desk.stays(false);
  t.equal(socket.broken.length, 1);
  t.end();
});
