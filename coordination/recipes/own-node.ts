// An ephemeral node at a path that is ours alone: a host, a member of a group. Its name carries the boot id of this
// life of the process, so whatever is found there was made by this same life, in this session or in one before that
// is about to end, and is taken over. Bound to one session. Main thread.

import type { Session } from '../store/contract.js';
import { parentOf } from '../store/node-path.js';
import { hasCode } from '../store/store-errors.js';

/**
 * Shows the node with that data; resolves when it is there and belongs to this session. The directory must be there.
 *
 * @param over - aborted, nothing more is written
 * @returns which change of the store created it
 */
export async function showOwnNode(
  session: Session,
  path: string,
  data: Uint8Array,
  over: AbortSignal = session.ended,
): Promise<bigint> {
  for (;;) {
    over.throwIfAborted();
    let created = true;
    try {
      await session.create(path, data, 'ephemeral');
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
      created = false;
      await session.sync(parentOf(path));
    }
    const stat = await session.exists(path);
    if (stat === null) continue;
    over.throwIfAborted();
    try {
      if (stat.ephemeralOwner === session.id) {
        // Of an answer that got lost, or older data.
        if (!created) await session.set(path, data, null);
        return stat.createRevision;
      }
      // Of an earlier session, which is about to end: in one step, so that nobody sees the member gone.
      await session.multi([
        { type: 'delete', path, version: stat.version },
        { type: 'create', path, data, mode: 'ephemeral' },
      ]);
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
    }
  }
}
