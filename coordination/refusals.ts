// Hosts that the cluster did not take, and why: a host that has reached the store and is refused there leaves a small
// record, so that whoever looks at the cluster sees it and not only who reads the output of that host. Nothing is
// decided by it. Main thread.
//
//   refused ─► /refused/HOST~BOOT ─┬─ taken later, or one of its name and address is ─► gone
//                                  └─ `REFUSALS_KEPT_MS` later, or `REFUSALS_MAX` newer ones ─► gone
//
// Nothing is left where the data is of a newer format: there nothing may be written.

import { REFUSALS_KEPT_MS, REFUSALS_MAX } from '../engine/limits.js';
import { HOSTS, memberOf, REFUSED, refusedPath } from './paths.js';
import type { Session, StoreNode } from './store/contract.js';
import { fromNode, hasKeys, toData } from './store/json-node.js';
import { hasCode } from './store/store-errors.js';
import type { HostRecord } from './topology-records.js';

/** A host that was refused, as it says of itself. */
export interface Refusal extends Pick<HostRecord, 'host' | 'boot' | 'url' | 'door' | 'version'> {
  /** Of the error that it was refused with. */
  readonly code: string;
  readonly reason: string;
  /** Milliseconds since the epoch, by its own clock. */
  readonly atMs: number;
}

interface Kept {
  readonly refusal: Refusal | null;
  readonly node: StoreNode;
  readonly member: string;
}

/** Leaves a record of it; the oldest ones make room. */
export async function leaveRefusal(session: Session, refusal: Refusal): Promise<void> {
  const path = refusedPath(memberOf(refusal.host, refusal.boot));
  const data = toData(refusal);
  await session.create(path, data).catch(async (error: unknown) => {
    if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
    await session.set(path, data, null);
  });
  const kept = await readAll(session);
  const old = kept.filter((each, index) => index < kept.length - REFUSALS_MAX || isOld(each.refusal, refusal.atMs));
  for (const { node } of old) await remove(session, node.path);
}

/** The host was taken: what is kept of earlier tries of it is no news any more. */
export async function forgetRefusals(session: Session, record: HostRecord): Promise<void> {
  const names = await session.children(REFUSED);
  const prefix = memberOf(record.host, '');
  if (!names.some((name) => name.startsWith(prefix))) return;
  for (const { refusal, node, member } of await readAll(session)) {
    if (!member.startsWith(prefix)) continue;
    // Another host that wanted this name is refused still.
    const isOther = refusal?.code === 'MILLRACE_HOST_NAME_TAKEN' && refusal.url !== record.url;
    if (member === memberOf(record.host, record.boot) || !isOther) await remove(session, node.path);
  }
}

/** Those of the last `REFUSALS_KEPT_MS`, the newest first; not those of hosts that are there by now. */
export async function listRefusals(session: Session, nowMs: number): Promise<readonly Refusal[]> {
  const [kept, there] = await Promise.all([readAll(session), session.children(HOSTS)]);
  const news = kept.filter(({ refusal, member }) => !isOld(refusal, nowMs) && !there.includes(member));
  return news.flatMap(({ refusal }) => refusal ?? []).reverse();
}

export function isRefusal(value: unknown): value is Refusal {
  return (
    hasKeys(value, 'host', 'boot', 'code', 'reason', 'atMs') &&
    [value.host, value.boot, value.code, value.reason].every((text) => typeof text === 'string') &&
    ['url', 'door', 'version'].every((key) => !hasKeys(value, key) || typeof value[key] === 'string') &&
    Number.isFinite(value.atMs)
  );
}

/** What cannot be read is as old as anything. */
function isOld(refusal: Refusal | null, nowMs: number): boolean {
  return refusal === null || nowMs - refusal.atMs > REFUSALS_KEPT_MS;
}

/** All of them, the oldest first. */
async function readAll(session: Session): Promise<readonly Kept[]> {
  const members = await session.children(REFUSED);
  const found = await Promise.all(members.map((member) => readOne(session, member)));
  const kept = found.flatMap((each) => each ?? []);
  return kept.sort((a, b) => (a.node.stat.modifyRevision < b.node.stat.modifyRevision ? -1 : 1));
}

async function readOne(session: Session, member: string): Promise<Kept | null> {
  let node: StoreNode;
  try {
    node = await session.get(refusedPath(member));
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
    throw error;
  }
  try {
    return { refusal: fromNode(node, isRefusal), node, member };
  } catch {
    return { refusal: null, node, member };
  }
}

async function remove(session: Session, path: string): Promise<void> {
  await session.delete(path, null).catch((error: unknown) => {
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
  });
}
