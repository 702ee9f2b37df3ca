// Tuples of one stream that came from one task of another worker, as they stand in a frame. They are unpacked when the
// first of them is taken and become objects one at a time, so that what waits in a mailbox is bytes, which no garbage
// collection has to look at, and what is taken dies young. Tuples of one tree stand next to each other more often than
// not and then share their root.
//
//   waiting [ bytes | tracks ] ──next──► columns or rows, unpacked ──next──► tuple, edgeHi, edgeLo │ dead │ broken

import type { AckTarget } from '../ack/ack-target.js';
import { rootHiOf, rootLoOf } from '../ack/ack-target.js';
import { Root } from '../ack/root.js';
import { rootOf } from '../ack/several-trees.js';
import { readColumns, readRows, rowOf, type Column } from '../codec/columns.js';
import { readTrack, TRACK_INTS } from '../codec/data-frame.js';
import type { TextUser } from '../codec/text-dictionary.js';
import type { Values } from '../component/tuple.js';
import { TaskTuple, type Origin } from './task-tuple.js';

/** What tracks have for a ledger where there is none. */
const UNTRACKED = -1;
/** No track has this for a ledger. */
const NO_LEDGER = -0x80000000;

/** The tracks of a batch and the ledgers of its frame. A ledger is null when its incarnation is over. */
export interface Tracks {
  readonly ints: Int32Array;
  readonly ledgers: readonly (AckTarget | null)[];
  readonly bases: readonly number[];
}

/** The dictionary of a batch that has its texts itself. */
const NO_TEXTS: readonly never[] = [];

export class InboundBatch implements TextUser {
  readonly origin: Origin;
  /** Its size as it came. */
  readonly bytes: number;
  /** Tuples that were not taken yet. */
  left: number;
  /** The edge of the tuple that was taken last, when it is tracked. */
  edgeHi = 0;
  edgeLo = 0;
  /** The tuple that was taken last belongs to an incarnation that is over. */
  dead = false;
  private payload: Uint8Array | null;
  /** One of the two is filled when it is unpacked. */
  private columns: readonly Column[] = [];
  private rows: readonly Values[] = [];
  private readonly count: number;
  private texts: readonly string[] | null;
  private tracks: Tracks | null;
  private trackAt = 0;
  private root: Root | null = null;
  private rootLedger = UNTRACKED;
  private rootOffset = 0;

  /**
   * @param tracks - one for each tuple; null when the batch is not tracked
   * @param texts - the dictionary that its columns use; null when it came in rows
   */
  constructor(
    origin: Origin,
    count: number,
    payload: Uint8Array,
    tracks: Tracks | null,
    texts: readonly string[] | null = null,
  ) {
    this.origin = origin;
    this.count = count;
    this.left = count;
    this.payload = payload;
    this.bytes = payload.length;
    this.tracks = tracks;
    this.texts = texts;
  }

  /**
   * Takes the oldest tuple; call only while `left` is above zero.
   *
   * @throws MILLRACE_FRAME_INVALID at the first one when its bytes are no rows; `abandon` it then
   */
  next(): TaskTuple {
    if (this.payload !== null) this.open(this.payload);
    const row = this.count - this.left;
    const values = this.texts === null ? this.rows[row]! : rowOf(this.columns, row);
    this.left--;
    if (this.tracks !== null) this.nextTrack(this.tracks);
    if (this.left === 0) this.release();
    return new TaskTuple(values, this.origin, this.root);
  }

  /** Its bytes cannot be read: fails the trees of all its tuples and gives how many those were. */
  abandon(): number {
    const { left } = this;
    for (; this.left > 0; this.left--) {
      if (this.tracks !== null) this.nextTrack(this.tracks);
      this.root?.fail();
    }
    this.release();
    return left;
  }

  get isUsedUp(): boolean {
    return this.left === 0;
  }

  takeTexts(): void {
    if (this.texts === null) return;
    try {
      if (this.payload !== null) this.open(this.payload);
    } catch {
      // Who takes its first tuple is told.
    }
    this.columns = this.columns.map((column) => column.withoutDictionary());
    this.texts = NO_TEXTS;
  }

  /** It is used up: nothing of its frame is kept any longer. */
  private release(): void {
    this.payload = null;
    this.rows = [];
    this.columns = [];
    this.tracks = null;
  }

  private open(payload: Uint8Array): void {
    if (this.texts === null) this.rows = readRows(payload, this.count);
    else this.columns = readColumns(payload, this.count, this.texts);
    this.payload = null;
  }

  private nextTrack({ ints, ledgers, bases }: Tracks): void {
    const at = this.trackAt;
    this.trackAt = at + TRACK_INTS;
    const ledger = ints[at]!;
    const offset = ints[at + 1]!;
    this.edgeHi = ints[at + 2]!;
    this.edgeLo = ints[at + 3]!;
    if (ledger === this.rootLedger && offset === this.rootOffset) return;
    if (ledger < UNTRACKED) {
      this.nextTracks(ints, ledgers, bases, at);
      return;
    }
    this.rootLedger = ledger;
    this.rootOffset = offset;
    const target = ledger < 0 ? null : ledgers[ledger]!;
    this.dead = ledger >= 0 && target === null;
    if (target === null) {
      this.root = null;
      return;
    }
    this.root = rootIn(target, bases[ledger]! + (offset >>> 0));
  }

  /** The tuple belongs to several trees: its root is made of all whose incarnation lives. */
  private nextTracks(
    ints: Int32Array,
    ledgers: readonly (AckTarget | null)[],
    bases: readonly number[],
    from: number,
  ): void {
    const roots: Root[] = [];
    let at = from;
    for (let hasMore = true; hasMore; at += TRACK_INTS) {
      const track = readTrack(ints[at]!);
      ({ hasMore } = track);
      const target = ledgers[track.ledger]!;
      if (target !== null) roots.push(rootIn(target, bases[track.ledger]! + (ints[at + 1]! >>> 0)));
    }
    this.trackAt = at;
    this.rootLedger = NO_LEDGER;
    this.dead = roots.length === 0;
    this.root = rootOf(roots);
  }
}

function rootIn(ledger: AckTarget, sequence: number): Root {
  return new Root(ledger, rootHiOf(sequence), rootLoOf(sequence));
}
