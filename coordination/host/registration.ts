// A host in the list of hosts: an ephemeral node, so it goes with its session. Bound to one session; a new one
// registers again, and takes over what an earlier session of this same life of the host may have left. Main thread.

import { hostPath, LAYOUT, memberOf } from '../paths.js';
import { showOwnNode } from '../recipes/own-node.js';
import type { Session } from '../store/contract.js';
import { toData } from '../store/json-node.js';
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
  await showOwnNode(session, hostPath(memberOf(record.host, record.boot)), toData(record));
}
