// Stands for the ledger of a spout task in another worker: gathers what this worker's tasks have to tell it and hands
// it to the link once a turn. Rows that name the same root are XORed together first where they come close to each
// other, so a sentence split and counted here costs one row and not one a word.
//
//   row = rootHi | rootLo | hi | lo     recent[rootLo & 255] = the row that named such a root last, or what it was
//
// Runs on the worker's thread; `ack` allocates nothing but when the rows grow.

import type { AckTarget } from './ack-target.js';

export const ACK_ROW_INTS = 4;
const ROWS_FIRST = 256;
const RECENT = 256;

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

  fail(rootHi: number, rootLo: number): void {
    if (!this.dirty) this.markDirty();
    this.failed.push(rootHi, rootLo);
  }

  touch(rootHi: number, rootLo: number): void {
    if (!this.dirty) this.markDirty();
    this.touched.push(rootHi, rootLo);
  }

  /** Everything gathered has been sent. */
  clear(): void {
    this.rowCount = 0;
    this.failed.length = 0;
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
