// What users ask for, as any host does it: every change is a wish in the store, compared and set, and nothing here
// waits for the master to carry it out. A name belongs to one topology until that has ended, also while it is being
// killed; then it is free, and the last status of the ended one stays in the history. Main thread.

import { failure, type MillraceError } from '../engine/errors.js';
import type { PlanChange } from '../engine/plan/replan.js';
import { KILL_REASON_TEXT_MAX, TOPOLOGIES_MAX } from '../engine/limits.js';
import { assignmentPath, HISTORY, historyPath, TOPOLOGIES, wishPath } from './paths.js';
import { loadPayload, piecesOf, savePayload } from './payload.js';
import { placingOf } from './placing.js';
import { rebalancedWish } from './rebalance-wish.js';
import { fromNode, toData } from './store/json-node.js';
import type { Session, StoreNode } from './store/contract.js';
import { aborted } from './store/signals.js';
import { hasCode } from './store/store-errors.js';
import {
  isAssignment,
  isEnded,
  isWish,
  stateOf,
  type Assignment,
  type Ended,
  type KillWish,
  type Payload,
  type Submitted,
  type TopologyState,
  type Wish,
} from './topology-records.js';
import { submittedOf } from './versions.js';

/** What is to be run, read and checked by whoever submits it. */
export interface NewTopology extends Payload {
  /** Workers to spread it over. */
  readonly workers: number;
  /** The SHA-256 of the artifacts that it needs. */
  readonly artifacts: readonly string[];
  /** False: it is kept asleep until it is activated. */
  readonly active: boolean;
  /** Milliseconds since the epoch. */
  readonly submittedAtMs: number;
}

/** One that has not ended. */
export interface LiveTopology {
  readonly kind: 'live';
  readonly name: string;
  readonly id: string;
  readonly state: TopologyState;
  readonly wish: Wish;
  /** Null until the master has given it a place. */
  readonly assignment: Assignment | null;
}

/** One of the history. */
export interface EndedTopology {
  readonly kind: 'ended';
  readonly name: string;
  readonly id: string;
  readonly state: TopologyState;
  readonly ended: Ended;
}

export type KnownTopology = LiveTopology | EndedTopology;

export interface TopologiesOptions {
  /** The session to ask in. */
  readonly session: () => Promise<Session>;
  /** Makes ids unlike all others. */
  readonly newId: () => string;
}

interface Found {
  readonly wish: Wish;
  readonly version: number;
}

export class Topologies {
  private readonly options: TopologiesOptions;

  constructor(options: TopologiesOptions) {
    this.options = options;
  }

  /**
   * Keeps the wish that it runs; resolves when that is on disk.
   *
   * @throws MILLRACE_TOPOLOGY_EXISTS, MILLRACE_WISH_TOO_LARGE, MILLRACE_WISH_TOO_MANY, what the store throws
   */
  async submit(topology: NewTopology): Promise<LiveTopology> {
    const { description, active } = topology;
    const { name } = description;
    const id = this.options.newId();
    const pieces = piecesOf(name, topology);
    const session = await this.options.session();
    let names = await session.children(TOPOLOGIES);
    if (names.includes(name)) {
      // Its server may lag behind the one that heard of its end.
      await session.sync(TOPOLOGIES);
      names = await session.children(TOPOLOGIES);
    }
    if (names.includes(name)) throw await this.nameInUse(session, name);
    if (names.length >= TOPOLOGIES_MAX) throw failure('MILLRACE_WISH_TOO_MANY', { name, count: names.length });
    const wanted = active ? 'active' : 'inactive';
    const wish: Wish = { name, wanted, kill: null, ...submittedFrom(topology, id, pieces.length) };
    try {
      await savePayload(session, id, pieces, { type: 'create', path: wishPath(name), data: toData(wish) });
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw await this.nameInUse(session, name);
      if (!hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) throw error;
      const found = await this.find(await this.options.session(), name).catch(() => null);
      if (found?.wish.id !== id) throw error;
    }
    return live(wish, null);
  }

  /** Those that have not ended, then the ended ones, the newest first. */
  async list(): Promise<readonly KnownTopology[]> {
    const session = await this.options.session();
    const names = await session.children(TOPOLOGIES);
    const found = await Promise.all(names.map((name) => this.live(session, name)));
    const lives = found.filter((each) => each !== null).sort((a, b) => b.wish.submittedAtMs - a.wish.submittedAtMs);
    return [...lives, ...(await this.history(session)).map(ended)];
  }

  /**
   * The one of that name: the last of the history when it has ended.
   *
   * @param id - only that submission is meant, whoever has its name by now
   * @throws MILLRACE_TOPOLOGY_UNKNOWN
   */
  async get(name: string, id?: string): Promise<KnownTopology> {
    return await this.known(await this.options.session(), name, id);
  }

  /**
   * Its definition, settings and description.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN, also when it has ended
   */
  async payload(name: string): Promise<Payload> {
    const session = await this.options.session();
    const found = await this.find(session, name);
    if (found === null) throw failure('MILLRACE_TOPOLOGY_UNKNOWN', { name });
    try {
      return await loadPayload(session, found.wish);
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw failure('MILLRACE_TOPOLOGY_UNKNOWN', { name });
      throw error;
    }
  }

  /**
   * Wishes it active, or inactive; nothing changes when it is so already.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN, MILLRACE_TOPOLOGY_ENDED when it ended or is being killed
   */
  async setWanted(name: string, wanted: 'active' | 'inactive', id?: string): Promise<KnownTopology> {
    return await this.change(
      name,
      id,
      (wish) => {
        if (wish.wanted === 'killed') throw notAnyMore(name, wanted, 'draining');
        return { ...wish, wanted };
      },
      (known) => {
        throw notAnyMore(name, wanted, known.state);
      },
    );
  }

  /**
   * Wishes it spread over other workers, and other numbers of tasks; what is left out stays as it is wished now. One
   * that does not run yet starts that way.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN; MILLRACE_REBALANCE_WORKERS, MILLRACE_REBALANCE_COMPONENT,
   *   MILLRACE_REBALANCE_PARALLELISM, MILLRACE_REBALANCE_TASKS: it makes no sense; MILLRACE_REBALANCE_STATE when it
   *   ended or is being killed; MILLRACE_REPLACE_BUSY
   */
  async rebalance(name: string, change: PlanChange, id?: string): Promise<LiveTopology> {
    // Whoever asks for nothing has to name a topology, too.
    const known = await this.get(name, id);
    if (known.kind === 'ended') throw notRebalanced(name, known.state);
    const { description } = await this.payload(name);
    const wished = await this.change(
      name,
      known.id,
      (wish) => {
        if (wish.wanted === 'killed') throw notRebalanced(name, 'draining');
        if (wish.next !== undefined) throw failure('MILLRACE_REPLACE_BUSY', { topology: name });
        return rebalancedWish(wish, description, change);
      },
      ({ state }) => {
        throw notRebalanced(name, state);
      },
    );
    return wished as LiveTopology;
  }

  /**
   * Wishes it killed; the first wait and reason stand, the reason cut to `KILL_REASON_TEXT_MAX` characters. One that is
   * being killed, or has ended, stays as it is.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN
   */
  async kill(name: string, kill: KillWish, id?: string): Promise<KnownTopology> {
    const { waitMs, reason } = kill;
    const kept: KillWish = { waitMs, reason: reason?.slice(0, KILL_REASON_TEXT_MAX) ?? null };
    return await this.change(
      name,
      id,
      (wish) => (wish.wanted === 'killed' ? wish : { ...wish, wanted: 'killed', kill: kept }),
      (known) => known,
    );
  }

  /**
   * Resolves when the topology with that id has ended.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN when the history does not have it any more, MILLRACE_STORE_CONTENT when its wish
   * was damaged; the reason of the signal
   */
  async whenEnded(name: string, id: string, signal: AbortSignal): Promise<Ended> {
    for (;;) {
      signal.throwIfAborted();
      const session = await this.options.session();
      const gone = new AbortController();
      const damaged: unknown[] = [];
      const watch = session.watchNode(wishPath(name), (node) => {
        try {
          if (node === null || fromNode(node, isWish).id !== id) gone.abort();
        } catch (error) {
          damaged.push(error);
          gone.abort();
        }
      });
      await aborted(gone.signal, session.ended, signal);
      watch.close();
      if (damaged.length > 0) throw damaged[0];
      if (!gone.signal.aborted) continue;
      const found = (await this.history(session)).find((each) => each.id === id);
      if (found !== undefined) return found;
      throw failure('MILLRACE_TOPOLOGY_UNKNOWN', { name });
    }
  }

  /** The artifacts that a topology still needs, which has not ended. */
  async artifactsInUse(): Promise<ReadonlySet<string>> {
    const session = await this.options.session();
    const names = await session.children(TOPOLOGIES);
    const found = await Promise.all(names.map((name) => this.find(session, name)));
    const submitted = found.flatMap((each) => (each === null ? [] : submittedOf(each.wish)));
    return new Set(submitted.flatMap(({ artifacts }) => artifacts));
  }

  private async change(
    name: string,
    id: string | undefined,
    next: (wish: Wish) => Wish,
    whenOver: (ended: EndedTopology) => KnownTopology,
  ): Promise<KnownTopology> {
    const session = await this.options.session();
    for (;;) {
      const found = await this.find(session, name);
      if (found === null || !isMeant(found.wish, id)) {
        const known = await this.known(session, name, id);
        if (known.kind === 'ended') return whenOver(known);
        continue;
      }
      const wish = next(found.wish);
      if (JSON.stringify(wish) === JSON.stringify(found.wish)) return live(wish, await this.assignment(session, name));
      try {
        await session.set(wishPath(name), toData(wish), found.version);
        return live(wish, await this.assignment(session, name));
      } catch (error) {
        // Somebody else was quicker: decide anew.
        if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
      }
    }
  }

  /** One that is not known may have been submitted by way of a server that is ahead of ours. */
  private async known(session: Session, name: string, id: string | undefined): Promise<KnownTopology> {
    const before = await this.knownHere(session, name, id);
    if (before !== null) return before;
    await session.sync(TOPOLOGIES);
    const known = await this.knownHere(session, name, id);
    if (known === null) throw failure('MILLRACE_TOPOLOGY_UNKNOWN', { name });
    return known;
  }

  private async knownHere(session: Session, name: string, id: string | undefined): Promise<KnownTopology | null> {
    const found = await this.live(session, name);
    if (found !== null && isMeant(found, id)) return found;
    const last = (await this.history(session)).find((each) => each.name === name && isMeant(each, id));
    return last === undefined ? null : ended(last);
  }

  private async live(session: Session, name: string): Promise<LiveTopology | null> {
    const [found, assignment] = await Promise.all([this.find(session, name), this.assignment(session, name)]);
    return found === null ? null : live(found.wish, assignment);
  }

  private async find(session: Session, name: string): Promise<Found | null> {
    const node = await read(session, wishPath(name));
    return node === null ? null : { wish: fromNode(node, isWish), version: node.stat.version };
  }

  private async assignment(session: Session, name: string): Promise<Assignment | null> {
    const node = await read(session, assignmentPath(name));
    return node === null ? null : fromNode(node, isAssignment);
  }

  /** The newest first. */
  private async history(session: Session): Promise<readonly Ended[]> {
    const names = [...(await session.children(HISTORY))].reverse();
    const nodes = await Promise.all(names.map((name) => read(session, historyPath(name))));
    return nodes.flatMap((node) => (node === null ? [] : fromNode(node, isEnded)));
  }

  private async nameInUse(session: Session, name: string): Promise<MillraceError> {
    const found = await this.live(session, name);
    return failure('MILLRACE_TOPOLOGY_EXISTS', { name, state: found?.state ?? 'ending' });
  }
}

/** The node, or null when there is none; of a name that is no path there is none. */
async function read(session: Session, path: string): Promise<StoreNode | null> {
  try {
    return await session.get(path);
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_PATH')) return null;
    throw error;
  }
}

/** What is kept of it in a wish. */
export function submittedFrom(topology: NewTopology, id: string, pieces: number): Submitted {
  const { description, workers, artifacts, submittedAtMs } = topology;
  const tasks = description.components.reduce((sum, { parallelism }) => sum + parallelism, 0);
  const placing = placingOf(description);
  const { version } = description;
  return {
    id,
    submittedAtMs,
    workers,
    tasks,
    artifacts,
    pieces,
    ...(placing !== undefined && { placing }),
    ...(version !== null && { version }),
  };
}

function isMeant(topology: { readonly id: string }, id: string | undefined): boolean {
  return id === undefined || topology.id === id;
}

function live(wish: Wish, assignment: Assignment | null): LiveTopology {
  const own = assignment?.id === wish.id ? assignment : null;
  return { kind: 'live', name: wish.name, id: wish.id, state: stateOf(wish, own), wish, assignment: own };
}

function ended(record: Ended): EndedTopology {
  return { kind: 'ended', name: record.name, id: record.id, state: record.state, ended: record };
}

function notAnyMore(name: string, wanted: string, state: TopologyState): MillraceError {
  return failure('MILLRACE_TOPOLOGY_ENDED', { name, wanted: wanted === 'active' ? 'activated' : 'deactivated', state });
}

function notRebalanced(name: string, state: TopologyState): MillraceError {
  return failure('MILLRACE_REBALANCE_STATE', { topology: name, state });
}
