// One write to a node, so that doing it again does no harm where that can be: what an earlier try (of this call, or of
// a tuple that is replayed) has done already counts as done. What decides is the state of the node and nothing that is
// remembered, so it holds over restarts. Any thread.
//
//   create   there already with these bytes, never set since      done
//   set      at that version: has the next one, with these bytes    done;   at any version: set again
//   delete   not there                                              done
//
// Not told apart: somebody else who has written the same bytes at that version. Not safe to repeat: what is not guarded
// by a version and was changed by somebody else in between, which is then overwritten or deleted.

import type { CallOptions, Session } from '../../store/contract.js';
import { parentOf } from '../../store/node-path.js';
import { hasCode } from '../../store/store-errors.js';

export const WRITE_ACTIONS = ['put', 'create', 'set', 'delete'] as const;

/** `put` creates what is not there and sets what is. */
export type WriteAction = (typeof WRITE_ACTIONS)[number];

export interface NodeWrite {
  readonly action: WriteAction;
  readonly path: string;
  readonly data: Uint8Array;
  /** The version that the node must have, null for any. One that is to be created has none. */
  readonly version: number | null;
  /** Create what is missing above it. */
  readonly parents: boolean;
}

/**
 * Carries the write out.
 *
 * @throws what the store throws; MILLRACE_STORE_BAD_VERSION, MILLRACE_STORE_NODE_EXISTS, MILLRACE_STORE_NO_NODE and
 * their like are final
 */
export async function writeNode(session: Session, write: NodeWrite, options: CallOptions): Promise<void> {
  const { action, path, data, version } = write;
  switch (action) {
    case 'create':
      await create(session, write, options);
      return;
    case 'set':
      await set(session, write, options);
      return;
    case 'delete':
      try {
        await session.delete(path, version, options);
      } catch (error) {
        if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
      }
      return;
    case 'put':
      if (version !== null) {
        await set(session, write, options);
        return;
      }
      for (;;) {
        try {
          await session.set(path, data, null, options);
          return;
        } catch (error) {
          if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
        }
        try {
          await create(session, write, options);
          return;
        } catch (error) {
          if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
        }
      }
  }
}

async function create(session: Session, write: NodeWrite, options: CallOptions): Promise<void> {
  const { path, data, parents } = write;
  for (;;) {
    try {
      await session.create(path, data, 'persistent', options);
      return;
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE') && parents && path !== '/') {
        await createParents(session, parentOf(path), options);
      } else if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS') || !(await holds(session, path, data, 0, options))) {
        throw error;
      } else {
        return;
      }
    }
  }
}

async function set(session: Session, { path, data, version }: NodeWrite, options: CallOptions): Promise<void> {
  try {
    await session.set(path, data, version, options);
  } catch (error) {
    if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION') || version === null) throw error;
    if (!(await holds(session, path, data, version + 1, options))) throw error;
  }
}

async function createParents(session: Session, path: string, options: CallOptions): Promise<void> {
  try {
    await session.create(path, new Uint8Array(), 'persistent', options);
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) return;
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE') || path === '/') throw error;
    await createParents(session, parentOf(path), options);
    await createParents(session, path, options);
  }
}

/** Whether the node has that version with those bytes: then an earlier try has done it. */
async function holds(
  session: Session,
  path: string,
  data: Uint8Array,
  version: number,
  options: CallOptions,
): Promise<boolean> {
  try {
    const node = await session.get(path, options);
    return node.stat.version === version && Buffer.compare(node.data, data) === 0;
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return false;
    throw error;
  }
}
