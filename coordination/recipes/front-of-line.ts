// Taking something from a stock that all share: leases, commands. Who wants some stands in a line, and only the first
// in it looks at the stock and takes; what it takes and its leaving the line are one transaction. So nobody else looks
// while the stock is empty, and nobody takes what another one just took: who comes to the front has seen the one
// before leave, and what that one took with it. Bound to one session. Main thread.
//
//   place ─► first ─► look: is there some? ─no─► wait for a change ─┐
//                      ▲ └──────────────────────────────────────────┘
//                      │ yes: multi [ check own place, ..., create what stands for it, delete own place ]
//                      └ refused: another one has it

import { STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Operation } from '../store/contract.js';
import { fromNode, isJson, toData } from '../store/json-node.js';
import { pause } from '../store/signals.js';
import { hasCode, isPassing, operationOf } from '../store/store-errors.js';
import { blockerOf, leavePlace, oneInFront, takePlace, waitForTurn, type Place } from './line.js';
import { removeNode, tidyUp } from './nodes.js';
import { insist, orAborted, type Recipe, type Subject } from './recipe.js';

/** What the first in the line came to: it has something, its place is gone, or there is nothing (only asked once). */
export type Attempt<T> = { readonly got: T } | 'gone' | 'nothing';

/**
 * Stands in the line until it is first and the attempt gives something.
 *
 * @param patient - false: null at once when it is not first, or there is nothing
 */
export async function atFront<T>(
  recipe: Recipe,
  subject: Subject,
  line: { readonly directory: string; readonly patient: boolean; readonly tidy?: readonly string[] },
  over: AbortSignal,
  attempt: (place: Place) => Promise<Attempt<T>>,
): Promise<T | null> {
  const { patient } = line;
  for (;;) {
    const place = await takePlace(recipe, line, over);
    let came: Attempt<T> = 'gone';
    try {
      const first = patient
        ? await waitForTurn(recipe, subject, place, oneInFront, over)
        : (await blockerOf(recipe, subject, place, oneInFront, over)) === null;
      if (first) came = await attempt(place);
      else if (!patient) came = 'nothing';
    } finally {
      if (typeof came === 'string') {
        const left = leavePlace(recipe, place);
        if (!over.aborted) await orAborted(left, over);
      }
    }
    if (came === 'nothing') return null;
    if (came !== 'gone') return came.got;
  }
}

/** What was taken. */
export interface Taken {
  /** Which change of the store created its node. */
  readonly token: bigint;
  readonly provenAtMs: number;
}

/**
 * Creates the ephemeral node that stands for what is taken, with these operations in front, and leaves the line.
 *
 * @returns null when it is not there although it was taken: somebody deleted it
 * @throws what the store refuses it for, with `operationOf`: 0 the place, 1 … the operations, then the node
 */
export async function takeNode(
  recipe: Recipe,
  place: Place,
  path: string,
  operations: readonly Operation[],
  over: AbortSignal,
): Promise<Taken | null> {
  const { session, clock, newId } = recipe;
  const nonce = newId();
  const all: readonly Operation[] = [
    { type: 'check', path: place.path, version: null },
    ...operations,
    { type: 'create', path, data: toData(nonce), mode: 'ephemeral' },
    { type: 'delete', path: place.path, version: null },
  ];
  for (;;) {
    over.throwIfAborted();
    const provenAtMs = clock.now();
    try {
      let uncertain = false;
      try {
        await orAborted(session.multi(all), over);
      } catch (error) {
        if (over.aborted || !isPassing(error)) throw error;
        uncertain = hasCode(error, 'MILLRACE_STORE_UNCERTAIN');
        if (!uncertain) {
          await pause(clock, STORE_RETRY_MIN_MS, over);
          continue;
        }
      }
      if (uncertain && !(await isOurs(recipe, path, nonce, over))) continue;
      const stat = await insist(recipe, over, () => session.exists(path, { signal: over }));
      return stat === null ? null : { token: stat.createRevision, provenAtMs };
    } catch (error) {
      // Given up, or not known any more: whatever came through goes again, and what is another's stays.
      if (operationOf(error) === null) void undo(recipe, path, nonce).then(() => tidyUp(recipe, place.tidy));
      throw error;
    }
  }
}

async function isOurs(recipe: Recipe, path: string, nonce: string, over: AbortSignal): Promise<boolean> {
  const { session } = recipe;
  try {
    await insist(recipe, over, () => session.sync(path, { signal: over }));
    const node = await insist(recipe, over, () => session.get(path, { signal: over }));
    return fromNode(node, isJson) === nonce;
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_CONTENT')) return false;
    throw error;
  }
}

async function undo(recipe: Recipe, path: string, nonce: string): Promise<void> {
  const ours = await isOurs(recipe, path, nonce, recipe.session.ended).catch(() => false);
  if (ours) await removeNode(recipe, path);
}
