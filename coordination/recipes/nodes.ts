// Small steps with nodes that recipes have in common, each going on over passing failures: a directory with those above
// it, a node that is gone for certain, a number that all who share a path must agree on. Main thread.

import { failure, reasonOf } from '../../engine/errors.js';
import { RECIPE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Session, Subscription } from '../store/contract.js';
import { fromNode, toData } from '../store/json-node.js';
import { parentOf } from '../store/node-path.js';
import { aborted, pause } from '../store/signals.js';
import { hasCode, isPassing, isSessionOver } from '../store/store-errors.js';
import { insist, type Recipe, type Subject } from './recipe.js';

const EMPTY = new Uint8Array();

/** Creates a persistent node, and those above it, if it is not there. */
export async function ensurePath(
  recipe: Recipe,
  path: string,
  over: AbortSignal,
  data: Uint8Array = EMPTY,
): Promise<void> {
  const { session } = recipe;
  // `exists` needs no right: who may not create here is not asked to, where somebody did before.
  while ((await insist(recipe, over, () => session.exists(path, { signal: over }))) === null) {
    if (parentOf(path) !== '/') await ensurePath(recipe, parentOf(path), over);
    try {
      await insist(recipe, over, () => session.create(path, data, 'persistent', { signal: over }));
      return;
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS', 'MILLRACE_STORE_NO_NODE')) throw error;
    }
  }
}

/**
 * Deletes a node that is ours alone, and goes on until it is gone or the session is over, which takes it along. Never
 * rejects.
 */
export async function removeNode(recipe: Recipe, path: string): Promise<void> {
  const { session, clock, logger } = recipe;
  for (let waitMs = STORE_RETRY_MIN_MS; !session.ended.aborted; waitMs = Math.min(waitMs * 2, RECIPE_RETRY_MAX_MS)) {
    try {
      await session.delete(path, null);
      return;
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE') || isSessionOver(error)) return;
      if (!isPassing(error)) {
        logger.warn(`"${path}" was not deleted: ${reasonOf(error)}`);
        return;
      }
    }
    await pause(clock, waitMs, session.ended);
  }
}

/** Deletes directories that nobody is in, in that order; what is in use, or cannot be reached now, stays. */
export async function tidyUp(recipe: Recipe, paths: readonly string[]): Promise<void> {
  const { session } = recipe;
  for (const path of paths) {
    try {
      const stat = await session.exists(path);
      if (stat === null) continue;
      // A read is cheap, and a refused write is not.
      if (stat.childCount > 0) return;
      await session.delete(path, null);
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) return;
    }
  }
}

/** Resolves when that node is gone. */
export async function gone(recipe: Recipe, path: string, over: AbortSignal): Promise<void> {
  await until(recipe, over, (session, met) => session.watchNode(path, (node) => node === null && met()));
}

/**
 * Resolves when what is watched is as it should be.
 *
 * @param watch - begins to watch, and says when that is so
 */
export async function until(
  recipe: Recipe,
  over: AbortSignal,
  watch: (session: Session, met: () => void) => Subscription,
): Promise<void> {
  const there = new AbortController();
  const watching = await insist(recipe, over, () => watch(recipe.session, () => there.abort()));
  await aborted(there.signal, over);
  watching.close();
  over.throwIfAborted();
}

/**
 * Resolves when the children of one of these directories are others than those that were seen; null: it is not there.
 */
export async function childrenChange(
  recipe: Recipe,
  over: AbortSignal,
  seen: ReadonlyMap<string, readonly string[] | null>,
): Promise<void> {
  await until(recipe, over, (session, met) => {
    const watches: Subscription[] = [];
    const close = (): void => watches.forEach((watch) => watch.close());
    try {
      for (const [path, before] of seen) {
        watches.push(session.watchChildren(path, (names) => names?.join('/') !== before?.join('/') && met()));
      }
    } catch (error) {
      close();
      throw error;
    }
    return { close };
  });
}

/** The names of the children, sorted; null: there is no such node. */
export async function childrenOf(recipe: Recipe, path: string, over: AbortSignal): Promise<readonly string[] | null> {
  const { session } = recipe;
  return await insist(recipe, over, async () => {
    try {
      return await session.children(path, { signal: over });
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
      throw error;
    }
  });
}

/**
 * Creates the node with these numbers, or checks that who created it gave the same.
 *
 * @throws MILLRACE_RECIPE_DIFFERS, MILLRACE_STORE_CONTENT
 */
export async function agreeOn(
  recipe: Recipe,
  subject: Subject,
  name: string,
  ours: number,
  over: AbortSignal,
): Promise<void> {
  const { session } = recipe;
  const { path } = subject;
  const data = toData({ [name]: ours });
  for (;;) {
    await ensurePath(recipe, path, over, data);
    try {
      const node = await insist(recipe, over, () => session.get(path, { signal: over }));
      if (node.data.byteLength === 0) {
        // It was made as the parent of something.
        await insist(recipe, over, () => session.set(path, data, node.stat.version, { signal: over }));
        continue;
      }
      const isIt = (value: unknown): value is Readonly<Record<string, number>> =>
        typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'number';
      const theirs = fromNode(node, isIt)[name]!;
      if (theirs === ours) return;
      throw failure('MILLRACE_RECIPE_DIFFERS', { ...subject, theirs: `${theirs} ${name}`, ours: `${ours}` });
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_BAD_VERSION')) throw error;
    }
  }
}

/**
 * Checks an option that is a whole number.
 *
 * @throws MILLRACE_RECIPE_OPTION
 */
export function checkCount(subject: Subject, option: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  const reason = `it is a whole number from ${min} to ${max}`;
  throw failure('MILLRACE_RECIPE_OPTION', { ...subject, option, value, reason });
}
