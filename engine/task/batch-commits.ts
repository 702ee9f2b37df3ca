// The group commit of a bolt with `endBatch`: what it executed waits here until its batch is committed, and is settled
// as a whole. One `endBatch` runs at a time; what is executed meanwhile is the next batch.
//
//   add ─► batch ─commit─► endBatch ─┬─ returned, resolved ─► settled as acked
//                                    └─ threw, rejected ────► settled as failed

import { COMMITTED_AT } from '../limits.js';
import type { TaskTuple } from './task-tuple.js';
import { isPromise } from './settling.js';

/** How one `endBatch` ended; `error` holds what it threw, wrapped, because anything can be thrown. */
export type Committed = (batch: readonly TaskTuple[], failed: { readonly error: unknown } | null) => void;

export class BatchCommits {
  /** An `endBatch` is under way. */
  running = false;
  /** How many batches were begun to be committed, and how many of those are done. */
  begun = 0;
  ended = 0;
  /** Resolves when none is. */
  done: Promise<void> = Promise.resolve();
  private batch: TaskTuple[] = [];
  private readonly endBatch: () => void | Promise<void>;
  private readonly committed: Committed;

  constructor(endBatch: () => void | Promise<void>, committed: Committed) {
    this.endBatch = endBatch;
    this.committed = committed;
  }

  /** Something waits to be committed. */
  get waiting(): boolean {
    return this.batch.length > 0;
  }

  /** Adds what was executed; true when the batch is large enough to be committed at once. */
  add(tuple: TaskTuple): boolean {
    this.batch.push(tuple);
    return this.batch.length >= COMMITTED_AT && !this.running;
  }

  /** Has `endBatch` called, unless nothing waits or one is under way. */
  commit(): void {
    if (this.batch.length === 0 || this.running) return;
    const batch = this.batch;
    this.batch = [];
    this.begun++;
    try {
      const result = this.endBatch();
      if (result === undefined || !isPromise(result)) {
        this.settle(batch, null);
        return;
      }
      this.running = true;
      // Not by the promise itself: what only looks like one may call back twice.
      this.done = Promise.resolve(result).then(
        () => this.settle(batch, null),
        (error: unknown) => this.settle(batch, { error }),
      );
    } catch (error) {
      this.settle(batch, { error });
    }
  }

  private settle(batch: readonly TaskTuple[], failed: { readonly error: unknown } | null): void {
    this.running = false;
    this.ended++;
    this.committed(batch, failed);
  }
}
