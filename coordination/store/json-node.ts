// Facts in nodes are JSON. What somebody else wrote into a node by hand is an error that names its path, never a crash
// further on: who reads gives a check of the shape. Pure, any thread.

import { failure, reasonOf } from '../../engine/errors.js';
import type { StoreNode } from './contract.js';

/** JSON as the data of a node. */
export function toData(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/**
 * Reads a node back.
 *
 * @param isIt - whether the value has the shape that was written
 * @throws MILLRACE_STORE_CONTENT
 */
export function fromNode<T>(node: Pick<StoreNode, 'path' | 'data'>, isIt: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(node.data).toString('utf8'));
  } catch (error) {
    throw failure('MILLRACE_STORE_CONTENT', { path: node.path, reason: reasonOf(error) }, { cause: error });
  }
  if (isIt(value)) return value;
  throw failure('MILLRACE_STORE_CONTENT', { path: node.path, reason: 'it has another shape than what we write' });
}

/** Whether that is an object with these keys. */
export function hasKeys<K extends string>(value: unknown, ...keys: readonly K[]): value is Record<K, unknown> {
  return typeof value === 'object' && value !== null && keys.every((key) => Object.hasOwn(value, key));
}

/** Whatever JSON it is: for what is checked elsewhere. */
export function isJson(_value: unknown): _value is unknown {
  return true;
}
