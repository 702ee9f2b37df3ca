// A line of those who wait: ephemeral sequential nodes in one directory, in the order of their numbers. Nobody watches
// the directory: each waits for one node in front of it to go, so that one departure wakes one, and never the herd.
// Elections, locks, leases and commands all stand in such lines. Bound to one session. Main thread.
//
//   /lock/wID_0000000004   in front: its turn
//   /lock/wID_0000000007   waits for …04
//   /lock/rID_0000000008   waits for …07       each recipe says whom one waits for (`Blocker`)

import { failure } from '../../engine/errors.js';
import { LINE_MAX, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import { childOf, sequenceOf } from '../store/node-path.js';
import { pause } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { childrenOf, ensurePath, gone, removeNode, tidyUp } from './nodes.js';
import { createProtected } from './protected-create.js';
import { insist, orAborted, type Recipe, type Subject } from './recipe.js';

/** A place in a line. */
export interface Place {
  readonly directory: string;
  readonly name: string;
  readonly path: string;
  /** Which change of the store created it: grows along the line. */
  readonly token: bigint;
  /** When an acknowledged write of the session was last asked for. */
  readonly provenAtMs: number;
  /** Directories that the last one who leaves takes along, in that order. */
  readonly tidy: readonly string[];
}

/** Of the names in a line, which one that place waits for; null: it is its turn. */
export type Blocker = (names: readonly string[], index: number) => string | null;

/** Waits for whoever is right in front. */
export const oneInFront: Blocker = (names, index) => names[index - 1] ?? null;

/** Attempts without a pause: it takes somebody who leaves at the same moment to need a second one. */
const AT_ONCE = 3;

interface LineOptions {
  readonly directory: string;
  /** Stands in front of the id in the name: what kind of contender it is. */
  readonly kind?: string;
  readonly data?: Uint8Array;
  /** Default: none. */
  readonly tidy?: readonly string[];
}

/** Goes to the end of the line; makes the directory where it is not there. */
export async function takePlace(recipe: Recipe, line: LineOptions, over: AbortSignal): Promise<Place> {
  const { session, clock, newId } = recipe;
  const { directory, kind = '', data = new Uint8Array(), tidy = [] } = line;
  for (let attempt = 1; ; attempt++) {
    let creating: Promise<string> | null = null;
    try {
      await ensurePath(recipe, directory, over);
      const provenAtMs = clock.now();
      creating = createProtected(session, clock, directory, `${kind}${newId()}`, data, 'ephemeral-sequential');
      const path = childOf(directory, await orAborted(creating, over));
      const stat = await insist(recipe, over, () => session.exists(path, { signal: over }));
      const name = path.slice(directory.length + 1);
      if (stat !== null) return { directory, name, path, token: stat.createRevision, provenAtMs, tidy };
    } catch (error) {
      const left = creating?.then((name) => removeNode(recipe, childOf(directory, name))).catch(() => undefined);
      // The last one to leave a line takes the directory along.
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) {
        void Promise.resolve(left).then(() => tidyUp(recipe, tidy));
        throw error;
      }
    }
    if (attempt > AT_ONCE) await pause(clock, STORE_RETRY_MIN_MS, over);
  }
}

/** Leaves the line, and takes along what nobody is in any more; never rejects. */
export async function leavePlace(recipe: Recipe, place: Place): Promise<void> {
  await removeNode(recipe, place.path);
  await tidyUp(recipe, place.tidy);
}

/**
 * The one that a place waits for; null when it is its turn, undefined when the place itself is gone.
 *
 * @throws MILLRACE_RECIPE_TOO_MANY when it is behind so many that it must not wait
 */
export async function blockerOf(
  recipe: Recipe,
  subject: Subject,
  place: Place,
  blocker: Blocker,
  over: AbortSignal,
): Promise<string | null | undefined> {
  const line = inLine((await childrenOf(recipe, place.directory, over)) ?? []);
  const index = line.indexOf(place.name);
  if (index < 0) return undefined;
  const found = blocker(line, index);
  if (found !== null && index >= LINE_MAX) {
    throw failure('MILLRACE_RECIPE_TOO_MANY', { ...subject, count: LINE_MAX });
  }
  return found;
}

/** Resolves with true when it is that place's turn, and with false when the place is gone. */
export async function waitForTurn(
  recipe: Recipe,
  subject: Subject,
  place: Place,
  blocker: Blocker,
  over: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const found = await blockerOf(recipe, subject, place, blocker, over);
    if (found === null) return true;
    if (found === undefined) return false;
    await gone(recipe, childOf(place.directory, found), over);
  }
}

/** Those of the names that stand in a line, in its order. */
export function inLine(names: readonly string[]): string[] {
  return names
    .filter((name) => sequenceOf(name) !== null)
    .sort((left, right) => sequenceOf(left)! - sequenceOf(right)!);
}

/**
 * Who waited long has a session of which nobody knows whether it lives: has it proved.
 *
 * @returns when the last acknowledged write was asked for; null when the node is gone
 */
export async function proveTurn(recipe: Recipe, place: Place, over: AbortSignal): Promise<number | null> {
  const { session, clock } = recipe;
  if (session.timeoutMs === null || clock.now() < place.provenAtMs + session.timeoutMs / 8) return place.provenAtMs;
  const checks = [{ type: 'check', path: place.path, version: null }] as const;
  let askedAtMs = clock.now();
  try {
    await insist(recipe, over, () => {
      askedAtMs = clock.now();
      return session.multi(checks, { signal: over });
    });
    return askedAtMs;
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
    throw error;
  }
}
