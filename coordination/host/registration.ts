// A host in the list of hosts: an ephemeral node, so it goes with its session. Bound to one session; a new one
// registers again, and takes over what an earlier session of this same life of the host may have left. Main thread.

import { HOSTS, hostPath, LAYOUT, memberOf } from '../paths.js';
import { toData } from '../store/json-node.js';
import type { Session } from '../store/contract.js';
import { hasCode } from '../store/store-errors.js';
import type { HostRecord } from '../topology-records.js';

/** Creates the nodes that are always there. */
export async function ensureLayout(session: Session): Promise<void> {
  for (const path of LAYOUT) {
    await session.create(path, new Uint8Array()).catch((error: unknown) => {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
    });
  }
}

/** Shows the host; resolves when its node is there and belongs to this session. */
export async function register(session: Session, record: HostRecord): Promise<void> {
  const path = hostPath(memberOf(record.host, record.boot));
  const data = toData(record);
  for (;;) {
    try {
      await session.create(path, data, 'ephemeral');
      return;
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
    }
    await session.sync(HOSTS);
    const stat = await session.exists(path);
    if (stat?.ephemeralOwner === session.id) return;
    if (stat === null) continue;
    try {
      // Of an earlier session, which is about to end: in one step, so that nobody sees the host gone.
      await session.multi([
        { type: 'delete', path, version: stat.version },
        { type: 'create', path, data, mode: 'ephemeral' },
      ]);
      return;
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
    }
  }
}
