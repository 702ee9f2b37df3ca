// A host in the list of hosts: an ephemeral node, so it goes with its session. Bound to one session; a new one
// registers again, and takes over what an earlier session of this same life of the host may have left. Main thread.

import { failure } from '../../engine/errors.js';
import { HOSTS, hostPath, LAYOUT, memberOf } from '../paths.js';
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

/**
 * Shows the host; resolves when its node is there and belongs to this session.
 *
 * @throws MILLRACE_HOST_NAME_TAKEN when another process has shown itself under that name before; an earlier life of
 * this host is one until its session is over
 */
export async function register(session: Session, record: HostRecord): Promise<void> {
  const member = memberOf(record.host, record.boot);
  await showOwnNode(session, hostPath(member), toData(record));
  // Who comes second sees the first, so of two that come at once one stays.
  await session.sync(HOSTS);
  const own = await session.exists(hostPath(member));
  for (const other of await session.children(HOSTS)) {
    if (other === member || !other.startsWith(memberOf(record.host, ''))) continue;
    const stat = await session.exists(hostPath(other));
    if (stat === null || own === null || stat.createRevision > own.createRevision) continue;
    throw failure('MILLRACE_HOST_NAME_TAKEN', {
      host: record.host,
      boot: other.slice(memberOf(record.host, '').length),
    });
  }
}
