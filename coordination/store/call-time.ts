// The time that a call is given, alike in every store: never more than a timer can take, and a call that has none left
// is not made, so that its caller knows that nothing was changed. Pure, any thread.

import { failure, type MillraceError } from '../../engine/errors.js';
import { DURATION_MAX_MS, STORE_CALL_TIMEOUT_MS } from '../../engine/limits.js';
import type { CallOptions } from './contract.js';

/** Milliseconds after which a call fails, as a timer takes them. */
export function callTimeMs({ timeoutMs = STORE_CALL_TIMEOUT_MS }: CallOptions): number {
  return Math.min(timeoutMs, DURATION_MAX_MS);
}

/** Why a call is not made at all when it was given no time, as who counts down to a deadline may give it; else null. */
export function withoutTime(what: string, { timeoutMs }: CallOptions): MillraceError | null {
  // Not `<= 0`: what is no number is no time either.
  if (timeoutMs === undefined || timeoutMs > 0) return null;
  return failure('MILLRACE_STORE_UNAVAILABLE', { what, reason: `it was given ${timeoutMs} ms, which is no time` });
}
