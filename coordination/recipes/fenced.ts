// Writes that are carried out only while something is held: one transaction whose first step checks the holder's node,
// so what comes late, however late, changes nothing. Main thread.

import { isMillraceError } from '../../engine/errors.js';
import type { CallOptions, Operation, OperationResult, Session } from '../store/contract.js';
import { operationOf, withOperation } from '../store/store-errors.js';

/** The node that must be there, and at that version (null: any) for a write to be carried out. */
export interface Fence {
  readonly path: string;
  readonly version: number | null;
}

/**
 * Carries the operations out if the fence stands, all or none.
 *
 * @example
 * ```ts
 * await writeFenced(session, { path: held.path, version: null }, [{ type: 'set', path: '/total', data, version: null
 * }]);
 * ```
 *
 * @param refused - makes the error of a fence that does not stand; default: the store's own
 * @returns the results of these operations
 * @throws what `multi` throws, with `operationOf` counting from these operations
 */
export async function writeFenced(
  session: Session,
  fence: Fence,
  operations: readonly Operation[],
  options: CallOptions & { readonly refused?: (cause: unknown) => Error } = {},
): Promise<readonly OperationResult[]> {
  const { refused, ...call } = options;
  try {
    const results = await session.multi([{ type: 'check', ...fence }, ...operations], call);
    return results.slice(1);
  } catch (error) {
    const operation = operationOf(error);
    if (operation === 0) throw refused?.(error) ?? error;
    throw operation === null || !isMillraceError(error) ? error : withOperation(error, operation - 1);
  }
}
