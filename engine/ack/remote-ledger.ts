// Stands for the ledger of a spout task in another worker: gathers what this worker's tasks have to tell it and hands
// it to the link once a turn. Rows that name the same root are XORed together first where they come close to each
// other, so a sentence split and counted here costs one row and not one a word.
//
//   row = rootHi | rootLo | hi | lo     recent[rootLo & 255] = the row that named such a root last, or what it was
//
// Runs on the worker's thread; `ack` allocates nothing but when the rows grow.

import type { TreeFailure } from '../component/spout.js';
import { FAILURES_TOLD_MAX } from '../limits.js';
import type { AckTarget } from './ack-target.js';
import { UNDELIVERED } from './tree-failure.js';

export const ACK_ROW_INTS = 4;
const ROWS_FIRST = 256;
const RECENT = 256;
/** Stands for what an error said where too many were different. */
const MANY_FAILED = 'failed with many others at once, too many to tell why each did';

/** Takes what a `RemoteLedger` gathered; the rows are only valid during the call. */
export interface AckSender {
  /** Something is waiting to be flushed. */
  markDirty(ledger: RemoteLedger): void;
}

export class RemoteLedger implements AckTarget {
  readonly spoutTask: number;
  readonly incarnation: number;
  dead = false;
  rows = new Int32Array(ROWS_FIRST * ACK_ROW_INTS);
  rowCount = 0;
  /** Roots to fail and to touch, as pairs of halves. */
  readonly failed: number[] = [];
  /** Why the roots to fail failed, in their order: places in `reasons`. */
  readonly failedFor: number[] = [];
  /** Each reason once, and no more than are told in a turn. */
  readonly reasons: TreeFailure[] = [];
  readonly touched: number[] = [];
  private readonly sender: AckSender;
  private readonly recent = new Int32Array(RECENT);
  private dirty = false;

  constructor(spoutTask: number, incarnation: number, sender: AckSender) {
    this.spoutTask = spoutTask;
    this.incarnation = incarnation;
    this.sender = sender;
  }

  ack(rootHi: number, rootLo: number, hi: number, lo: number): void {
    if ((hi | lo) === 0) return;
    const place = rootLo & (RECENT - 1);
    const near = this.recent[place]! * ACK_ROW_INTS;
    if (near < this.rowCount * ACK_ROW_INTS && this.rows[near + 1] === rootLo && this.rows[near] === rootHi) {
      this.rows[near + 2]! ^= hi;
      this.rows[near + 3]! ^= lo;
      return;
    }
    if (!this.dirty) this.markDirty();
    if (this.rowCount * ACK_ROW_INTS === this.rows.length) this.grow();
    const at = this.rowCount * ACK_ROW_INTS;
    this.rows[at] = rootHi;
    this.rows[at + 1] = rootLo;
    this.rows[at + 2] = hi;
    this.rows[at + 3] = lo;
    this.recent[place] = this.rowCount++;
  }

  fail(rootHi: number, rootLo: number, failure = UNDELIVERED): void {
    if (!this.dirty) this.markDirty();
    this.failed.push(rootHi, rootLo);
    this.failedFor.push(this.placeOf(failure));
  }

  /** The place of a reason among those told; one that comes again, as most do, is found at the end. */
  private placeOf(failure: TreeFailure): number {
    const { reasons } = this;
    const told = reasons.length < FAILURES_TOLD_MAX ? failure : { ...failure, message: MANY_FAILED };
    for (let place = reasons.length - 1; place >= 0; place--) {
      if (isSame(reasons[place]!, told)) return place;
      // Only where no more are told it is worth to look further.
      if (reasons.length < FAILURES_TOLD_MAX) break;
    }
    return reasons.push(told) - 1;
  }

  touch(rootHi: number, rootLo: number): void {
    if (!this.dirty) this.markDirty();
    this.touched.push(rootHi, rootLo);
  }

  /** Everything gathered has been sent. */
  clear(): void {
    this.rowCount = 0;
    this.failed.length = 0;
    this.failedFor.length = 0;
    this.reasons.length = 0;
    this.touched.length = 0;
    this.dirty = false;
  }

  private markDirty(): void {
    this.dirty = true;
    this.sender.markDirty(this);
  }

  private grow(): void {
    const rows = new Int32Array(this.rows.length * 2);
    rows.set(this.rows);
    this.rows = rows;
  }
}

function isSame(a: TreeFailure, b: TreeFailure): boolean {
  return a === b || (a.code === b.code && a.message === b.message && a.component === b.component && a.task === b.task);
}
