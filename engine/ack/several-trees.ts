// Stands for the ledgers of a tuple that belongs to several trees, such as one that joins others or was made of a
// batch: whatever becomes of it, each of its trees is told. So a tuple has one root, however many trees it is in, and
// one that is in a single tree pays nothing for those that are not.
//
//   tuple ─root─► Root ─ledger─► SeveralTrees ─┬─► Root ─► Ledger          one edge id for all of them: the XOR of one
//                                              └─► Root ─► RemoteLedger    tree never meets that of another
//
// Invariant: no tree is in it twice, for then its edges would go into that XOR twice and be gone. On the worker's
// thread.

import type { TreeFailure } from '../component/spout.js';
import { sequenceOf, type AckTarget } from './ack-target.js';
import { Root, SEVERAL } from './root.js';

export class SeveralTrees implements AckTarget {
  readonly spoutTask = -1;
  readonly incarnation = -1;
  readonly roots: readonly Root[];

  constructor(roots: readonly Root[]) {
    this.roots = roots;
  }

  /** The incarnations of all of them are over; while one lives the tuple matters. */
  get dead(): boolean {
    for (const root of this.roots) if (!root.ledger.dead) return false;
    return true;
  }

  ack(_rootHi: number, _rootLo: number, hi: number, lo: number): void {
    for (const root of this.roots) root.ack(hi, lo);
  }

  fail(_rootHi: number, _rootLo: number, failure?: TreeFailure): void {
    for (const root of this.roots) root.fail(failure);
  }

  touch(): void {
    for (const root of this.roots) root.touch();
  }
}

/** The trees that a root names. */
export function treesOf(root: Root): readonly Root[] {
  return root.ledger instanceof SeveralTrees ? root.ledger.roots : [root];
}

/** Gathers the trees of several tuples, each tree once. */
export class TreeUnion {
  private readonly roots: Root[] = [];
  private readonly seen = new Map<AckTarget, Set<number>>();

  /** How many trees there are. */
  get size(): number {
    return this.roots.length;
  }

  add(root: Root): void {
    const { ledger } = root;
    if (ledger instanceof SeveralTrees) {
      for (const each of ledger.roots) this.add(each);
      return;
    }
    let sequences = this.seen.get(ledger);
    if (sequences === undefined) this.seen.set(ledger, (sequences = new Set()));
    const sequence = sequenceOf(root.hi, root.lo);
    if (sequences.has(sequence)) return;
    sequences.add(sequence);
    this.roots.push(root);
  }

  /** The root of a tuple that is in all of them; null when there is none. */
  root(): Root | null {
    return rootOf(this.roots);
  }
}

/** One root for all of these, none of which may be there twice; null for none. */
export function rootOf(roots: readonly Root[]): Root | null {
  return roots.length < 2 ? (roots[0] ?? null) : new Root(new SeveralTrees(roots), SEVERAL, 0);
}
