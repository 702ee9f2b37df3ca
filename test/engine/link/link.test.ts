// Links with credit: order, nothing lost or doubled, bounds, no sender left waiting, acks and ends apart from data.

import fc from 'fast-check';
import t from 'tap';
import type { AckTarget } from '../../../engine/ack/ack-target.js';
import { RemoteLedger } from '../../../engine/ack/remote-ledger.js';
import { ControlFrameWriter } from '../../../engine/codec/control-frame.js';
import { isMillraceError } from '../../../engine/errors.js';
import { FRAME_BYTES_MAX, LOAD_TOLD_MS, type RuntimeLimits } from '../../../engine/limits.js';
import type { InboundBatch } from '../../../engine/task/inbound-batch.js';
import type { Frame } from '../../../engine/link/wire.js';
import type { OutboundChannel } from '../../../engine/link/outbound-channel.js';
import { FakeSender, linkPair, numbersOf, push, settleTurns, turnIfAsked, type LinkPair } from './fakes.js';

const tiny = fc.record({
  batchTuplesMax: fc.integer({ min: 1, max: 6 }),
  batchBytesMax: fc.integer({ min: 10, max: 80 }),
  channelReserveTuples: fc.integer({ min: 0, max: 4 }),
  channelReserveBytes: fc.integer({ min: 0, max: 60 }),
  linkSharedTuples: fc.integer({ min: 0, max: 12 }),
  linkSharedBytes: fc.integer({ min: 0, max: 200 }),
});

const CHANNELS = 4;
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      at: fc.nat(CHANNELS - 1),
      stream: fc.nat(1),
      bytes: fc.integer({ min: 1, max: 120 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'receiverTurn' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('data' as const, 'control' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      at: fc.nat(CHANNELS - 1),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat(CHANNELS - 1) }) },
);

/** Reads what the credit has counted, to compare it with the channels. */
function usedOf(pair: LinkPair): { readonly usedTuples: number; readonly usedBytes: number } {
  return (pair.link as unknown as { credit: { usedTuples: number; usedBytes: number } }).credit;
}

function checkCredit(
  pair: LinkPair,
  channels: readonly OutboundChannel[],
  limits: Partial<RuntimeLimits>,
  largest: number,
): void {
  const {
    channelReserveTuples: rt = 0,
    channelReserveBytes: rb = 0,
    linkSharedTuples = 0,
    linkSharedBytes = 0,
  } = limits;
  let tuples = 0;
  let bytes = 0;
  let tuplesBeyond = 0;
  let bytesBeyond = 0;
  for (const { outstandingTuples, outstandingBytes } of channels) {
    if (outstandingTuples < 0 || outstandingBytes < 0) throw new Error('negative outstanding');
    if (outstandingTuples === 0 && outstandingBytes !== 0) throw new Error('bytes are under way without tuples');
    tuples += outstandingTuples;
    bytes += outstandingBytes;
    tuplesBeyond += Math.max(0, outstandingTuples - rt);
    bytesBeyond += Math.max(0, outstandingBytes - rb);
  }
  const { usedTuples, usedBytes } = usedOf(pair);
  if (usedTuples !== tuplesBeyond || usedBytes !== bytesBeyond) throw new Error('the pool has drifted');
  // A channel with nothing under way may always send one tuple, so that counts like a reserve.
  if (tuples > linkSharedTuples + channels.length * Math.max(rt, 1)) throw new Error(`${tuples} tuples under way`);
  if (bytes > linkSharedBytes + channels.length * Math.max(rb, largest)) throw new Error(`${bytes} bytes under way`);
}

t.test('random traffic with tiny limits: in order, complete, bounded, and everybody gets on in the end', async (t) => {
  const property = fc.property(tiny, fc.array(step, { minLength: 1, maxLength: 150 }), (limits, steps) => {
    const pair = linkPair(limits);
    const senders = Array.from({ length: CHANNELS }, () => new FakeSender());
    const channels = senders.map((sender, at) => pair.link.channelTo(at, 10 + at, sender));
    const pushed: number[][] = channels.map(() => []);
    const ended: number[] = channels.map(() => 0);
    let largest = 0;
    let next = 0;
    const check = (): void => checkCredit(pair, channels, limits, largest);
    for (const each of steps) {
      switch (each.do) {
        case 'push':
          if (ended[each.at]! > 0) break;
          largest = Math.max(largest, each.bytes);
          pushed[each.at]!.push(next);
          push(channels[each.at]!, next++, each.bytes, each.stream);
          break;
        case 'end':
          if (ended[each.at]!++ === 0) channels[each.at]!.pushEnd(1);
          break;
        // Only turns that were asked for, as in a worker.
        case 'turn':
          turnIfAsked(pair.sender, pair.link);
          break;
        case 'receiverTurn':
          turnIfAsked(pair.receiver, pair.back);
          break;
        case 'data':
          pair.far.deliverData();
          break;
        case 'control':
          pair.near.deliverControl();
          break;
        case 'take':
          for (let i = 0; i < each.count; i++) pair.receiver.take(10 + each.at);
          break;
      }
      check();
    }
    for (let rounds = 0; ; rounds++) {
      if (rounds > 10_000) throw new Error('it never comes to rest');
      settleTurns(pair);
      check();
      let took = false;
      for (let at = 0; at < CHANNELS; at++) took = pair.receiver.take(10 + at) || took;
      if (!took) break;
    }
    settleTurns(pair);
    check();
    channels.forEach((channel, at) => {
      const numbers = numbersOf(pair.receiver, channel);
      if (numbers.join() !== pushed[at]!.join()) throw new Error(`channel ${at}: ${numbers.join()}`);
      if (channel.waiting > 0 || channel.outstandingTuples !== 0 || channel.outstandingBytes !== 0)
        throw new Error('not empty');
      const all = pair.receiver.received;
      const ends = all.filter((each) => 'endOf' in each && each.endOf === at).length;
      if (ends !== Math.min(1, ended[at]!)) throw new Error(`${ends} ends on channel ${at}`);
      const last = all.findLast((each) =>
        'endOf' in each ? each.endOf === at : 'tuple' in each && each.tuple.task === at,
      );
      if (ends > 0 && last !== undefined && !('endOf' in last)) throw new Error('an end marker overtook a tuple');
      if (senders[at]!.blocked || senders[at]!.twice) throw new Error('a sender is left blocked, or was told twice');
      if ((pair.sender.outbox.get(at) ?? 0) !== 0) throw new Error('the outbox counter has drifted');
    });
    if (pair.link.waiting !== 0 || pair.sender.refused.length + pair.receiver.refused.length > 0)
      throw new Error('left');
    const { usedTuples, usedBytes } = usedOf(pair);
    if (usedTuples !== 0 || usedBytes !== 0) throw new Error('credit was lost');
  });
  fc.assert(property, { numRuns: 400 });
  t.pass('400 runs');
});

t.test('a frame holds no more than a batch, but for a tuple that is larger by itself', async (t) => {
  const pair = linkPair({
    batchTuplesMax: 3,
    batchBytesMax: 100,
    channelReserveTuples: 100,
    channelReserveBytes: 10_000,
  });
  const channel = pair.link.channelTo(0, 10, new FakeSender());
  for (let n = 0; n < 7; n++) push(channel, n, 10);
  t.equal(pair.far.data.length, 2, 'full batches leave at once');
  pair.link.flush();
  t.equal(pair.far.data.length, 3);
  push(channel, 7, 5000);
  push(channel, 8, 10);
  pair.link.flush();
  t.equal(pair.far.data.length, 5, 'the large one went alone');
  settleTurns(pair);
  t.strictSame(numbersOf(pair.receiver, channel), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

t.test('a tuple larger than every limit travels once nothing of its channel is under way', async (t) => {
  const limits = {
    batchBytesMax: 50,
    channelReserveBytes: 10,
    linkSharedBytes: 20,
    channelReserveTuples: 1,
    linkSharedTuples: 2,
  };
  const pair = linkPair(limits);
  const sender = new FakeSender();
  const channel = pair.link.channelTo(0, 10, sender);
  push(channel, 0, 10);
  push(channel, 1, 1_000_000);
  push(channel, 2, 1_000_000);
  settleTurns(pair);
  t.strictSame(numbersOf(pair.receiver, channel), [0]);
  t.ok(sender.blocked);
  pair.receiver.take(10);
  settleTurns(pair);
  t.strictSame(numbersOf(pair.receiver, channel), [0, 1]);
  pair.receiver.take(10);
  settleTurns(pair);
  t.strictSame(numbersOf(pair.receiver, channel), [0, 1, 2]);
  t.notOk(sender.blocked);
});

t.test('C120 a target that takes nothing stops its own senders and nobody else', async (t) => {
  const pair = linkPair({ channelReserveTuples: 2, linkSharedTuples: 8, batchTuplesMax: 4 });
  const stuck = new FakeSender();
  const free = new FakeSender();
  const toStuck = pair.link.channelTo(0, 10, stuck);
  const toFree = pair.link.channelTo(1, 11, free);
  for (let n = 0; n < 100; n++) push(toStuck, n);
  settleTurns(pair);
  t.ok(stuck.blocked);
  t.ok(toStuck.outstandingTuples <= 2 + 4, 'one channel never takes all of the pool');
  for (let n = 0; n < 100; n++) {
    push(toFree, 1000 + n);
    settleTurns(pair);
    pair.receiver.take(11);
  }
  settleTurns(pair);
  t.equal(numbersOf(pair.receiver, toFree).length, 100);
  t.notOk(free.blocked);
  t.ok(stuck.blocked);
});

t.test('what is pushed outside a turn asks for one, also while another channel is held', async (t) => {
  const pair = linkPair({ channelReserveTuples: 1, linkSharedTuples: 0 });
  const held = pair.link.channelTo(0, 10, new FakeSender());
  const open = pair.link.channelTo(1, 11, new FakeSender());
  push(held, 0);
  push(held, 1);
  settleTurns(pair);
  t.equal(held.waiting, 1);
  push(held, 2);
  turnIfAsked(pair.sender, pair.link);
  push(open, 3);
  t.ok(pair.sender.turnRequested, 'or the tuple would lie there until something else happens');
  settleTurns(pair);
  t.strictSame(numbersOf(pair.receiver, open), [3]);
  const ending = pair.link.channelTo(2, 12, new FakeSender());
  push(held, 4);
  turnIfAsked(pair.sender, pair.link);
  ending.pushEnd(0);
  t.ok(pair.sender.turnRequested, 'the same for an end marker');
});

t.test('an end marker of a later revision takes the place of one that still waits', async (t) => {
  const pair = linkPair({ channelReserveTuples: 1, linkSharedTuples: 0 });
  const channel = pair.link.channelTo(0, 10, new FakeSender());
  push(channel, 0);
  push(channel, 1);
  channel.pushEnd(1);
  settleTurns(pair);
  channel.pushEnd(2);
  while (pair.receiver.take(10)) settleTurns(pair);
  t.strictSame(
    pair.receiver.received.filter((each) => 'endOf' in each),
    [{ endOf: 0, revision: 2 }],
  );
});

t.test('close lets go of blocked senders and drops what waits; what a closed link is given goes nowhere', async (t) => {
  const pair = linkPair({ channelReserveTuples: 1, linkSharedTuples: 0 });
  const sender = new FakeSender();
  const channel = pair.link.channelTo(0, 10, sender);
  for (let n = 0; n < 5; n++) push(channel, n);
  settleTurns(pair);
  t.ok(sender.blocked);
  t.equal(pair.sender.outbox.get(0), 4);
  pair.link.close();
  t.notOk(sender.blocked);
  t.equal(channel.waiting, 0);
  t.equal(pair.sender.outbox.get(0), 0, 'the counter of waiting tuples is right again');
  t.ok(pair.near.closed);
  pair.receiver.take(10);
  pair.back.flush();
  pair.near.deliverControl();
  push(channel, 9);
  pair.link.flush();
  t.equal(pair.far.data.length, 0);
  t.notOk(sender.blocked);
});

t.test('tuples of a dead incarnation are dropped, counted, and their credit comes back', async (t) => {
  const pair = linkPair({ channelReserveTuples: 2, linkSharedTuples: 4 });
  const alive: AckTarget = new RemoteLedger(7, 1, pair.back);
  const dead: AckTarget = new RemoteLedger(7, 0, pair.back);
  pair.receiver.ledgers.set('7/1', alive);
  const channel = pair.link.channelTo(0, 10, new FakeSender());
  const root = 2 ** 33 + 5;
  for (let n = 0; n < 30; n++) {
    push(channel, n, 10, 0, n % 3 === 0 ? alive : dead, root + n);
    settleTurns(pair);
    pair.receiver.take(10);
  }
  settleTurns(pair);
  while (pair.receiver.take(10)) settleTurns(pair);
  settleTurns(pair);
  t.equal(pair.receiver.droppedCount, 20);
  const received = pair.receiver.received.flatMap((each) => ('tuple' in each ? [each] : []));
  t.strictSame(
    received.map(({ tuple }) => tuple.values[0]),
    [0, 3, 6, 9, 12, 15, 18, 21, 24, 27],
  );
  for (const { tuple, edgeHi } of received) {
    t.equal(tuple.root?.ledger, alive);
    t.equal(tuple.root!.hi * 2 ** 32 + (tuple.root!.lo >>> 0), root + (tuple.values[0] as number));
    t.equal(edgeHi, tuple.values[0]);
  }
  t.equal(channel.outstandingTuples, 0);
  t.equal(channel.outstandingBytes, 0);
});

t.test('acks, fails and touches travel apart from data, however full the channels are', async (t) => {
  const pair = linkPair({ channelReserveTuples: 1, linkSharedTuples: 0 });
  const ledger = new RemoteLedger(3, 2, pair.link);
  const channel = pair.link.channelTo(0, 10, new FakeSender());
  for (let n = 0; n < 5; n++) push(channel, n);
  ledger.ack(1, -5, 17, 19);
  ledger.ack(1, -5, 17, 0);
  ledger.fail(0, 6);
  ledger.touch(0, 7);
  settleTurns(pair);
  t.strictSame(pair.receiver.acks, [[3, 2, 1, -5, 0, 19]]);
  t.strictSame(pair.receiver.fails, [[3, 2, 0, 6]]);
  t.strictSame(pair.receiver.touches, [[3, 2, 0, 7]]);
  ledger.ack(0, 8, 1, 1);
  ledger.dead = true;
  settleTurns(pair);
  t.equal(pair.receiver.acks.length, 1, 'a dead ledger is not told');
});

t.test('more acks than one frame may hold travel in several', async (t) => {
  const pair = linkPair();
  const ledger = new RemoteLedger(0, 0, pair.link);
  const count = FRAME_BYTES_MAX / 16 + 1000;
  for (let root = 0; root < count; root++) {
    ledger.ack(0, root, root + 1, 1);
    ledger.fail(0, root);
  }
  pair.link.flush();
  t.ok(pair.far.control.every((frame) => frame.byteLength <= FRAME_BYTES_MAX));
  let xor = 0;
  while (pair.far.deliverControl());
  for (const row of pair.receiver.acks) xor ^= row[4]!;
  let expected = 0;
  for (let root = 0; root < count; root++) expected ^= root + 1;
  t.equal(pair.receiver.refused.length, 0);
  t.equal(pair.receiver.acks.length, count);
  t.equal(pair.receiver.fails.length, count);
  t.equal(xor, expected);
});

t.test('frames count on both ends; one that cannot be right ends the link, and nothing of it is used', async (t) => {
  const refusedBy = (spoil: (pair: LinkPair, frame: Frame) => void): LinkPair => {
    const pair = linkPair();
    const channel = pair.link.channelTo(0, 10, new FakeSender());
    push(channel, 1);
    pair.link.flush();
    settleTurns(pair);
    t.strictSame(numbersOf(pair.receiver, channel), [1]);
    push(channel, 2);
    push(channel, 3, 10, 1);
    pair.link.flush();
    spoil(pair, pair.far.data.shift()!);
    settleTurns(pair);
    t.equal(pair.link.sentFrames, 2);
    t.equal(pair.back.receivedFrames, 2);
    t.equal(pair.receiver.refused.length, 1);
    t.ok(pair.receiver.refused.every((error) => isMillraceError(error) && error.code === 'MILLRACE_FRAME_INVALID'));
    t.match(pair.receiver.lost, [/refused/], 'its worker is told once');
    t.ok(pair.far.closed);
    t.strictSame(numbersOf(pair.receiver, channel), [1]);
    return pair;
  };
  const withInt = (frame: Frame, at: number, value: number): Frame => {
    new DataView(frame.buffer).setInt32(at * 4, value, true);
    return frame;
  };
  const firstSegment = 6;
  const secondSegment = firstSegment + 7;
  refusedBy((pair, frame) => pair.far.data.push(frame.slice(0, 30)));
  refusedBy((pair, frame) => pair.far.control.push(frame.slice(0, 24)));
  refusedBy((pair, frame) => pair.far.data.push(withInt(frame, secondSegment, 5000)));
  refusedBy((pair, frame) => pair.far.data.push(withInt(frame, secondSegment + 1, -1)));
  refusedBy((pair, frame) => pair.far.data.push(withInt(frame, secondSegment + 3, 2)));
  refusedBy((pair, frame) => pair.far.data.push(withInt(frame, secondSegment + 2, 7)));
  refusedBy((pair, frame) => pair.far.data.push(withInt(frame, firstSegment + 4, -1)));
});

t.test('a sender knows for a while that the thread of the other end has no time', async (t) => {
  const pair = linkPair();
  const channel = pair.link.channelTo(0, 10, new FakeSender());
  const round = (): void => {
    push(channel, 1);
    settleTurns(pair);
    pair.receiver.take(10);
    settleTurns(pair);
  };
  round();
  t.notOk(channel.saturated);
  pair.receiver.saturated = true;
  round();
  t.ok(channel.saturated);
  pair.sender.nowMs += LOAD_TOLD_MS - 1;
  t.ok(channel.saturated);
  pair.sender.nowMs += 1;
  t.notOk(channel.saturated, 'who hears nothing tries anew');
  round();
  t.ok(channel.saturated);
  pair.receiver.saturated = false;
  round();
  t.notOk(channel.saturated);
});

t.test('credit that was never spent ends the link', async (t) => {
  for (const [source, target, tuples, bytes] of [
    [0, 10, 2, 10],
    [0, 10, 1, 11],
    [0, 11, 0, 0],
  ] as const) {
    const pair = linkPair();
    push(pair.link.channelTo(0, 10, new FakeSender()), 1);
    pair.link.flush();
    const writer = new ControlFrameWriter(() => undefined);
    writer.addCredit(source, target, tuples, bytes);
    pair.near.control.push(writer.finish());
    settleTurns(pair);
    t.match(pair.sender.lost, [/never spent/]);
  }
});

/** Frames of a sender that knows no bounds. */
function floodOf(count: number, bytes: number, value: string): readonly Frame[] {
  const most = 1_000_000_000;
  const pair = linkPair({
    ...{ batchTuplesMax: 3, batchBytesMax: most },
    ...{ channelReserveTuples: most, channelReserveBytes: most, linkSharedTuples: most, linkSharedBytes: most },
  });
  const channel = pair.link.channelTo(0, 10, new FakeSender());
  for (let n = 0; n < count; n++) channel.push([value], 0, null, 0, 0, bytes);
  pair.link.flush();
  return pair.far.data;
}

t.test('who sends more than its credit is cut off, and what came before is all that is held', async (t) => {
  const limits = { channelReserveTuples: 4, channelReserveBytes: 400, linkSharedTuples: 8, linkSharedBytes: 800 };
  for (const [bytes, heldMax] of [
    [10, 12],
    [300, 4],
  ] as const) {
    const pair = linkPair(limits);
    pair.far.data.push(...floodOf(3000, bytes, 'x'));
    settleTurns(pair);
    t.match(pair.receiver.lost, [/task 0 sends task 10 more than it has credit for/]);
    const held = pair.receiver.mailboxes.get(10)!.length;
    t.ok(held <= heldMax, `${held} tuples are held`);
    t.ok(pair.far.closed);
  }
});

t.test('who says that much is little is cut off', async (t) => {
  const pair = linkPair();
  pair.far.data.push(...floodOf(1, 1, 'x'.repeat(10_000)));
  settleTurns(pair);
  t.match(pair.receiver.lost, [/far more bytes than it says/]);
  t.equal(pair.receiver.mailboxes.size, 0);
});

t.test('a few tuples that wait do not keep the frames that brought them', async (t) => {
  const pair = linkPair();
  const kept: InboundBatch[] = [];
  const { receiver } = pair;
  receiver.receive = (task, batch) => void (task === 11 && kept.push(batch));
  const fast = pair.link.channelTo(0, 10, new FakeSender());
  const slow = pair.link.channelTo(0, 11, new FakeSender());
  for (let frame = 0; frame < 20; frame++) {
    for (let n = 0; n < 200; n++) push(fast, n);
    push(slow, frame, 10, 0, new RemoteLedger(7, 1, pair.back), frame);
    pair.link.flush();
    while (pair.far.deliverData());
  }
  const buffers = new Set<ArrayBufferLike>();
  for (const batch of kept) {
    const { payload, tracks } = batch as unknown as { payload: Uint8Array; tracks: { ints: Int32Array } };
    buffers.add(payload.buffer).add(tracks.ints.buffer);
  }
  const bytes = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  t.equal(kept.length, 20);
  t.ok(bytes < 20 * 64, `${bytes} bytes`);
});
