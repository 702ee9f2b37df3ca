// Who is there: the hosts of the cluster as they registered, with what the master placed on them and whether they are
// drained. Read from the store each time that somebody asks. Main thread.

import { HOSTS_NAMED_MAX } from '../engine/limits.js';
import {
  ASSIGNMENTS,
  assignmentPath,
  DRAINS,
  drainPath,
  EPOCH,
  HOSTS,
  hostPath,
  memberOf,
  REPORTS,
  reportPath,
} from './paths.js';
import { isEpoch } from './recipes/election.js';
import type { Session } from './store/contract.js';
import { fromNode } from './store/json-node.js';
import { hasCode } from './store/store-errors.js';
import {
  isAssignment,
  isDrain,
  isHostRecord,
  isReport,
  type Assignment,
  type HostRecord,
  type Report,
  type WorkerPlace,
} from './topology-records.js';
import { placesOf } from './versions.js';

/**
 * It takes workers; it is drained and some of its workers are still there, or none is; it is on its way out; it is
 * drained, and not there.
 */
export type HostState = 'up' | 'draining' | 'drained' | 'leaving' | 'away';

/** A host that is there, or is drained. */
export interface KnownHost extends HostRecord {
  readonly state: HostState;
  /** Slots in which a worker runs, or is about to. */
  readonly used: number;
  /** It was the last one to become master. */
  readonly master: boolean;
  /** Milliseconds since the epoch; null when it is not drained. */
  readonly drainedSinceMs: number | null;
  /** Why it does not do what the others do; null when it does. */
  readonly problem: string | null;
}

export class Hosts {
  private readonly session: () => Promise<Session>;

  constructor(session: () => Promise<Session>) {
    this.session = session;
  }

  /** All of them, by name. What cannot be read is left out: the master says so in its log. */
  async list(): Promise<readonly KnownHost[]> {
    const session = await this.session();
    const [records, assignments, reports, drains, master] = await Promise.all([
      readAll(session, HOSTS, hostPath, isHostRecord),
      readAll(session, ASSIGNMENTS, assignmentPath, isAssignment),
      readAll(session, REPORTS, reportPath, isReport),
      readDrains(session),
      readOne(session, EPOCH, isEpoch).then((epoch) => epoch?.member),
    ]);
    const known = records.map((record): KnownHost => {
      const drainedSinceMs = drains.get(record.host) ?? null;
      const used = slotsUsed(record, assignments);
      const state = stateOf(record, drainedSinceMs !== null, used > 0 || stillRuns(record, reports));
      const isMaster = memberOf(record.host, record.boot) === master;
      return { ...record, state, used, master: isMaster, drainedSinceMs, problem: problemOf(record, records) };
    });
    const there = new Set(records.map(({ host }) => host));
    for (const [host, drainedSinceMs] of drains) {
      if (there.has(host)) continue;
      known.push({ host, boot: '', slots: 0, state: 'away', used: 0, master: false, drainedSinceMs, problem: null });
    }
    return known.sort((a, b) => (memberOf(a.host, a.boot) < memberOf(b.host, b.boot) ? -1 : 1));
  }

  /** Those that are there, as `host~boot`. */
  async members(): Promise<ReadonlySet<string>> {
    return new Set(await (await this.session()).children(HOSTS));
  }

  /** The host of that place, or null when it is gone. */
  async at({ host, boot }: WorkerPlace): Promise<HostRecord | null> {
    return await readOne(await this.session(), hostPath(memberOf(host, boot)), isHostRecord);
  }
}

function stateOf({ leaving = false }: HostRecord, drained: boolean, busy: boolean): HostState {
  if (leaving) return 'leaving';
  if (!drained) return 'up';
  return busy ? 'draining' : 'drained';
}

/** What keeps it apart, though it is there. */
function problemOf({ slots, protocol = 0 }: HostRecord, all: readonly HostRecord[]): string | null {
  if (slots < 1) return 'it has no slots';
  const others = all.filter((each) => (each.protocol ?? 0) !== protocol);
  if (others.length === 0) return null;
  const named = others.slice(0, HOSTS_NAMED_MAX).map((each) => `${each.host} (protocol ${each.protocol ?? 0})`);
  const more = others.length > named.length ? ` and ${others.length - named.length} more` : '';
  return `it speaks protocol ${protocol}, so it runs no topology with ${named.join(', ')}${more}`;
}

function slotsUsed({ host, boot }: HostRecord, assignments: readonly Assignment[]): number {
  const places = assignments.flatMap(placesOf);
  return places.filter((place) => place.host === host && place.boot === boot).length;
}

/** What was moved away may not have ended there yet. */
function stillRuns({ host, boot }: HostRecord, reports: readonly Report[]): boolean {
  const own = reports.find((each) => each.host === host && each.boot === boot);
  return own !== undefined && (own.runs.some(({ state }) => state === 'running') || (own.parts ?? 0) > 0);
}

/** Since when hosts are drained, by their names; the name alone counts, whatever stands in the node. */
async function readDrains(session: Session): Promise<ReadonlyMap<string, number>> {
  const names = await session.children(DRAINS);
  const since = await Promise.all(names.map((name) => readOne(session, drainPath(name), isDrain)));
  return new Map(names.map((name, index) => [name, since[index]?.sinceMs ?? 0]));
}

async function readAll<T>(
  session: Session,
  directory: string,
  pathOf: (name: string) => string,
  isIt: (value: unknown) => value is T,
): Promise<readonly T[]> {
  const names = await session.children(directory);
  const found = await Promise.all(names.map((name) => readOne(session, pathOf(name), isIt)));
  return found.filter((each) => each !== null);
}

/** Null when there is no such node, or nothing in it that can be read. */
async function readOne<T>(session: Session, path: string, isIt: (value: unknown) => value is T): Promise<T | null> {
  try {
    return fromNode(await session.get(path), isIt);
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_CONTENT')) return null;
    throw error;
  }
}
