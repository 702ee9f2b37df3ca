// A number that all share, and blocks of ids from it. A count whose answer got lost is neither lost nor made twice
// (witness.ts). Bound to one session. Main thread.
//
//   PATH             {"value": 42}
//   PATH/witness-ID  of each process that counts

import { failure } from '../../engine/errors.js';
import { ID_BLOCK_MAX } from '../../engine/limits.js';
import { fromNode, hasKeys, toData } from '../store/json-node.js';
import { whenAborted } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { checkCount, ensurePath } from './nodes.js';
import { insist, orAborted, recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';
import { Witness } from './witness.js';

export interface CounterOptions extends RecipeOptions {
  /** The node of the number; made when it is first counted. */
  readonly path: string;
}

interface Count {
  readonly value: number;
}

const isCount = (value: unknown): value is Count => hasKeys(value, 'value') && Number.isSafeInteger(value.value);

/**
 * A number that all share.
 *
 * @example
 * ```ts
 * const visits = new Counter({ session, path: '/counts/visits' });
 * const now = await visits.add(1);
 * await visits.close();
 * ```
 */
export class Counter {
  readonly what = 'counter';
  readonly path: string;
  private readonly recipe: Recipe;
  private readonly witness: Witness;

  constructor(options: CounterOptions) {
    this.recipe = recipeOf(options);
    this.path = options.path;
    this.witness = new Witness(this.recipe, this, this.path);
  }

  /**
   * What it stands at; 0 when nobody has counted.
   *
   * @throws MILLRACE_STORE_CONTENT, MILLRACE_RECIPE_TIMEOUT, and what the store throws
   */
  async get(options: WaitOptions = {}): Promise<number> {
    const { session } = this.recipe;
    return await within(this.recipe, this, options, async (over) => {
      await insist(this.recipe, over, () => session.sync(this.path, { signal: over }));
      return (await this.read(over))?.value ?? 0;
    });
  }

  /**
   * Counts on, exactly once.
   *
   * @param by - a whole number, also a negative one
   * @returns what it stands at then: no two callers get the same, where all count up
   * @throws MILLRACE_COUNTER_RANGE, MILLRACE_STORE_CONTENT, MILLRACE_RECIPE_TIMEOUT or the reason of the signal, after
   * which it may be counted all the same, and what the store throws
   */
  async add(by: number, options: WaitOptions = {}): Promise<number> {
    const { recipe, path } = this;
    return await within(recipe, this, options, (over) =>
      this.witness.inTurn(over, async (write) => {
        for (;;) {
          const last = await this.read(over);
          if (last === null) {
            await ensurePath(recipe, path, over, toData({ value: 0 } satisfies Count));
            continue;
          }
          const value = last.value + by;
          if (!Number.isSafeInteger(value)) throw failure('MILLRACE_COUNTER_RANGE', { path, value: last.value, by });
          try {
            await write([{ type: 'set', path, data: toData({ value } satisfies Count), version: last.version }]);
            return value;
          } catch (error) {
            if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
          }
        }
      }),
    );
  }

  /** Takes along what it needed for counting; the number stays. */
  async close(): Promise<void> {
    await this.witness.close();
  }

  private async read(over: AbortSignal): Promise<{ readonly value: number; readonly version: number } | null> {
    const { session } = this.recipe;
    try {
      const node = await insist(this.recipe, over, () => session.get(this.path, { signal: over }));
      // Made as the parent of something: nobody has counted.
      if (node.data.byteLength === 0) return { value: 0, version: node.stat.version };
      return { value: fromNode(node, isCount).value, version: node.stat.version };
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
      throw error;
    }
  }
}

export interface IdBlocksOptions extends CounterOptions {
  /** How many ids are taken from the store at a time: 1 to `ID_BLOCK_MAX`. Default 1000. */
  readonly size?: number;
}

/**
 * Ids that no two callers get, from 0 on: each process takes blocks of them. What is left of a block when its process
 * or session ends is given to nobody.
 *
 * @example
 * ```ts
 * const ids = new IdBlocks({ session, path: '/ids/orders', size: 1000 });
 * const id = await ids.next();
 * ```
 */
export class IdBlocks {
  readonly what = 'ids of';
  readonly path: string;
  private readonly recipe: Recipe;
  private readonly counter: Counter;
  private readonly size: number;
  private nextId = 0;
  private endId = 0;
  private refilling: Promise<void> | null = null;
  /** It was closed, or the session is over. */
  private readonly ending = new AbortController();
  private readonly unfollow: () => void;

  /** @throws MILLRACE_RECIPE_OPTION */
  constructor(options: IdBlocksOptions) {
    this.recipe = recipeOf(options);
    this.path = options.path;
    this.size = options.size ?? 1000;
    checkCount(this, 'size', this.size, 1, ID_BLOCK_MAX);
    this.counter = new Counter(options);
    const { ended } = this.recipe.session;
    this.unfollow = whenAborted([ended], () => this.ending.abort(ended.reason));
  }

  /**
   * An id that was given to nobody before.
   *
   * @throws as `Counter.add`, and MILLRACE_STORE_CLOSED after `close`
   */
  async next(options: WaitOptions = {}): Promise<number> {
    const work = async (over: AbortSignal): Promise<number> => {
      while (this.nextId >= this.endId) await orAborted((this.refilling ??= this.refill()), over);
      return this.nextId++;
    };
    return await within(this.recipe, this, options, work, this.ending.signal);
  }

  /** Takes along what it needed; ids that were given stay given, and no more are. */
  async close(): Promise<void> {
    this.unfollow();
    this.ending.abort(failure('MILLRACE_STORE_CLOSED', { session: this.recipe.session.id }));
    await this.counter.close();
  }

  /** One block for all who wait; it goes on when they have given up. */
  private async refill(): Promise<void> {
    try {
      const endId = await this.counter.add(this.size, { timeoutMs: Infinity, signal: this.ending.signal });
      this.nextId = endId - this.size;
      this.endId = endId;
    } finally {
      this.refilling = null;
    }
  }
}
