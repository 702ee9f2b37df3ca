// Barriers. A plain one is a node that holds everybody up while it is there. A double one lets a number of members
// begin together and end together, round after round. Bound to one session. Main thread.
//
//   PATH                        {"members": 3}: the same for all who share it
//   PATH/members/ID_0000000004  who came; in the order of their coming
//   PATH/round                  {"round": 7, "names": [...]}: who is in the round that began last
//
//   enter ─► in line ─► the last round is over, and enough are there: the first one writes the next round ─► inside
//   leave ─► own node deleted ─► everybody of the round has left, or is lost
//
// The round's version decides which round comes next, and the same transaction proves that all of it are there. Who is
// too many, or comes while a round goes on, is in a later one.

import { BARRIER_MEMBERS_MAX, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import { fromNode, hasKeys, toData } from '../store/json-node.js';
import type { Subscription } from '../store/contract.js';
import { childOf } from '../store/node-path.js';
import { pause } from '../store/signals.js';
import { hasCode, isPassing } from '../store/store-errors.js';
import { HeldNode } from './holding.js';
import { inLine, proveTurn, takePlace, type Place } from './line.js';
import { agreeOn, checkCount, childrenChange, childrenOf, ensurePath, gone, removeNode, until } from './nodes.js';
import { insist, orAborted, recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';

export interface BarrierOptions extends RecipeOptions {
  readonly path: string;
}

/**
 * A barrier: while it is raised, all who come to it wait.
 *
 * @example
 * ```ts
 * const barrier = new Barrier({ session, path: '/maintenance' });
 * await barrier.raise();
 * await barrier.lift();
 * await barrier.wait({ timeoutMs: 30_000 });   // elsewhere
 * ```
 */
export class Barrier {
  readonly what = 'barrier';
  readonly path: string;
  private readonly recipe: Recipe;

  constructor(options: BarrierOptions) {
    this.recipe = recipeOf(options);
    this.path = options.path;
  }

  /** Raises it, until somebody lifts it. Does nothing when it is raised. */
  async raise(options: WaitOptions = {}): Promise<void> {
    await within(this.recipe, this, options, (over) => ensurePath(this.recipe, this.path, over));
  }

  /** Lifts it, whoever raised it. Does nothing when it is not raised. */
  async lift(options: WaitOptions = {}): Promise<void> {
    const { recipe, path } = this;
    await within(recipe, this, options, async (over) => {
      await insist(recipe, over, () => recipe.session.delete(path, null, { signal: over })).catch((error: unknown) => {
        if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
      });
    });
  }

  /**
   * Resolves when it is not raised.
   *
   * @throws MILLRACE_RECIPE_TIMEOUT, the reason of the signal, and what the store throws
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    const { recipe, path } = this;
    await within(recipe, this, options, async (over) => {
      await insist(recipe, over, () => recipe.session.sync(path, { signal: over }));
      await gone(recipe, path, over);
    });
  }
}

export interface DoubleBarrierOptions extends BarrierOptions {
  /** How many begin a round together: 1 to `BARRIER_MEMBERS_MAX`, the same for all who share the path. */
  readonly members: number;
}

/** A place in a round that has begun. */
export interface Inside {
  /** Which round: counts up. */
  readonly round: number;
  /** Aborted when the place is lost, with MILLRACE_LOCK_LOST: the others do not wait for this one any more. */
  readonly lost: AbortSignal;
  /**
   * Leaves, and resolves when all others of the round have left or are lost.
   *
   * @throws MILLRACE_RECIPE_TIMEOUT, the reason of the signal, and what the store throws; it has left all the same
   */
  leave(options?: WaitOptions): Promise<void>;
}

interface Round {
  readonly round: number;
  readonly names: readonly string[];
}

const isRound = (value: unknown): value is Round =>
  hasKeys(value, 'round', 'names') && Number.isSafeInteger(value.round) && Array.isArray(value.names);

/**
 * A barrier at both ends: so many begin together, and end together.
 *
 * @example
 * ```ts
 * const barrier = new DoubleBarrier({ session, path: '/rounds', members: 3 });
 * const inside = await barrier.enter();
 * await computeRound(inside.round);
 * await inside.leave();
 * ```
 */
export class DoubleBarrier {
  readonly what = 'double barrier';
  readonly path: string;
  private readonly recipe: Recipe;
  private readonly count: number;
  private readonly members: string;
  private readonly round: string;

  /** @throws MILLRACE_RECIPE_OPTION */
  constructor(options: DoubleBarrierOptions) {
    this.recipe = recipeOf(options);
    this.path = options.path;
    this.count = options.members;
    checkCount(this, 'members', this.count, 1, BARRIER_MEMBERS_MAX);
    this.members = childOf(this.path, 'members');
    this.round = childOf(this.path, 'round');
  }

  /**
   * Waits until enough are there, and the round before is over.
   *
   * @throws MILLRACE_RECIPE_TIMEOUT, MILLRACE_RECIPE_DIFFERS, the reason of the signal, and what the store throws
   */
  async enter(options: WaitOptions = {}): Promise<Inside> {
    const { recipe } = this;
    return await within(recipe, this, options, async (over) => {
      await agreeOn(recipe, this, 'members', this.count, over);
      const none = toData({ round: 0, names: [] } satisfies Round);
      for (;;) {
        await ensurePath(recipe, this.round, over, none);
        const place = await takePlace(recipe, { directory: this.members }, over);
        let inside: Inside | null = null;
        try {
          const began = await this.begun(place, over);
          const provenAtMs = began === null ? null : await proveTurn(recipe, place, over);
          if (began !== null && provenAtMs !== null) inside = this.hold(place, began, provenAtMs);
        } finally {
          if (inside === null) {
            const left = removeNode(recipe, place.path);
            if (!over.aborted) await orAborted(left, over);
          }
        }
        if (inside !== null) return inside;
      }
    });
  }

  /** Resolves with the round that this place is in; null when the place is gone. */
  private async begun(place: Place, over: AbortSignal): Promise<Round | null> {
    const { recipe, members, count } = this;
    const { session } = recipe;
    for (;;) {
      const node = await insist(recipe, over, () => session.get(this.round, { signal: over }));
      const last = fromNode(node, isRound);
      const names = (await childrenOf(recipe, members, over)) ?? [];
      const line = inLine(names);
      if (!line.includes(place.name)) return null;
      if (last.names.includes(place.name)) return last;
      const goesOn = last.names.some((name) => line.includes(name));
      if (goesOn || line.length < count || line[0] !== place.name) {
        await this.change(node.stat.version, names, over);
        continue;
      }
      const next: Round = { round: last.round + 1, names: line.slice(0, count) };
      try {
        await orAborted(
          session.multi([
            ...next.names.map((name) => ({ type: 'check', path: childOf(members, name), version: null }) as const),
            { type: 'set', path: this.round, data: toData(next), version: node.stat.version },
          ]),
          over,
        );
      } catch (error) {
        // What has become of it is read again.
        if (isPassing(error)) await pause(recipe.clock, STORE_RETRY_MIN_MS, over);
        else if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
      }
    }
  }

  /** Resolves when somebody came or went, or a round began. */
  private async change(version: number, names: readonly string[], over: AbortSignal): Promise<void> {
    const { recipe, round, members } = this;
    await until(recipe, over, (session, met) => {
      const first: Subscription = session.watchNode(round, (node) => node?.stat.version !== version && met());
      try {
        const second = session.watchChildren(members, (now) => now?.join('/') !== names.join('/') && met());
        const close = (): void => {
          first.close();
          second.close();
        };
        return { close };
      } catch (error) {
        first.close();
        throw error;
      }
    });
  }

  private hold(place: Place, began: Round, provenAtMs: number): Inside {
    const { recipe } = this;
    const held = new HeldNode({ recipe, path: place.path, token: place.token, provenAtMs });
    const leave = async (options: WaitOptions = {}): Promise<void> => {
      await within(recipe, this, options, async (over) => {
        await orAborted(held.release(), over);
        await this.allLeft(began, over);
      });
    };
    return { round: began.round, lost: held.lost, leave };
  }

  private async allLeft({ names }: Round, over: AbortSignal): Promise<void> {
    const { recipe, members } = this;
    for (;;) {
      const there = await childrenOf(recipe, members, over);
      if (there === null || !names.some((name) => there.includes(name))) return;
      await childrenChange(recipe, over, new Map([[members, there]]));
    }
  }
}
