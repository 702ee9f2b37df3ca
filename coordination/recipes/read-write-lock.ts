// A lock that many readers have together, or one writer alone, in the order in which they asked: a reader waits for the
// last writer in front of it, a writer for everybody. So a writer that waits holds later readers back, and nobody
// starves. Bound to one session. Main thread.

import type { Holding } from './holding.js';
import { oneInFront, type Blocker } from './line.js';
import { Contest, READER, whileHeld, WRITER, type LockOptions } from './lock.js';
import { recipeOf, type WaitOptions } from './recipe.js';

/** The last writer in front. */
const writerInFront: Blocker = (names, index) =>
  names.slice(0, index).findLast((name) => !name.startsWith(READER)) ?? null;

/** One side of a read-write lock; used as a `Lock` is. */
export interface LockSide {
  acquire(options?: WaitOptions): Promise<Holding>;
  tryAcquire(options?: WaitOptions): Promise<Holding | null>;
  run<T>(work: (held: Holding) => Promise<T>, options?: WaitOptions): Promise<T>;
}

/**
 * A read-write lock: first come, first served. A reader does not become a writer: it lets go, and asks again.
 *
 * @example
 * ```ts
 * const lock = new ReadWriteLock({ session, path: '/locks/catalogue' });
 * await lock.read.run(async () => await readCatalogue());
 * await lock.write.run(async (held) => await writeCatalogue(held.token));
 * ```
 */
export class ReadWriteLock {
  /** Held by any number of readers, while nobody writes. */
  readonly read: LockSide;
  /** Held by one, while nobody else reads or writes. */
  readonly write: LockSide;

  constructor(options: LockOptions) {
    const recipe = recipeOf(options);
    this.read = sideOf(new Contest(recipe, 'read lock', options.path, READER, writerInFront));
    this.write = sideOf(new Contest(recipe, 'write lock', options.path, WRITER, oneInFront));
  }
}

function sideOf(contest: Contest): LockSide {
  return {
    acquire: (options = {}) => contest.acquire(options),
    tryAcquire: (options = {}) => contest.tryAcquire(options),
    run: async (work, options = {}) => await whileHeld(await contest.acquire(options), work),
  };
}
