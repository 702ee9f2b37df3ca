// Who is there: the hosts of the cluster as they registered, with what the master placed on them. Read from the store
// each time that somebody asks. Main thread.

import { ASSIGNMENTS, assignmentPath, EPOCH, HOSTS, hostPath, memberOf } from './paths.js';
import { isEpoch } from './recipes/election.js';
import type { Session } from './store/contract.js';
import { fromNode } from './store/json-node.js';
import { hasCode } from './store/store-errors.js';
import { isAssignment, isHostRecord, type HostRecord, type WorkerPlace } from './topology-records.js';

/** A host that is there. */
export interface KnownHost extends HostRecord {
  /** Slots in which a worker runs, or is about to. */
  readonly used: number;
  /** It was the last one to become master. */
  readonly master: boolean;
}

export class Hosts {
  private readonly session: () => Promise<Session>;

  constructor(session: () => Promise<Session>) {
    this.session = session;
  }

  /** All of them, by name. What cannot be read is left out: the master says so in its log. */
  async list(): Promise<readonly KnownHost[]> {
    const session = await this.session();
    const [records, places, master] = await Promise.all([
      readAll(session, HOSTS, hostPath, isHostRecord),
      readAll(session, ASSIGNMENTS, assignmentPath, isAssignment).then((all) => all.flatMap((each) => each.places)),
      readOne(session, EPOCH, isEpoch).then((epoch) => epoch?.member),
    ]);
    return records
      .map((record): KnownHost => {
        const member = memberOf(record.host, record.boot);
        const used = places.filter(({ host, boot }) => memberOf(host, boot) === member).length;
        return { ...record, used, master: member === master };
      })
      .sort((a, b) => (memberOf(a.host, a.boot) < memberOf(b.host, b.boot) ? -1 : 1));
  }

  /** The host of that place, or null when it is gone. */
  async at({ host, boot }: WorkerPlace): Promise<HostRecord | null> {
    return await readOne(await this.session(), hostPath(memberOf(host, boot)), isHostRecord);
  }
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
