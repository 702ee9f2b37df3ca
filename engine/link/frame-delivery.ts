// Puts what a data frame brought into the mailboxes of this worker: one batch for each segment, still packed. Runs on
// the worker's thread, once for each frame.

import type { AckTarget } from '../ack/ack-target.js';
import {
  IN_COLUMNS,
  LEDGER_INTS,
  SEGMENT_END,
  SEGMENT_INTS,
  SEGMENT_MARK,
  SEGMENT_TEXTS,
  trackIntsOf,
} from '../codec/data-frame.js';
import type { DataFrame } from '../codec/data-frame.js';
import type { ReceivedTexts } from '../codec/text-dictionary.js';
import { invalidFrame } from '../codec/invalid-frame.js';
import { InboundBatch, type Tracks } from '../task/inbound-batch.js';
import type { InboundChannel } from './inbound-channel.js';
import type { LinkHost } from './link-host.js';

const TWO_32 = 4294967296;
/** What is packed of one byte of an estimate at most: text of three bytes a character, and a margin … */
const PACKED_PER_BYTE = 4;
/** … and for each row, which no estimate counts. */
const PACKED_PER_TUPLE = 16;
/** A segment keeps its frame in memory when it is at least one part in so many of it; a smaller one is copied out. */
const KEPT_SHARE = 2;

/**
 * Delivers every segment of a frame, in order; first it is looked whether all of them can be.
 *
 * @param channelFrom - throws when there is no such channel
 * @param admit - throws when there is no credit for it
 * @param texts - the dictionary of the link
 * @throws MILLRACE_FRAME_INVALID; nothing is delivered then
 */
export function deliverFrame(
  frame: DataFrame,
  host: LinkHost,
  channelFrom: (sourceTask: number, targetTask: number) => InboundChannel,
  admit: (channel: InboundChannel, tuples: number, bytes: number) => void,
  texts: ReceivedTexts,
): void {
  const { segments, payload } = frame;
  checkChannels(segments, channelFrom, admit);
  addTexts(frame, texts);
  const tracks = tracksOf(frame, host);
  let trackAt = 0;
  let payloadAt = 0;
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    const source = segments[at]!;
    const target = segments[at + 1]!;
    const kind = segments[at + 2]!;
    if (kind === SEGMENT_END) {
      host.receiveEnd(source, target, segments[at + 3]!);
      continue;
    }
    if (kind === SEGMENT_MARK) {
      host.receiveMark(source, target, segments[at + 3]!);
      continue;
    }
    if (kind === SEGMENT_TEXTS) {
      payloadAt += segments[at + 6]!;
      continue;
    }
    const count = segments[at + 4]!;
    const bytes = segments[at + 6]!;
    const trackInts = trackIntsOf(kind, count, tracks.ints.subarray(trackAt));
    let rows = payload.subarray(payloadAt, (payloadAt += bytes));
    let ints = tracks.ints.subarray(trackAt, (trackAt += trackInts));
    if ((bytes + 4 * trackInts) * KEPT_SHARE < payload.buffer.byteLength) {
      // What waits must not keep all of its frame: that would be far more than its credit paid for.
      rows = rows.slice();
      ints = ints.slice();
    }
    const channel = channelFrom(source, target);
    channel.received(count, segments[at + 5]!);
    const origin = channel.origins[segments[at + 3]!]!;
    const own = trackInts > 0 ? { ...tracks, ints } : null;
    const inColumns = (kind & IN_COLUMNS) !== 0;
    const batch = new InboundBatch(origin, count, rows, own, inColumns ? texts.texts : null);
    if (inColumns) texts.usedBy(batch);
    host.receive(target, batch);
  }
}

/** Segments name channels of the topology, and streams that their sources have, and keep to their credit. */
function checkChannels(
  segments: Int32Array,
  channelFrom: (sourceTask: number, targetTask: number) => InboundChannel,
  admit: (channel: InboundChannel, tuples: number, bytes: number) => void,
): void {
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    if (segments[at + 2] === SEGMENT_TEXTS) continue;
    const channel = channelFrom(segments[at]!, segments[at + 1]!);
    const kind = segments[at + 2]!;
    const stream = segments[at + 3]!;
    if (kind === SEGMENT_END || kind === SEGMENT_MARK) continue;
    if (stream >= channel.origins.length) {
      throw invalidFrame(`task ${channel.sourceTask} has no stream ${stream}`);
    }
    const tuples = segments[at + 4]!;
    const bytes = segments[at + 5]!;
    if (segments[at + 6]! > PACKED_PER_BYTE * bytes + PACKED_PER_TUPLE * (tuples + 1)) {
      throw invalidFrame('a segment has far more bytes than it says');
    }
    admit(channel, tuples, bytes);
  }
}

/** Takes what a frame adds to the dictionary before anything of it is unpacked. */
function addTexts({ segments, payload }: DataFrame, texts: ReceivedTexts): void {
  let payloadAt = 0;
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    const kind = segments[at + 2]!;
    if (kind === SEGMENT_END || kind === SEGMENT_MARK) continue;
    const packed = payload.subarray(payloadAt, (payloadAt += segments[at + 6]!));
    if (kind === SEGMENT_TEXTS) texts.add(segments[at + 3]!, segments[at + 5]!, segments[at + 4]!, packed);
  }
}

function tracksOf({ ledgers, tracks }: DataFrame, host: LinkHost): Tracks {
  const targets: (AckTarget | null)[] = [];
  const bases: number[] = [];
  for (let at = 0; at < ledgers.length; at += LEDGER_INTS) {
    targets.push(host.ledgerOf(ledgers[at]!, ledgers[at + 1]!));
    bases.push(ledgers[at + 2]! * TWO_32 + (ledgers[at + 3]! >>> 0));
  }
  return { ints: tracks, ledgers: targets, bases };
}
