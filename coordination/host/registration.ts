// A host in the list of hosts: an ephemeral node, so it goes with its session. Bound to one session; a new one
// registers again, and takes over what an earlier session of this same life of the host may have left. No two hosts
// have one name or one address. Main thread.

import { failure } from '../../engine/errors.js';
import { HOSTS, hostPath, LAYOUT, memberOf } from '../paths.js';
import { showOwnNode } from '../recipes/own-node.js';
import type { Session, Stat, StoreNode } from '../store/contract.js';
import { fromNode, toData } from '../store/json-node.js';
import { hasCode } from '../store/store-errors.js';
import { isHostRecord, type HostRecord } from '../topology-records.js';

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
 * @throws MILLRACE_HOST_NAME_TAKEN, MILLRACE_HOST_ADDRESS_TAKEN when another process has shown itself under that name,
 * or at that address, before; an earlier life of this host is one until its session is over
 */
export async function register(session: Session, record: HostRecord): Promise<void> {
  const member = memberOf(record.host, record.boot);
  await showOwnNode(session, hostPath(member), toData(record));
  // Who comes second sees the first, so of two that come at once one stays.
  await session.sync(HOSTS);
  const own = await session.exists(hostPath(member));
  const others = (await session.children(HOSTS)).filter((other) => other !== member);
  await Promise.all(others.map(async (other) => await checkBeside(session, record, own, other)));
}

/** Changes what it says of itself; nothing happens when its node is not there. */
export async function showLeaving(session: Session, record: HostRecord): Promise<void> {
  const path = hostPath(memberOf(record.host, record.boot));
  await session.set(path, toData({ ...record, leaving: true } satisfies HostRecord), null).catch((error: unknown) => {
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
  });
}

async function checkBeside(session: Session, record: HostRecord, own: Stat | null, other: string): Promise<void> {
  const prefix = memberOf(record.host, '');
  let node: StoreNode;
  try {
    node = await session.get(hostPath(other));
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return;
    throw error;
  }
  if (own === null || node.stat.createRevision > own.createRevision) return;
  if (other.startsWith(prefix)) {
    throw failure('MILLRACE_HOST_NAME_TAKEN', { host: record.host, boot: other.slice(prefix.length) });
  }
  const beside = readRecord(node);
  const address = [record.url, record.door].find((each) => each !== undefined && isAt(beside, each));
  // HTTP is served on loopback: machines all have that address.
  if (address !== record.door && isElsewhere(beside, record)) return;
  if (beside === null || address === undefined) return;
  throw failure('MILLRACE_HOST_ADDRESS_TAKEN', { host: record.host, other: beside.host, address });
}

function isAt(beside: HostRecord | null, address: string): boolean {
  return beside?.url === address || beside?.door === address;
}

/** Their doors are on different machines. */
function isElsewhere(beside: HostRecord | null, record: HostRecord): boolean {
  const [one, other] = [beside?.door, record.door].map((door) => door?.replace(/:\d+$/, ''));
  return one !== undefined && other !== undefined && one !== other;
}

/** Null when it cannot be read: the master says so in its log. */
function readRecord(node: StoreNode): HostRecord | null {
  try {
    return fromNode(node, isHostRecord);
  } catch {
    return null;
  }
}
