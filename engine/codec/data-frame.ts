// Frames that carry tuples and markers from one worker to another. All integers are 32-bit little-endian.
//
//   frame    = magic|version|kind  segments  ledgers  tracked  payloadBytes  number  ledger*  segment*  track*  payload
//   ledger   = spoutTask  incarnation  baseHi  baseLo        the roots of the tracks below count from this base
//   segment  = sourceTask  targetTask  kind  a  b  c  d      in the order of their channel
//              kind 0: a = stream, b = tuples, c = their estimated bytes, d = bytes of the payload; untracked
//              kind 1: the same; each tuple has a track
//              kind 2: an end marker; a = revision
//              kind 3: the same as 1; a tuple may have several tracks, one for each of its trees
//              kind 4: a hand-over marker; a = revision
//   track    = ledger  offset  edgeHi  edgeLo                offset = root - base of its ledger, unsigned; ledger -1:
//              untracked; in kind 3, ledger = -2 - n: the ledger is n, and the next track is of the same tuple
//   payload  = for each segment of kind 0 and 1 its rows as msgpack: an array of rows, each an array of values
//
// `number` counts the frames of a link. Kinds of segments and columns can be added without changing what stands here; a
// reader refuses kinds that it does not know. Rows come first; columns may follow as a segment kind of their own. Each
// segment is packed by itself, so that its receiver unpacks it when its task gets to it (`readRows`).

import { failure } from '../errors.js';
import { FRAME_BYTES_MAX, PAYLOAD_BYTES_KEPT_MAX } from '../limits.js';
import type { AckTarget } from '../ack/ack-target.js';
import { sequenceOf } from '../ack/ack-target.js';
import { SeveralTrees } from '../ack/several-trees.js';
import type { Root } from '../ack/root.js';
import type { Values } from '../component/tuple.js';
import { OUTBOX_INTS, type Outbox } from './outbox.js';
import { pack, unpack } from './pack.js';

export const PROTOCOL_VERSION = 1;
const MAGIC = 0x4d520000 | (PROTOCOL_VERSION << 8);
export const KIND_DATA = 1;
const HEADER_INTS = 6;
export const LEDGER_INTS = 4;
export const SEGMENT_INTS = 7;
export const TRACK_INTS = 4;
/** What each further tree of a tuple adds to its frame. */
export const TRACK_BYTES = TRACK_INTS * 4;
const OFFSET_END = 4294967296;
/** A writer starts with this much room for packed rows: a usual batch of small tuples. */
const PAYLOAD_BYTES_FIRST = 32 * 1024;

export const SEGMENT_UNTRACKED = 0;
export const SEGMENT_TRACKED = 1;
export const SEGMENT_END = 2;
export const SEGMENT_JOINED = 3;
export const SEGMENT_MARK = 4;
const UNTRACKED = -1;
/** A track whose ledger is this or less is followed by another one of the same tuple. */
const MORE = -2;

/**
 * Gathers segments and makes one frame of them. One writer a link; it is reused, so nothing in it outlives `finish`.
 */
export class DataFrameWriter {
  private ledgers: AckTarget[] = [];
  private bases: number[] = [];
  private segments: number[] = [];
  private tracks = new Int32Array(1024 * TRACK_INTS);
  private trackInts = 0;
  private payload = new Uint8Array(PAYLOAD_BYTES_FIRST);
  private payloadBytes = 0;
  private number = 0;

  get empty(): boolean {
    return this.segments.length === 0;
  }

  /** Adds tuples of one stream from one task to another: the oldest `count` of an outbox. */
  addTuples(source: number, target: number, stream: number, outbox: Outbox, count: number, bytes: number): void {
    const { first, roots } = outbox;
    let tracked = false;
    for (let row = first; row < first + count && !tracked; row++) tracked = roots[row] !== null;
    // First what may throw: the writer stays as it was then.
    const packed = pack(outbox.values.slice(first, first + count));
    let kind = SEGMENT_UNTRACKED;
    if (tracked) kind = this.addTracks(outbox, count) ? SEGMENT_TRACKED : this.addJoinedTracks(outbox, count);
    this.addPayload(packed);
    this.segments.push(source, target, kind, stream, count, bytes, packed.length);
  }

  private addPayload(packed: Uint8Array): void {
    const end = this.payloadBytes + packed.length;
    if (end > this.payload.length) {
      const payload = new Uint8Array(Math.max(this.payload.length * 2, end));
      payload.set(this.payload.subarray(0, this.payloadBytes));
      this.payload = payload;
    }
    this.payload.set(packed, this.payloadBytes);
    this.payloadBytes = end;
  }

  addEnd(source: number, target: number, revision: number): void {
    this.segments.push(source, target, SEGMENT_END, revision, 0, 0, 0);
  }

  addMark(source: number, target: number, revision: number): void {
    this.segments.push(source, target, SEGMENT_MARK, revision, 0, 0, 0);
  }

  /** The frame, in memory of its own, so that it can be transferred; the writer is empty again. */
  finish(): Uint8Array<ArrayBuffer> {
    const payload = this.payload.subarray(0, this.payloadBytes);
    const ints = HEADER_INTS + this.ledgers.length * LEDGER_INTS + this.segments.length + this.trackInts;
    const frame = new Uint8Array(ints * 4 + payload.length);
    const head = new Int32Array(frame.buffer, 0, ints);
    head[0] = MAGIC | KIND_DATA;
    head[1] = this.segments.length / SEGMENT_INTS;
    head[2] = this.ledgers.length;
    head[3] = this.trackInts / TRACK_INTS;
    head[4] = payload.length;
    head[5] = this.number++ | 0;
    let at = HEADER_INTS;
    for (let i = 0; i < this.ledgers.length; i++) {
      const ledger = this.ledgers[i]!;
      const base = this.bases[i]!;
      head[at++] = ledger.spoutTask;
      head[at++] = ledger.incarnation;
      head[at++] = Math.floor(base / OFFSET_END);
      head[at++] = base | 0;
    }
    head.set(this.segments, at);
    head.set(this.tracks.subarray(0, this.trackInts), at + this.segments.length);
    frame.set(payload, ints * 4);
    this.ledgers = [];
    this.bases = [];
    this.segments = [];
    this.payloadBytes = 0;
    if (this.payload.length > PAYLOAD_BYTES_KEPT_MAX) this.payload = new Uint8Array(PAYLOAD_BYTES_FIRST);
    this.trackInts = 0;
    return frame;
  }

  private reserveTracks(count: number): void {
    const end = this.trackInts + count * TRACK_INTS;
    if (end <= this.tracks.length) return;
    const tracks = new Int32Array(Math.max(this.tracks.length * 2, end));
    tracks.set(this.tracks);
    this.tracks = tracks;
  }

  /** One track for each tuple. False, and nothing is added, when a tuple belongs to several trees. */
  private addTracks({ first, roots, ints }: Outbox, count: number): boolean {
    this.reserveTracks(count);
    let at = this.trackInts;
    const tracks = this.tracks;
    let lastRoot: Root | null = null;
    let lastLedger: AckTarget | null = null;
    let index = -1;
    let offset = 0;
    for (let row = first; row < first + count; row++) {
      const root = roots[row]!;
      if (root === null) {
        index = -1;
        offset = 0;
      } else if (root !== lastRoot) {
        const { ledger } = root;
        if (ledger !== lastLedger && ledger instanceof SeveralTrees) return false;
        const sequence = sequenceOf(root.hi, root.lo);
        const base = ledger === lastLedger && index >= 0 ? this.bases[index]! : -1;
        if (base < 0 || sequence < base || sequence - base >= OFFSET_END) index = this.ledgerIndex(ledger, sequence);
        offset = (sequence - this.bases[index]!) | 0;
        lastLedger = ledger;
      }
      lastRoot = root;
      tracks[at] = index;
      tracks[at + 1] = offset;
      tracks[at + 2] = ints[row * OUTBOX_INTS]!;
      tracks[at + 3] = ints[row * OUTBOX_INTS + 1]!;
      at += TRACK_INTS;
    }
    this.trackInts = at;
    return true;
  }

  /** As many tracks for each tuple as it has trees. */
  private addJoinedTracks({ first, roots, ints }: Outbox, count: number): typeof SEGMENT_JOINED {
    for (let row = first; row < first + count; row++) {
      const root = roots[row]!;
      const hi = ints[row * OUTBOX_INTS]!;
      const lo = ints[row * OUTBOX_INTS + 1]!;
      if (root === null) {
        this.addTrack(UNTRACKED, 0, hi, lo);
        continue;
      }
      const each = root.ledger instanceof SeveralTrees ? root.ledger.roots : [root];
      each.forEach((one, place) => {
        const sequence = sequenceOf(one.hi, one.lo);
        const index = this.ledgerIndex(one.ledger, sequence);
        const offset = (sequence - this.bases[index]!) | 0;
        this.addTrack(place < each.length - 1 ? MORE - index : index, offset, hi, lo);
      });
    }
    return SEGMENT_JOINED;
  }

  private addTrack(ledger: number, offset: number, hi: number, lo: number): void {
    this.reserveTracks(1);
    this.tracks.set([ledger, offset, hi, lo], this.trackInts);
    this.trackInts += TRACK_INTS;
  }

  /** The entry of that ledger whose base fits that root, made if there is none. */
  private ledgerIndex(ledger: AckTarget, sequence: number): number {
    for (let i = 0; i < this.ledgers.length; i++) {
      const base = this.bases[i]!;
      if (this.ledgers[i] === ledger && sequence >= base && sequence - base < OFFSET_END) return i;
    }
    this.ledgers.push(ledger);
    // Roots that follow may be older: the base leaves them half of the range.
    this.bases.push(Math.max(0, sequence - OFFSET_END / 2));
    return this.ledgers.length - 1;
  }
}

/** The parts of a received frame; what stands in its payload has not been looked at. */
export interface DataFrame {
  readonly segments: Int32Array;
  readonly ledgers: Int32Array;
  readonly tracks: Int32Array;
  readonly payload: Uint8Array;
}

/**
 * Takes a frame apart. Sizes are checked before anything is decoded.
 *
 * @throws MILLRACE_FRAME_INVALID
 */
export function readDataFrame(frame: Uint8Array): DataFrame {
  if (frame.byteLength > FRAME_BYTES_MAX) throw refuse(`${frame.byteLength} bytes, above ${FRAME_BYTES_MAX}`);
  if (frame.byteLength < HEADER_INTS * 4 || frame.byteOffset % 4 !== 0) throw refuse('cut short');
  const ints = new Int32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2);
  if (ints[0] !== (MAGIC | KIND_DATA)) throw refuse('not a data frame of this protocol version');
  const segmentCount = ints[1]!;
  const ledgerCount = ints[2]!;
  const trackCount = ints[3]!;
  const payloadBytes = ints[4]!;
  if (segmentCount < 0 || ledgerCount < 0 || trackCount < 0) throw refuse('a negative count');
  const ledgersAt = HEADER_INTS;
  const segmentsAt = ledgersAt + ledgerCount * LEDGER_INTS;
  const tracksAt = segmentsAt + segmentCount * SEGMENT_INTS;
  const payloadAt = tracksAt + trackCount * TRACK_INTS;
  if (payloadAt * 4 + payloadBytes !== frame.byteLength) throw refuse('its parts do not add up to its length');
  const segments = ints.subarray(segmentsAt, tracksAt);
  const tracks = ints.subarray(tracksAt, payloadAt);
  checkSegments(segments, tracks, ledgerCount, payloadBytes);
  return { segments, ledgers: ints.subarray(ledgersAt, segmentsAt), tracks, payload: frame.subarray(payloadAt * 4) };
}

/**
 * Unpacks the rows of one segment.
 *
 * @throws MILLRACE_FRAME_INVALID when they are no rows, or not that many
 */
export function readRows(payload: Uint8Array, count: number): readonly Values[] {
  let rows: unknown;
  try {
    rows = unpack(payload);
  } catch {
    throw refuse('its payload is not msgpack');
  }
  if (!Array.isArray(rows)) throw refuse('its payload is not rows of values');
  for (let i = 0; i < rows.length; i++) {
    if (!Array.isArray(rows[i])) throw refuse('its payload is not rows of values');
  }
  if (rows.length !== count) throw refuse('a segment has another number of rows than it says');
  return rows as readonly Values[];
}

function checkSegments(segments: Int32Array, tracks: Int32Array, ledgerCount: number, payloadBytes: number): void {
  let payloadSeen = 0;
  let tracksSeen = 0;
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    const kind = segments[at + 2]!;
    if (kind === SEGMENT_END || kind === SEGMENT_MARK) continue;
    if (kind !== SEGMENT_TRACKED && kind !== SEGMENT_UNTRACKED && kind !== SEGMENT_JOINED) {
      throw refuse(`an unknown segment kind ${kind}`);
    }
    const count = segments[at + 4]!;
    if (count < 1 || segments[at + 3]! < 0 || segments[at + 5]! < 0) throw refuse('a segment is empty or negative');
    // Each row takes a byte at least: no count can promise more than there is.
    if (segments[at + 6]! < count) throw refuse('a segment has fewer bytes than rows');
    payloadSeen += segments[at + 6]!;
    const tracksFrom = tracksSeen * TRACK_INTS;
    tracksSeen += tracksOfSegment(kind, count, tracks.subarray(tracksFrom), ledgerCount);
  }
  if (payloadSeen !== payloadBytes || tracksSeen * TRACK_INTS !== tracks.length) {
    throw refuse('its segments do not cover its rows and tracks');
  }
}

/** How many tracks belong to a segment. @throws MILLRACE_FRAME_INVALID when one of them names no ledger */
function tracksOfSegment(kind: number, count: number, tracks: Int32Array, ledgerCount: number): number {
  if (kind === SEGMENT_UNTRACKED) return 0;
  if (kind === SEGMENT_TRACKED) {
    if (count * TRACK_INTS > tracks.length) throw refuse('its segments do not cover its rows and tracks');
    for (let at = 0; at < count * TRACK_INTS; at += TRACK_INTS) {
      if (tracks[at]! < UNTRACKED || tracks[at]! >= ledgerCount) throw refuse('a track names no ledger of the frame');
    }
    return count;
  }
  let tuples = 0;
  let at = 0;
  let least = UNTRACKED;
  while (tuples < count) {
    if (at >= tracks.length) throw refuse('its segments do not cover its rows and tracks');
    const { ledger, hasMore } = readTrack(tracks[at]!);
    if (ledger < least || ledger >= ledgerCount) throw refuse('a track names no ledger of the frame');
    // A tuple that is in several trees is in none by way of a track that names no ledger.
    least = hasMore ? 0 : UNTRACKED;
    if (!hasMore) tuples++;
    at += TRACK_INTS;
  }
  return at / TRACK_INTS;
}

/** The ledger of a track, and whether another track of the same tuple follows. */
export function readTrack(ledger: number): { readonly ledger: number; readonly hasMore: boolean } {
  return ledger <= MORE ? { ledger: MORE - ledger, hasMore: true } : { ledger, hasMore: false };
}

/** How many ints of `tracks` belong to a segment that was checked. */
export function trackIntsOf(kind: number, count: number, tracks: Int32Array): number {
  if (kind !== SEGMENT_JOINED) return kind === SEGMENT_TRACKED ? count * TRACK_INTS : 0;
  let at = 0;
  for (let tuples = 0; tuples < count; at += TRACK_INTS) if (tracks[at]! > MORE) tuples++;
  return at;
}

function refuse(reason: string): Error {
  return failure('MILLRACE_FRAME_INVALID', { reason });
}
