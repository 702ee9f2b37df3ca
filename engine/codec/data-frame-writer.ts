// Writes the frames of data-frame.ts. Rows are packed as they are; a batch of some length goes column by column, with
// the texts that its link knows as numbers. One writer a link; it is used again, so nothing in it outlives `finish`.
// Runs on the worker's thread.

import type { AckTarget } from '../ack/ack-target.js';
import { sequenceOf } from '../ack/ack-target.js';
import { SEVERAL, type Root } from '../ack/root.js';
import { treesOf } from '../ack/several-trees.js';
import { COLUMNS_TUPLES_MIN, PAYLOAD_BYTES_KEPT_MAX } from '../limits.js';
import { ColumnsWriter, listHeader } from './columns.js';
import {
  HEADER_INTS,
  IN_COLUMNS,
  KIND_DATA,
  LEDGER_INTS,
  MAGIC,
  MORE,
  SEGMENT_END,
  SEGMENT_INTS,
  SEGMENT_JOINED,
  SEGMENT_MARK,
  SEGMENT_TEXTS,
  SEGMENT_TRACKED,
  SEGMENT_UNTRACKED,
  TRACK_INTS,
  UNTRACKED,
} from './data-frame.js';
import type { Outbox } from './outbox.js';
import { pack } from './pack.js';
import { TextDictionary } from './text-dictionary.js';

const OFFSET_END = 4294967296;
/** A writer starts with this much room for packed rows: a usual batch of small tuples. */
const PAYLOAD_BYTES_FIRST = 32 * 1024;

/** Gathers segments and makes one frame of them. */
export class DataFrameWriter {
  private ledgers: AckTarget[] = [];
  private bases: number[] = [];
  private segments: number[] = [];
  private tracks = new Int32Array(1024 * TRACK_INTS);
  private trackInts = 0;
  private payload = new Uint8Array(PAYLOAD_BYTES_FIRST);
  private payloadBytes = 0;
  private number = 0;
  private readonly texts = new TextDictionary();
  private readonly columns = new ColumnsWriter(this.texts);

  get empty(): boolean {
    return this.segments.length === 0;
  }

  /** Adds tuples of one stream from one task to another: the oldest `count` of an outbox. */
  addTuples(source: number, target: number, stream: number, outbox: Outbox, count: number, bytes: number): void {
    const { first, roots } = outbox;
    let tracked = false;
    for (let row = first; row < first + count && !tracked; row++) tracked = roots[row] !== null;
    // First what may throw: the writer stays as it was then.
    const payloadAt = this.payloadBytes;
    const inColumns = this.addValues(outbox, stream, count);
    let kind = SEGMENT_UNTRACKED;
    if (tracked) kind = this.addTracks(outbox, count) ? SEGMENT_TRACKED : this.addJoinedTracks(outbox, count);
    this.segments.push(source, target, kind | inColumns, stream, count, bytes, this.payloadBytes - payloadAt);
  }

  /** Adds the payload of a segment: rows, or columns if there are enough of them. */
  private addValues(outbox: Outbox, stream: number, count: number): 0 | typeof IN_COLUMNS {
    const { first, values } = outbox;
    const arity = values[first]!.length;
    if (count < COLUMNS_TUPLES_MIN || arity === 0) {
      this.addPayload(pack(values.slice(first, first + count)));
      return 0;
    }
    const payloadAt = this.payloadBytes;
    const habits = outbox.habitsOf(stream, arity);
    try {
      this.addPayload(listHeader(arity));
      for (let column = 0; column < arity; column++) {
        this.addPayload(this.columns.pack({ values, first, count }, column, habits[column]!));
      }
    } catch (error) {
      this.payloadBytes = payloadAt;
      throw error;
    }
    return IN_COLUMNS;
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
    this.addTexts();
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

  /** What is in the dictionary since the last frame travels with this one. */
  private addTexts(): void {
    const { texts } = this;
    const { generation, firstFresh } = texts;
    const count = texts.fresh.length;
    if (count > 0) {
      const packed = texts.takeFresh();
      this.addPayload(packed);
      this.segments.push(0, 0, SEGMENT_TEXTS, generation, count, firstFresh, packed.length);
    }
    texts.endFrame();
  }

  private reserveTracks(count: number): void {
    const end = this.trackInts + count * TRACK_INTS;
    if (end <= this.tracks.length) return;
    const tracks = new Int32Array(Math.max(this.tracks.length * 2, end));
    tracks.set(this.tracks);
    this.tracks = tracks;
  }

  /** One track for each tuple. False, and nothing is added, when a tuple belongs to several trees. */
  private addTracks(outbox: Outbox, count: number): boolean {
    const { first, roots } = outbox;
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
        if (root.hi === SEVERAL) return false;
        const sequence = sequenceOf(root.hi, root.lo);
        const base = ledger === lastLedger && index >= 0 ? this.bases[index]! : -1;
        if (base < 0 || sequence < base || sequence - base >= OFFSET_END) index = this.ledgerIndex(ledger, sequence);
        offset = (sequence - this.bases[index]!) | 0;
        lastLedger = ledger;
      }
      lastRoot = root;
      tracks[at] = index;
      tracks[at + 1] = offset;
      tracks[at + 2] = outbox.edgeHiAt(row);
      tracks[at + 3] = outbox.edgeLoAt(row);
      at += TRACK_INTS;
    }
    this.trackInts = at;
    return true;
  }

  /** As many tracks for each tuple as it has trees. */
  private addJoinedTracks(outbox: Outbox, count: number): typeof SEGMENT_JOINED {
    const { first, roots } = outbox;
    for (let row = first; row < first + count; row++) {
      const root = roots[row]!;
      const hi = outbox.edgeHiAt(row);
      const lo = outbox.edgeLoAt(row);
      if (root === null) {
        this.addTrack(UNTRACKED, 0, hi, lo);
        continue;
      }
      const each = treesOf(root);
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
