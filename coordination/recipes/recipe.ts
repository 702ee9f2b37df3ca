// What all recipes share: they are bound to one session, and everything that waits can be ended by its caller, by its
// time and by the end of the session, each with its own error. `over` is always the signal that joins the three.
// Main thread.

import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { RealClock, type Clock } from '../../engine/clock.js';
import { failure } from '../../engine/errors.js';
import { DURATION_MAX_MS, RECIPE_RETRY_MAX_MS, RECIPE_WAIT_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import { silentLogger, type Logger } from '../../engine/log.js';
import type { Session } from '../store/contract.js';
import { pause, whenAborted } from '../store/signals.js';
import { isPassing } from '../store/store-errors.js';

/** What every recipe is bound to. */
export interface RecipeOptions {
  /** All that the recipe holds goes with it; for the next session make a new recipe. */
  readonly session: Session;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** Makes ids of `A-Z a-z 0-9`, unlike all others that anybody makes. Default: 96 random bits. */
  readonly newId?: () => string;
}

/** The same with nothing left open. */
export type Recipe = Required<RecipeOptions>;

/** How long something may be waited for. */
export interface WaitOptions {
  /**
   * Milliseconds, at most `DURATION_MAX_MS`; `Infinity` waits as long as the session lives. Default `RECIPE_WAIT_MS`.
   */
  readonly timeoutMs?: number;
  /** Aborted, the wait rejects with its reason, and nothing of it is left behind. */
  readonly signal?: AbortSignal;
}

/** What is waited for, for errors: `lock "/locks/a"`. */
export interface Subject {
  readonly what: string;
  readonly path: string;
}

export function recipeOf(options: RecipeOptions): Recipe {
  const { session, clock = new RealClock(), logger = silentLogger, newId = randomId } = options;
  // Everything that waits listens to it, and none for longer than it waits.
  setMaxListeners(0, session.ended);
  return { session, clock, logger, newId };
}

function randomId(): string {
  return randomBytes(12).toString('hex');
}

/**
 * Does the work until it is done, the time is up, the caller gives up, or the session ends.
 *
 * @param work - ends soon after its signal was aborted, and leaves nothing behind
 * @param ended - what ends it besides; default: the end of the session
 * @throws MILLRACE_RECIPE_TIMEOUT, the reason of the caller's signal, or why the session is over
 */
export async function within<T>(
  recipe: Recipe,
  subject: Subject,
  options: WaitOptions,
  work: (over: AbortSignal) => Promise<T>,
  ended: AbortSignal = recipe.session.ended,
): Promise<T> {
  const { timeoutMs = RECIPE_WAIT_MS, signal } = options;
  const over = new AbortController();
  const ends = signal === undefined ? [ended] : [ended, signal];
  const off = whenAborted(ends, () => over.abort(ends.find(({ aborted }) => aborted)?.reason));
  const late = (): void => over.abort(failure('MILLRACE_RECIPE_TIMEOUT', { ...subject, timeoutMs }));
  const timer = timeoutMs === Infinity ? null : recipe.clock.after(Math.min(timeoutMs, DURATION_MAX_MS), late);
  try {
    over.signal.throwIfAborted();
    return await work(over.signal);
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    off();
    timer?.cancel();
  }
}

/**
 * Makes a call of the store until it is answered. Only for calls that may be carried out twice.
 *
 * @throws what the store throws, but for passing failures, and the reason of the signal
 */
export async function insist<T>(recipe: Recipe, over: AbortSignal, call: () => T | Promise<T>): Promise<T> {
  for (let waitMs = STORE_RETRY_MIN_MS; ; waitMs = Math.min(waitMs * 2, RECIPE_RETRY_MAX_MS)) {
    over.throwIfAborted();
    try {
      return await orAborted(Promise.resolve(call()), over);
    } catch (error) {
      if (over.aborted || !isPassing(error)) throw error;
    }
    await pause(recipe.clock, waitMs, over);
  }
}

/** What the promise gives, or the reason of the signal when that comes first; the promise is then not waited for. */
export async function orAborted<T>(promise: Promise<T>, over: AbortSignal): Promise<T> {
  let off = (): void => undefined;
  try {
    const given = new Promise<never>((_, reject) => {
      off = whenAborted([over], () => reject(over.reason as Error));
    });
    return await Promise.race([promise, given]);
  } finally {
    off();
  }
}
