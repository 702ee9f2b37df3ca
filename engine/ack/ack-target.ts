// Where the acks of a tuple go: the ledger of its spout task, on this thread or behind a link. Two implementations
// only, `Ledger` and `RemoteLedger`, so that calls stay cheap.
//
// A root is named by its sequence number below 2^53, carried as two 32-bit halves because small integers live inside
// objects and larger ones would be allocated: `rootHi` holds the upper 21 bits, `rootLo` the lower 32 as a signed
// integer.

import type { TreeFailure } from '../component/spout.js';

export interface AckTarget {
  readonly spoutTask: number;
  readonly incarnation: number;
  /** The spout task was started again or moved: nothing that still names this incarnation matters. */
  readonly dead: boolean;
  /** Takes that into the XOR of the tree. */
  ack(rootHi: number, rootLo: number, hi: number, lo: number): void;
  /** Ends the tree as failed. */
  fail(rootHi: number, rootLo: number, failure?: TreeFailure): void;
  /** Gives the tree its whole timeout again. */
  touch(rootHi: number, rootLo: number): void;
}

const TWO_32 = 4294967296;

/** The sequence number of a root from its halves. */
export function sequenceOf(rootHi: number, rootLo: number): number {
  return rootHi * TWO_32 + (rootLo >>> 0);
}

/** The upper half of a sequence number. */
export function rootHiOf(sequence: number): number {
  return Math.floor(sequence / TWO_32);
}

/** The lower half of a sequence number, signed. */
export function rootLoOf(sequence: number): number {
  return sequence | 0;
}
