// Telling the errors of the store apart: by code, by which step of a transaction failed, and by whether a failed write
// may have been carried out. Pure, any thread.

import { isMillraceError, type ErrorCode, type MillraceError } from '../../engine/errors.js';

const OPERATION = Symbol.for('millrace.store.operation');

/** Whether that was thrown with this code. */
export function hasCode(thrown: unknown, ...codes: readonly ErrorCode[]): thrown is MillraceError {
  return isMillraceError(thrown) && codes.includes(thrown.code);
}

/** The same error, with the number of the operation that it comes from. */
export function withOperation(error: MillraceError, operation: number): MillraceError {
  return Object.assign(error, { [OPERATION]: operation });
}

/** Which operation of a transaction that error comes from, or null when it names none. */
export function operationOf(thrown: unknown): number | null {
  if (!isMillraceError(thrown)) return null;
  const operation = (thrown as MillraceError & { readonly [OPERATION]?: number })[OPERATION];
  return operation ?? null;
}

/** Whether the session that the call was made in is over. */
export function isSessionOver(thrown: unknown): boolean {
  return hasCode(thrown, 'MILLRACE_STORE_SESSION_LOST', 'MILLRACE_STORE_CLOSED');
}

/** Whether the same call may succeed later in the same session, with nothing else changed. */
export function isPassing(thrown: unknown): boolean {
  return hasCode(
    thrown,
    'MILLRACE_STORE_UNAVAILABLE',
    'MILLRACE_STORE_UNCERTAIN',
    'MILLRACE_STORE_FULL',
    'MILLRACE_STORE_TOO_MANY',
  );
}
