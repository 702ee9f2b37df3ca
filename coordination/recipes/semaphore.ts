// A semaphore: a number of leases, each held by one, given out in the order in which they were asked for. Bound to one
// session. Main thread.
//
//   PATH                     {"leases": 3}: the same for all who share it
//   PATH/line/ID_0000000004  who waits; only the first looks at the leases (front-of-line.ts)
//   PATH/leases/ID           who holds one

import { LEASES_MAX } from '../../engine/limits.js';
import { childOf } from '../store/node-path.js';
import { hasCode, operationOf } from '../store/store-errors.js';
import { atFront, takeNode, type Attempt } from './front-of-line.js';
import { HeldNode, type Holding } from './holding.js';
import type { Place } from './line.js';
import { whileHeld } from './lock.js';
import { agreeOn, checkCount, childrenChange, childrenOf, ensurePath, removeNode, tidyUp } from './nodes.js';
import { recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';

export interface SemaphoreOptions extends RecipeOptions {
  /** Made when it is not there, deleted when nobody is there any more. */
  readonly path: string;
  /** How many hold a lease at a time: 1 to `LEASES_MAX`, the same for all who share the path. */
  readonly leases: number;
}

/**
 * A semaphore: so many hold a lease at a time, first come, first served.
 *
 * @example
 * ```ts
 * const downloads = new Semaphore({ session, path: '/limits/downloads', leases: 4 });
 * await downloads.run(async (lease) => await download({ signal: lease.lost }));
 * ```
 */
export class Semaphore {
  readonly what = 'semaphore';
  readonly path: string;
  private readonly recipe: Recipe;
  private readonly count: number;
  private readonly leases: string;
  private readonly line: string;
  /** What the last one takes along. */
  private readonly tidy: readonly string[];

  /** @throws MILLRACE_RECIPE_OPTION */
  constructor(options: SemaphoreOptions) {
    this.recipe = recipeOf(options);
    this.path = options.path;
    this.count = options.leases;
    checkCount(this, 'leases', this.count, 1, LEASES_MAX);
    this.leases = childOf(this.path, 'leases');
    this.line = childOf(this.path, 'line');
    this.tidy = [this.leases, this.line, this.path];
  }

  /**
   * Waits until a lease is held.
   *
   * @throws MILLRACE_RECIPE_TIMEOUT, MILLRACE_RECIPE_TOO_MANY, MILLRACE_RECIPE_DIFFERS, the reason of the signal, and
   * what the store throws
   */
  async acquire(options: WaitOptions = {}): Promise<Holding> {
    return (await this.get(options, true))!;
  }

  /** Takes a lease if one is free now and nobody waits, else null. */
  async tryAcquire(options: WaitOptions = {}): Promise<Holding | null> {
    return await this.get(options, false);
  }

  /** Does the work while a lease is held, and gives it back after. */
  async run<T>(work: (held: Holding) => Promise<T>, options: WaitOptions = {}): Promise<T> {
    return await whileHeld((await this.get(options, true))!, work);
  }

  private async get(options: WaitOptions, patient: boolean): Promise<HeldNode | null> {
    const { recipe, line: directory, tidy } = this;
    return await within(recipe, this, options, async (over) => {
      try {
        await agreeOn(recipe, this, 'leases', this.count, over);
      } catch (error) {
        if (over.aborted) void tidyUp(recipe, tidy);
        throw error;
      }
      const attempt = (place: Place): Promise<Attempt<HeldNode>> => this.attempt(place, patient, over);
      return await atFront(recipe, this, { directory, patient, tidy }, over, attempt);
    });
  }

  private async attempt(place: Place, patient: boolean, over: AbortSignal): Promise<Attempt<HeldNode>> {
    const { recipe, leases } = this;
    const path = childOf(leases, recipe.newId());
    for (;;) {
      const held = await childrenOf(recipe, leases, over);
      if (held === null) {
        await ensurePath(recipe, leases, over);
      } else if (held.length >= this.count) {
        if (!patient) return 'nothing';
        await childrenChange(recipe, over, new Map([[leases, held]]));
      } else {
        try {
          const taken = await takeNode(recipe, place, path, [], over);
          if (taken === null) return 'gone';
          return { got: this.hold(path, taken) };
        } catch (error) {
          if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
          // Either the place is gone, or the last one who left took the directory along.
          if (operationOf(error) === 0) return 'gone';
        }
      }
    }
  }

  private hold(path: string, taken: { readonly token: bigint; readonly provenAtMs: number }): HeldNode {
    const { recipe, tidy } = this;
    const after = (): Promise<void> => tidyUp(recipe, tidy);
    try {
      return new HeldNode({ recipe, path, ...taken, after });
    } catch (error) {
      void removeNode(recipe, path).then(after);
      throw error;
    }
  }
}
