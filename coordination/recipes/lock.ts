// A lock that one contender of all processes has at a time, in the order in which they asked. Bound to one session.
// Main thread.
//
//   acquire ─► place in the line ─► turn? ─no─► wait for the one in front to go ─┐
//                 ▲ own node gone     │ ▲──────────────────────────────────────────┘
//                 └───────────────────┤ yes
//                                     ▼
//                      held ─ release ─► node deleted        lost: session over, node deleted by hand, silence
//
// A lock is the writing side of a read-write lock, so both may be used at one path.

import { HeldNode, type Holding } from './holding.js';
import {
  blockerOf,
  leavePlace,
  oneInFront,
  proveTurn,
  takePlace,
  waitForTurn,
  type Blocker,
  type Place,
} from './line.js';
import { tidyUp } from './nodes.js';
import { orAborted, recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';

export interface LockOptions extends RecipeOptions {
  /** The node that the contenders line up below; made when it is not there, deleted when nobody is there any more. */
  readonly path: string;
}

/**
 * A lock: first come, first served.
 *
 * @example
 * ```ts
 * const lock = new Lock({ session, path: '/locks/report' });
 * await lock.run(async (held) => {
 *   await writeReport({ token: held.token, signal: held.lost });
 * });
 * ```
 */
export class Lock {
  private readonly contest: Contest;

  constructor(options: LockOptions) {
    this.contest = new Contest(recipeOf(options), 'lock', options.path, WRITER, oneInFront);
  }

  /**
   * Waits until it is held. Each call is a contender of its own, so who holds it and asks again waits for himself.
   *
   * @throws MILLRACE_RECIPE_TIMEOUT, MILLRACE_RECIPE_TOO_MANY, the reason of the signal, and what the store throws
   */
  async acquire(options: WaitOptions = {}): Promise<Holding> {
    return await this.contest.acquire(options);
  }

  /** Takes it if nobody holds or awaits it now, else null. */
  async tryAcquire(options: WaitOptions = {}): Promise<Holding | null> {
    return await this.contest.tryAcquire(options);
  }

  /**
   * Does the work while it is held, and gives it back after. A work that goes on after `held.lost` is not ended for it;
   * as long as the session lives, nobody else has the lock before the work has ended.
   *
   * @throws what `acquire` and the work throw, and MILLRACE_LOCK_LOST when it was lost before the work began
   */
  async run<T>(work: (held: Holding) => Promise<T>, options: WaitOptions = {}): Promise<T> {
    return await whileHeld(await this.contest.acquire(options), work);
  }
}

/** Kinds of contenders in the line of a lock, as the first letter of their names. */
export const WRITER = 'w';
export const READER = 'r';

/** Getting something by standing in a line for it. */
export class Contest {
  private readonly recipe: Recipe;
  readonly what: string;
  readonly path: string;
  private readonly kind: string;
  private readonly blocker: Blocker;

  constructor(recipe: Recipe, what: string, path: string, kind: string, blocker: Blocker) {
    this.recipe = recipe;
    this.what = what;
    this.path = path;
    this.kind = kind;
    this.blocker = blocker;
  }

  async acquire(options: WaitOptions): Promise<HeldNode> {
    const { recipe, blocker } = this;
    return await within(recipe, this, options, async (over) => {
      for (;;) {
        const place = await this.takePlace(over);
        const held = await this.orLeave(place, over, async () => {
          return (await waitForTurn(recipe, this, place, blocker, over)) ? await this.hold(place, over) : null;
        });
        if (held !== null) return held;
      }
    });
  }

  async tryAcquire(options: WaitOptions): Promise<HeldNode | null> {
    const { recipe, blocker } = this;
    return await within(recipe, this, options, async (over) => {
      const place = await this.takePlace(over);
      return await this.orLeave(place, over, async () => {
        return (await blockerOf(recipe, this, place, blocker, over)) === null ? await this.hold(place, over) : null;
      });
    });
  }

  private async takePlace(over: AbortSignal): Promise<Place> {
    return await takePlace(this.recipe, { directory: this.path, kind: this.kind, tidy: [this.path] }, over);
  }

  /** What the work gives; when that is nothing, the place is left. */
  private async orLeave(
    place: Place,
    over: AbortSignal,
    work: () => Promise<HeldNode | null>,
  ): Promise<HeldNode | null> {
    let held: HeldNode | null = null;
    try {
      held = await work();
    } finally {
      if (held === null) {
        const left = leavePlace(this.recipe, place);
        if (!over.aborted) await orAborted(left, over);
      }
    }
    return held;
  }

  /** Null when the node is gone. */
  private async hold(place: Place, over: AbortSignal): Promise<HeldNode | null> {
    const { recipe } = this;
    const provenAtMs = await proveTurn(recipe, place, over);
    if (provenAtMs === null) return null;
    const after = (): Promise<void> => tidyUp(recipe, place.tidy);
    return new HeldNode({ recipe, path: place.path, token: place.token, provenAtMs, after });
  }
}

/** Does the work, which keeps what is held, and gives it back. */
export async function whileHeld<T>(held: HeldNode, work: (held: Holding) => Promise<T>): Promise<T> {
  try {
    return await held.keep(() => work(held));
  } finally {
    await held.release();
  }
}
