// Names a tuple tree: the ledger that tracks it and its sequence number there. One object a tree and worker, shared by
// all tuples of the tree, so that a tuple carries one reference instead of three fields.

import type { TreeFailure } from '../component/spout.js';
import type { AckTarget } from './ack-target.js';

/** Stands for the upper half of a root's name when it names several trees (several-trees.ts). */
export const SEVERAL = -1;

export class Root {
  readonly ledger: AckTarget;
  /** Never negative but for `SEVERAL`, which is told faster than the class of a ledger. */
  readonly hi: number;
  readonly lo: number;

  constructor(ledger: AckTarget, hi: number, lo: number) {
    this.ledger = ledger;
    this.hi = hi;
    this.lo = lo;
  }

  /** Takes that into the XOR of the tree. */
  ack(edgeHi: number, edgeLo: number): void {
    this.ledger.ack(this.hi, this.lo, edgeHi, edgeLo);
  }

  fail(failure?: TreeFailure): void {
    this.ledger.fail(this.hi, this.lo, failure);
  }

  /** Gives the tree its whole timeout again. */
  touch(): void {
    this.ledger.touch(this.hi, this.lo);
  }
}
