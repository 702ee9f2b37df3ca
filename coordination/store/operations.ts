// What can be said of operations before any store has seen them: their paths, modes, sizes and access rules, alike in
// every implementation. Pure, any thread.

import { failure, isMillraceError } from '../../engine/errors.js';
import { STORE_NODE_BYTES_MAX, STORE_TRANSACTION_BYTES_MAX } from '../../engine/limits.js';
import { accessBytes, checkRules } from './access.js';
import type { CreateMode, Operation } from './contract.js';
import { checkPath } from './node-path.js';
import { withOperation } from './store-errors.js';

const modes: ReadonlySet<CreateMode> = new Set<CreateMode>([
  'persistent',
  'ephemeral',
  'persistent-sequential',
  'ephemeral-sequential',
]);

/**
 * Checks operations.
 *
 * @throws MILLRACE_STORE_PATH, MILLRACE_STORE_MODE, MILLRACE_STORE_TOO_LARGE, MILLRACE_STORE_ACCESS; with `operationOf`
 */
export function checkOperations(operations: readonly Operation[]): void {
  let bytes = 0;
  operations.forEach((operation, index) => {
    naming(index, () => {
      const { path } = operation;
      checkPath(path, operation.type === 'create' && isSequential(operation.mode));
      if (operation.type === 'create') checkMode(path, operation.mode);
      if (operation.type === 'delete' && path === '/') {
        throw failure('MILLRACE_STORE_PATH', { path, reason: 'the root cannot be deleted' });
      }
      if (operation.type !== 'create' && operation.type !== 'set') return;
      bytes += operation.data.byteLength + path.length * 3;
      if (operation.type === 'create' && operation.access !== undefined) {
        checkRules(path, operation.access);
        bytes += accessBytes(operation.access);
      }
      tooLarge(path, operation.data.byteLength, STORE_NODE_BYTES_MAX);
      tooLarge(path, bytes, STORE_TRANSACTION_BYTES_MAX);
    });
  });
}

/**
 * Callers without types may give anything; then a store would take it for another mode, or send what cannot be read.
 */
function checkMode(path: string, mode: CreateMode | undefined): void {
  if (mode === undefined || modes.has(mode)) return;
  throw failure('MILLRACE_STORE_MODE', { path, mode: String(mode).slice(0, 200) });
}

/** Whether the store ends the name of such a node with a number. */
export function isSequential(mode: CreateMode | undefined): boolean {
  return mode === 'persistent-sequential' || mode === 'ephemeral-sequential';
}

/** Has an error that is thrown say which operation it comes from. */
export function naming(index: number, call: () => void): void {
  try {
    call();
  } catch (error) {
    throw isMillraceError(error) ? withOperation(error, index) : error;
  }
}

function tooLarge(path: string, bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw failure('MILLRACE_STORE_TOO_LARGE', { path, bytes, bytesMax });
}
