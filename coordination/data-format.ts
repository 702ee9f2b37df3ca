// The format of what stands in the store, as a number in a node of its own: every host compares it with its own before
// it reads or writes anything else. Data of a newer format is left alone; older data is marked with the format of the
// first newer host, after which older ones stay away. Main thread.

import { failure } from '../engine/errors.js';
import { VERSION } from './paths.js';
import type { Session, StoreNode } from './store/contract.js';
import { fromNode, hasKeys, toData } from './store/json-node.js';
import { hasCode } from './store/store-errors.js';

/** The format of this version. Counts up when an older version would misread what a newer one writes. */
export const DATA_FORMAT = 2;

/** What stands in the node. */
export interface DataVersion {
  readonly format: number;
}

export function isDataVersion(value: unknown): value is DataVersion {
  return hasKeys(value, 'format') && Number.isSafeInteger(value.format) && (value.format as number) > 0;
}

/**
 * Makes sure that the store holds nothing newer than that format, and marks it.
 *
 * @throws MILLRACE_DATA_NEWER, MILLRACE_STORE_CONTENT, what the store throws
 */
export async function claimFormat(session: Session, format: number = DATA_FORMAT): Promise<void> {
  const data = toData({ format } satisfies DataVersion);
  for (;;) {
    const node = await nodeOf(session);
    const found = node === null ? 0 : fromNode(node, isDataVersion).format;
    if (found > format) throw failure('MILLRACE_DATA_NEWER', { format: found, formatMax: format });
    if (found === format) return;
    try {
      if (node === null) await session.create(VERSION, data);
      else await session.set(VERSION, data, node.stat.version);
      return;
    } catch (error) {
      // Another host was quicker: what it wrote is looked at again.
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS', 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) {
        throw error;
      }
      await session.sync(VERSION);
    }
  }
}

async function nodeOf(session: Session): Promise<StoreNode | null> {
  try {
    return await session.get(VERSION);
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
    throw error;
  }
}
