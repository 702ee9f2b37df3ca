// Frames that carry tuples and markers from one worker to another. All integers are 32-bit little-endian.
//
//   frame    = magic|version|kind  segments  ledgers  tracked  payloadBytes  number  ledger*  segment*  track*  payload
//   ledger   = spoutTask  incarnation  baseHi  baseLo        the roots of the tracks below count from this base
//   segment  = sourceTask  targetTask  kind  a  b  c         in the order of their channel
//              kind 0: a = stream, b = tuples, c = bytes; untracked
//              kind 1: the same; each tuple has a track
//              kind 2: an end marker; a = revision
//   track    = ledger  offset  edgeHi  edgeLo                offset = root - base of that ledger, unsigned
//   payload  = msgpack: an array with one array of rows for each segment of kind 0 and 1; a row is an array of values
//
// `number` counts the frames of a link. Kinds of segments and columns can be added without changing what stands here; a
// reader refuses kinds that it does not know. Rows come first; columns may follow as a segment kind of their own.

import { failure } from '../errors.js';
import { FRAME_BYTES_MAX } from '../limits.js';
import type { AckTarget } from '../ack/ack-target.js';
import { sequenceOf } from '../ack/ack-target.js';
import type { Values } from '../component/tuple.js';
import type { TaskTuple } from '../task/task-tuple.js';
import { pack, unpack } from './pack.js';

export const PROTOCOL_VERSION = 1;
const MAGIC = 0x4d520000 | (PROTOCOL_VERSION << 8);
export const KIND_DATA = 1;
const HEADER_INTS = 6;
const LEDGER_INTS = 4;
const SEGMENT_INTS = 6;
const TRACK_INTS = 4;
const OFFSET_END = 4294967296;

export const SEGMENT_UNTRACKED = 0;
export const SEGMENT_TRACKED = 1;
export const SEGMENT_END = 2;

/**
 * Gathers segments and makes one frame of them. One writer a link; it is reused, so nothing in it outlives `finish`.
 */
export class DataFrameWriter {
  private ledgers: AckTarget[] = [];
  private bases: number[] = [];
  private segments: number[] = [];
  private tracks = new Int32Array(1024 * TRACK_INTS);
  private trackInts = 0;
  private rows: Values[][] = [];
  private number = 0;

  get empty(): boolean {
    return this.segments.length === 0;
  }

  /** Adds tuples of one stream from one task to another, `first` to below `end` of the list. */
  addTuples(
    source: number,
    target: number,
    stream: number,
    tuples: readonly TaskTuple[],
    first: number,
    end: number,
    bytes: number,
  ): void {
    const count = end - first;
    const rows = new Array<Values>(count);
    let tracked = false;
    for (let i = 0; i < count; i++) {
      const tuple = tuples[first + i]!;
      rows[i] = tuple.values;
      if (tuple.root !== null) tracked = true;
    }
    if (tracked) this.addTracks(tuples, first, end);
    this.rows.push(rows);
    this.segments.push(source, target, tracked ? SEGMENT_TRACKED : SEGMENT_UNTRACKED, stream, count, bytes);
  }

  addEnd(source: number, target: number, revision: number): void {
    this.segments.push(source, target, SEGMENT_END, revision, 0, 0);
  }

  /** The frame, in memory of its own, so that it can be transferred; the writer is empty again. */
  finish(): Uint8Array<ArrayBuffer> {
    const payload = pack(this.rows);
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
    this.rows = [];
    this.trackInts = 0;
    return frame;
  }

  private addTracks(tuples: readonly TaskTuple[], first: number, end: number): void {
    let at = this.trackInts;
    if (at + (end - first) * TRACK_INTS > this.tracks.length) {
      const tracks = new Int32Array(Math.max(this.tracks.length * 2, at + (end - first) * TRACK_INTS));
      tracks.set(this.tracks);
      this.tracks = tracks;
    }
    const tracks = this.tracks;
    let lastLedger: AckTarget | null = null;
    let lastIndex = -1;
    for (let i = first; i < end; i++) {
      const tuple = tuples[i]!;
      const { root, held } = tuple;
      let offset = 0;
      let index = -1;
      if (root !== null) {
        const { ledger } = root;
        const sequence = sequenceOf(root.hi, root.lo);
        index = ledger === lastLedger ? lastIndex : -1;
        if (index < 0 || sequence < this.bases[index]! || sequence - this.bases[index]! >= OFFSET_END) {
          index = this.ledgerIndex(ledger, sequence);
        }
        offset = (sequence - this.bases[index]!) | 0;
        lastLedger = ledger;
        lastIndex = index;
      }
      tracks[at] = index;
      tracks[at + 1] = offset;
      tracks[at + 2] = held === null ? 0 : held.edgeHi;
      tracks[at + 3] = held === null ? 0 : held.edgeLo;
      at += TRACK_INTS;
    }
    this.trackInts = at;
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

/** The root and edge of one received tuple, as a place in the frame's tracks. */
export interface DataFrame {
  readonly segments: Int32Array;
  readonly segmentCount: number;
  readonly ledgers: Int32Array;
  readonly tracks: Int32Array;
  /** For each segment of tuples in turn its rows; each row is a list of values. */
  readonly rows: readonly (readonly Values[])[];
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
  const rows = unpackRows(frame.subarray(payloadAt * 4));
  checkSegments(segments, tracks, ledgerCount, rows);
  return { segments, segmentCount, ledgers: ints.subarray(ledgersAt, segmentsAt), tracks, rows };
}

function unpackRows(payload: Uint8Array): (readonly Values[])[] {
  let rows: unknown;
  try {
    rows = unpack(payload);
  } catch {
    throw refuse('its payload is not msgpack');
  }
  if (!Array.isArray(rows) || !rows.every((segment) => Array.isArray(segment) && segment.every(Array.isArray))) {
    throw refuse('its payload is not rows of values');
  }
  return rows as (readonly Values[])[];
}

function checkSegments(
  segments: Int32Array,
  tracks: Int32Array,
  ledgerCount: number,
  rows: readonly (readonly Values[])[],
): void {
  let rowsSeen = 0;
  let tracksSeen = 0;
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    const kind = segments[at + 2]!;
    if (kind === SEGMENT_END) continue;
    if (kind !== SEGMENT_TRACKED && kind !== SEGMENT_UNTRACKED) throw refuse(`an unknown segment kind ${kind}`);
    const count = segments[at + 4]!;
    if (count < 1 || segments[at + 3]! < 0 || segments[at + 5]! < 0) throw refuse('a segment is empty or negative');
    if (rows[rowsSeen]?.length !== count) throw refuse('a segment has another number of rows than it says');
    rowsSeen++;
    if (kind === SEGMENT_TRACKED) tracksSeen += count;
  }
  if (rowsSeen !== rows.length || tracksSeen * TRACK_INTS !== tracks.length) {
    throw refuse('its segments do not cover its rows and tracks');
  }
  for (let at = 0; at < tracks.length; at += TRACK_INTS) {
    if (tracks[at]! < -1 || tracks[at]! >= ledgerCount) throw refuse('a track names no ledger of the frame');
  }
}

function refuse(reason: string): Error {
  return failure('MILLRACE_FRAME_INVALID', { reason });
}
