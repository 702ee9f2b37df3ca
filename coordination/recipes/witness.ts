// Writes that are carried out exactly once though answers get lost: each transaction also sets a node of our own, whose
// version then tells whether it was carried out. What was changed since by others does not matter, as it would if we
// looked at the changed nodes themselves. One write at a time. Bound to one session. Main thread.
//
//   multi [ set own node at version 7, ... ] ─ answer lost ─► sync, own node at 7: not carried out, again
//                                                                             8: carried out

import { failure, isMillraceError } from '../../engine/errors.js';
import { STORE_RETRY_MIN_MS, WITNESSED_MAX } from '../../engine/limits.js';
import type { Operation, OperationResult } from '../store/contract.js';
import { childOf } from '../store/node-path.js';
import { pause } from '../store/signals.js';
import { hasCode, isPassing, operationOf, withOperation } from '../store/store-errors.js';
import { ensurePath, removeNode } from './nodes.js';
import { insist, orAborted, type Recipe, type Subject } from './recipe.js';

const EMPTY = new Uint8Array();

/**
 * Carries the operations out once.
 *
 * @returns the results of these operations; null: they were carried out, and the results got lost
 * @throws what `multi` throws but for passing failures, with `operationOf` counting from these operations
 */
export type WriteOnce = (operations: readonly Operation[]) => Promise<readonly OperationResult[] | null>;

export class Witness {
  private readonly recipe: Recipe;
  private readonly subject: Subject;
  private readonly directory: string;
  /** The node, and the version that it has. */
  private own: { readonly path: string; version: number } | null = null;
  private working: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** @param directory - where its node is, among others; made when it is not there */
  constructor(recipe: Recipe, subject: Subject, directory: string) {
    this.recipe = recipe;
    this.subject = subject;
    this.directory = directory;
  }

  /**
   * Does the work when what was asked for before is done.
   *
   * @throws MILLRACE_RECIPE_TOO_MANY, the reason of the signal, after which a write may be carried out all the same,
   * and what the work throws
   */
  async inTurn<T>(over: AbortSignal, work: (write: WriteOnce) => Promise<T>): Promise<T> {
    if (this.waiting >= WITNESSED_MAX) {
      throw failure('MILLRACE_RECIPE_TOO_MANY', { ...this.subject, count: WITNESSED_MAX });
    }
    this.waiting++;
    const turn = this.working.then(async () => {
      over.throwIfAborted();
      return await work((operations) => this.write(operations, over));
    });
    this.working = turn.then(
      () => void this.waiting--,
      () => void this.waiting--,
    );
    // Who gives up does not wait for those before it.
    return await orAborted(turn, over);
  }

  /** Takes its node away. */
  async close(): Promise<void> {
    await this.working;
    const { own } = this;
    this.own = null;
    if (own !== null) await removeNode(this.recipe, own.path);
  }

  private async write(operations: readonly Operation[], over: AbortSignal): Promise<readonly OperationResult[] | null> {
    const { session, clock } = this.recipe;
    for (;;) {
      over.throwIfAborted();
      const own = (this.own ??= await this.begin(over));
      try {
        const set = { type: 'set', path: own.path, data: EMPTY, version: own.version } as const;
        const results = await orAborted(session.multi([set, ...operations]), over);
        own.version++;
        return results.slice(1);
      } catch (error) {
        if (over.aborted) throw this.forget(error);
        const operation = operationOf(error);
        if (operation !== null && operation > 0 && isMillraceError(error)) throw withOperation(error, operation - 1);
        // Somebody deleted or changed it by hand.
        const isGone = hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_BAD_VERSION');
        if (operation === 0 && isGone) this.forget(error);
        else if (!isPassing(error)) throw error;
        else if (hasCode(error, 'MILLRACE_STORE_UNCERTAIN') && (await this.wasCarriedOut(own, error, over)))
          return null;
        else await pause(clock, STORE_RETRY_MIN_MS, over);
      }
    }
  }

  private async wasCarriedOut(
    own: { readonly path: string; version: number },
    cause: unknown,
    over: AbortSignal,
  ): Promise<boolean> {
    const { session } = this.recipe;
    try {
      await insist(this.recipe, over, () => session.sync(own.path, { signal: over }));
      const stat = await insist(this.recipe, over, () => session.exists(own.path, { signal: over }));
      if (stat?.version === own.version) return false;
      if (stat?.version !== own.version + 1) throw this.forget(cause);
    } catch (error) {
      throw this.forget(error);
    }
    own.version++;
    return true;
  }

  private async begin(over: AbortSignal): Promise<{ readonly path: string; version: number }> {
    const { recipe, directory } = this;
    const path = childOf(directory, `witness-${recipe.newId()}`);
    for (;;) {
      await ensurePath(recipe, directory, over);
      try {
        await insist(recipe, over, () => recipe.session.create(path, EMPTY, 'ephemeral'));
        return { path, version: 0 };
      } catch (error) {
        // Nobody else has that name.
        if (hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) return { path, version: 0 };
        if (over.aborted) void removeNode(recipe, path);
        if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
      }
    }
  }

  /** Its version is not known any more: the next write takes another node. */
  private forget(error: unknown): unknown {
    const { own } = this;
    this.own = null;
    if (own !== null) void removeNode(this.recipe, own.path);
    return error;
  }
}
