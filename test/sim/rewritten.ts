// A session that does something else than it is asked for: for the mutations that prove the rules.

import type { CallOptions, Operation, OperationResult, Session } from '../../coordination/store/contract.js';
import { operationOf, withOperation } from '../../coordination/store/store-errors.js';
import { isMillraceError } from '../../engine/errors.js';

export interface Rewrite {
  /** Steps of transactions that are left out; they count as done. */
  readonly isDropped?: (operation: Operation) => boolean;
  /** Transactions that are acknowledged and not carried out. */
  readonly isSwallowed?: (operations: readonly Operation[]) => boolean;
  /** What is written instead. */
  readonly data?: (path: string, data: Uint8Array) => Uint8Array;
  /** What is seen instead of the names of children. */
  readonly names?: (path: string, names: readonly string[]) => readonly string[];
}

const NO_STAT = { version: 0, createRevision: 0n, modifyRevision: 0n, ephemeralOwner: null, childCount: 0 };

export function rewritten(session: Session, rewrite: Rewrite): Session {
  const { isDropped = () => false, isSwallowed = () => false, data = (_, same) => same } = rewrite;
  const { names = (_, same) => same } = rewrite;
  const changed: Partial<Session> = {
    multi: async (operations, options) => {
      if (isSwallowed(operations)) return operations.map(doneFor);
      const kept = operations.flatMap((each, index) => (isDropped(each) ? [] : index));
      const asked = kept.map((index) => withData(operations[index]!, data));
      return await multi(session, operations, kept, asked, options);
    },
    create: async (path, given, ...rest) => await session.create(path, data(path, given), ...rest),
    set: async (path, given, ...rest) => await session.set(path, data(path, given), ...rest),
    watchChildren: (path, listener) =>
      session.watchChildren(path, (seen) => listener(seen === null ? null : names(path, seen))),
  };
  return new Proxy(session, {
    get: (target, key) => {
      const own = changed[key as keyof Session];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Results and errors count as if nothing had been left out. */
async function multi(
  session: Session,
  operations: readonly Operation[],
  kept: readonly number[],
  asked: readonly Operation[],
  options: CallOptions | undefined,
): Promise<readonly OperationResult[]> {
  if (asked.length === 0) return operations.map(doneFor);
  try {
    const results = await session.multi(asked, options);
    return operations.map((each, index) => results[kept.indexOf(index)] ?? doneFor(each));
  } catch (error) {
    const operation = operationOf(error);
    if (operation === null || !isMillraceError(error)) throw error;
    throw withOperation(error, kept[operation]!);
  }
}

function doneFor(operation: Operation): OperationResult {
  if (operation.type === 'create') return { type: 'create', path: operation.path };
  if (operation.type === 'set') return { type: 'set', stat: NO_STAT };
  return { type: operation.type };
}

function withData(operation: Operation, data: (path: string, data: Uint8Array) => Uint8Array): Operation {
  if (operation.type !== 'create' && operation.type !== 'set') return operation;
  return { ...operation, data: data(operation.path, operation.data) };
}
