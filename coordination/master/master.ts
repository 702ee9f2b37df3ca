// The master: turns wishes into assignments, for one term. It looks at everything each time that something changed, and
// decides for each topology by itself (decide.ts, arrange.ts): those of higher priority first, then the oldest. Every
// write goes through the term, so it fails once another master is there, and checks the versions that it was decided
// on. Main thread.
//
//   wishes ─┐
//   hosts ──┤
//   drains ─┼─ changed ─► look ─► decide for each topology ─► act ─┐
//   reports ┘               ▲                                      ├─ refused: read again, look again
//                           └──────────────────────────────────────┘
//
// Invariant: assignments are written by masters alone, so what this one wrote and read is what stands in the store as
// long as its term lasts; all else may be behind, and catches up by the next look.

import type { Clock } from '../../engine/clock.js';
import { failure, reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { ASSIGNMENTS, DRAINS, hostPath, HOSTS, memberOf, reportPath, REPORTS, TOPOLOGIES, wishPath } from '../paths.js';
import { DirectoryCache } from '../recipes/directory-cache.js';
import type { Term } from '../recipes/election.js';
import { fromNode } from '../store/json-node.js';
import type { Session, StoreNode } from '../store/contract.js';
import { aborted, pause, whenAborted } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import {
  isHostRecord,
  isReport,
  isWish,
  type HostRecord,
  type Placed,
  type Report,
  type RunReport,
  type Wish,
  type WorkerPlace,
} from '../topology-records.js';
import { placesOf, submittedOf } from '../versions.js';
import { arrange, type Case, type Standing } from './arrange.js';
import { Assignments } from './assignments.js';
import { decide } from './decide.js';
import { Gathering } from './gathering.js';
import { History } from './history.js';
import { labelsOf } from './layout.js';
import { priorityOf } from './make-room.js';
import { sweepOrphans } from './orphans.js';
import { Placements } from './placements.js';
import { Replacing } from './replacing.js';
import { Room } from './room.js';

export interface MasterOptions {
  readonly session: Session;
  readonly term: Term;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds since the epoch, for what people read. */
  readonly wallMs: () => number;
}

/** A node as it was read, and what is in it. */
interface Read<T> {
  readonly value: T;
  readonly node: StoreNode;
}

/** What the master follows. */
type Followed = Readonly<Record<'wishes' | 'hosts' | 'reports' | 'drains', DirectoryCache>>;

/** What is known at one look. */
interface View {
  readonly room: Room;
  readonly isDrained: (host: string) => boolean;
  /** What hosts say of a topology, by themselves and its id. */
  readonly runs: ReadonlyMap<string, RunReport>;
  /** In the order in which they are decided on. */
  readonly wishes: readonly Read<Wish>[];
}

export class Master {
  private readonly options: MasterOptions;
  private readonly history: History;
  private readonly assignments: Assignments;
  private readonly gathering = new Gathering();
  private readonly replacing: Replacing;
  private readonly placements: Placements;
  /** Nodes that could not be read, and were told. */
  private readonly told = new Set<string>();
  /** Topologies that this master ended, and that the cache may still show. */
  private readonly endedIds = new Set<string>();
  /** Topologies for which the last look could not do what it decided, and whether that was told. */
  private readonly failed = new Map<string, 'quiet' | 'told'>();
  private changed = true;
  private wake: () => void = () => undefined;

  constructor(options: MasterOptions) {
    this.options = options;
    this.history = new History(options);
    this.assignments = new Assignments({
      ...options,
      freed: () => {
        this.changed = true;
      },
      valueOf: (node, isIt) => this.valueOf(node, isIt),
    });
    const { history, assignments, gathering } = this;
    this.replacing = new Replacing({
      ...{ ...options, history, assignments, gathering },
      ended: (id) => this.endedIds.add(id),
    });
    this.placements = new Placements({ ...options, assignments, gathering });
  }

  /** Leads until the term is over. */
  async lead(): Promise<void> {
    const { session, term, clock, logger } = this.options;
    const notice = (): void => {
      this.changed = true;
      this.wake();
    };
    const follow = (path: string): DirectoryCache => new DirectoryCache(session, path, notice);
    const followed: Followed = {
      wishes: follow(TOPOLOGIES),
      hosts: follow(HOSTS),
      reports: follow(REPORTS),
      drains: follow(DRAINS),
    };
    const placed = new DirectoryCache(session, ASSIGNMENTS, () => {
      if (this.assignments.see(placed.nodes)) notice();
    });
    const caches = [...Object.values(followed), placed];
    // It also ends with this, whatever ends this: the term is only over after it.
    const sweep = new AbortController();
    const off = whenAborted([term.over], () => {
      sweep.abort();
      this.wake();
    });
    const sweeping = sweepOrphans(this.options, sweep.signal);
    try {
      await Promise.race([Promise.all(caches.map(({ ready }) => ready)), aborted(term.over)]);
      let isRead = false;
      let isTold = false;
      for (let waitMs = STORE_RETRY_MIN_MS; !term.over.aborted;) {
        this.changed = false;
        try {
          if (!isRead || this.assignments.isStale) await this.assignments.read();
          isRead = await this.look(followed);
          isTold = false;
        } catch (error) {
          if (term.over.aborted) break;
          if (!isTold) logger.warn(`the master could not look, and tries again: ${reasonOf(error)}`);
          isTold = true;
          isRead = false;
          await pause(clock, waitMs, term.over);
          this.changed = true;
        }
        if (!this.changed && !term.over.aborted) await this.change(isRead ? this.dueMs(clock.now()) : waitMs);
        waitMs = isRead ? STORE_RETRY_MIN_MS : Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
      }
    } finally {
      off();
      sweep.abort();
      for (const cache of caches) cache.close();
      await sweeping;
    }
  }

  /** Milliseconds until it looks without being asked; null: it need not. */
  private dueMs(nowMs: number): number | null {
    const times = [this.gathering.waitMs(nowMs), this.replacing.waitMs(nowMs)].filter((waitMs) => waitMs !== null);
    // Whole ones: what is left of a sum of fractions may be too little to pass.
    return times.length === 0 ? null : Math.ceil(Math.min(...times));
  }

  /** Resolves when something has changed, or after that time. */
  private async change(waitMs: number | null): Promise<void> {
    const changed = new AbortController();
    this.wake = () => changed.abort();
    if (waitMs === null) await aborted(changed.signal);
    else await pause(this.options.clock, waitMs, changed.signal);
  }

  /** Whether all of it could be carried out; a topology that cannot be waits, and holds up no other one. */
  private async look(followed: Followed): Promise<boolean> {
    const { assignments, endedIds } = this;
    const live = this.readAll(followed.wishes, isWish).filter(({ value }) => !endedIds.has(value.id));
    const wishes = live.filter((each) => this.isInPlace(each, wishPath(each.value.name)));
    const hosts = this.readAll(followed.hosts, isHostRecord)
      .filter((each) => this.isInPlace(each, hostPath(memberAt(each.value))))
      .map(({ value }) => value);
    const reports = this.readAll(followed.reports, isReport).filter((each) =>
      this.isInPlace(each, reportPath(memberAt(each.value))),
    );
    this.forgetEnded(followed.wishes);
    this.replacing.see(wishes.map(({ value }) => value));
    wishes.sort(isDecidedBefore);
    const wished = new Set(wishes.map(({ value }) => value.name));
    await assignments.removeStrays((name) => wished.has(name) || followed.wishes.nodes.has(name));
    const there = new Map(hosts.map((record) => [memberOf(record.host, record.boot), record]));
    const view = this.view(there, wishes, reports, followed.drains);
    const failed = new Set<string>();
    for (const wish of wishes) {
      try {
        await this.carryOut(wish, view);
      } catch (error) {
        // What may stand in the store may have any slot: nobody else is decided on before that is known.
        if (this.options.term.over.aborted || hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) throw error;
        for (const { id } of submittedOf(wish.value)) failed.add(id);
        this.tellFailed(wish.value, error);
        // What it has keeps its slots.
        const standing = assignments.get(wish.value.name);
        if (standing !== undefined) view.room.take(placesOf(standing.value));
      }
    }
    for (const id of this.failed.keys()) if (!failed.has(id)) this.failed.delete(id);
    // What they say about those is still needed.
    const acted = reports.filter(({ value }) => !value.runs.some(({ id }) => failed.has(id)));
    await this.removeOldReports(acted, (member) => there.has(member));
    return failed.size === 0;
  }

  private view(
    there: ReadonlyMap<string, HostRecord>,
    wishes: readonly Read<Wish>[],
    reports: readonly Read<Report>[],
    drains: DirectoryCache,
  ): View {
    const { gathering } = this;
    const places = this.assignments.all.map(placesOf);
    gathering.see(
      there,
      places.flatMap((each) => each.map(memberAt)),
      this.options.clock.now(),
    );
    // By name, whatever is in them: who cannot be read is not to get workers either.
    const isDrained = (host: string): boolean => drains.nodes.has(host);
    const room = new Room({
      hosts: there.values(),
      places,
      isOpen: (record) => gathering.isSettled(memberAt(record)) && !isDrained(record.host),
      labels: new Set(wishes.flatMap(({ value }) => labelsOf(value.placing ?? {}))),
    });
    const runs = reports.flatMap(({ value }) => {
      return value.runs.map((run): [string, RunReport] => [runKey(value, run.id), run]);
    });
    return { room, isDrained, runs: new Map(runs), wishes };
  }

  /** Once until it goes well; that somebody else was quicker is no failure the first time. */
  private tellFailed({ name, id }: Wish, error: unknown): void {
    const before = this.failed.get(id);
    const isRace = hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE');
    const tells = before === 'quiet' || (before === undefined && !isRace);
    if (tells) this.options.logger.warn(`topology "${name}" is decided on again later: ${reasonOf(error)}`);
    this.failed.set(id, tells || before === 'told' ? 'told' : 'quiet');
  }

  private async carryOut({ value: wish, node }: Read<Wish>, view: View): Promise<void> {
    const { replacing } = this;
    const standing = (place: WorkerPlace): Standing => this.gathering.standing(memberAt(place));
    const reportOf = (placed: Placed): RunReport | null => reportIn(view.runs, placed);
    const goesOn = await replacing.carryOut({ ...view, wish, version: node.stat.version, standing, reportOf });
    if (!goesOn) return;
    const known = this.assignments.get(wish.name);
    const assignment = known?.value.id === wish.id ? known.value : null;
    const [lead] = assignment?.places ?? [];
    const report = assignment === null ? null : reportOf(assignment);
    const hasLead = lead !== undefined && standing(lead) !== 'gone';
    const decision = decide({ wish, assignment, hasLead, report });
    switch (decision.type) {
      case 'nothing':
        return;
      case 'kill': {
        const { wanted, kill } = wish;
        await this.assignments.write({ ...assignment!, wanted, kill });
        return;
      }
      case 'end':
        await this.history.end(wish, node.stat.version, decision.state, known ?? null);
        this.endedIds.add(wish.id);
        this.assignments.forget(wish.name);
        if (assignment !== null) view.room.give(placesOf(assignment));
        return;
      case 'arrange': {
        const { placements } = this;
        const { room, isDrained } = view;
        const away = new Set(lead !== undefined && standing(lead) === 'there' ? report?.away : []);
        const each: Case = { wish, assignment, room, standing, away, isDrained };
        const arrangement = arrange(each);
        const isPlaced = arrangement.places.length > 0;
        if (isPlaced || wish.wanted !== 'active') await placements.put(wish, assignment, arrangement);
        else await placements.putAtCost(each, arrangement, view.wishes);
      }
    }
  }

  /** Reports of hosts that are gone; everything in them was acted upon by now. */
  private async removeOldReports(
    reports: readonly Read<Report>[],
    isThere: (member: string) => boolean,
  ): Promise<void> {
    const { session, term } = this.options;
    for (const { value, node } of reports) {
      const member = memberAt(value);
      if (isThere(member) || (await session.exists(hostPath(member))) !== null) continue;
      await term
        .act([{ type: 'delete', path: reportPath(member), version: node.stat.version }])
        .catch((error: unknown) => {
          if (!hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_BAD_VERSION')) throw error;
        });
    }
  }

  private forgetEnded(cache: DirectoryCache): void {
    if (this.endedIds.size === 0) return;
    const shown = new Set(this.readAll(cache, isWish).map(({ value }) => value.id));
    for (const id of this.endedIds) if (!shown.has(id)) this.endedIds.delete(id);
  }

  private readAll<T>(cache: DirectoryCache, isIt: (value: unknown) => value is T): Read<T>[] {
    return [...cache.nodes.values()].flatMap((node) => {
      const value = this.valueOf(node, isIt);
      return value === null ? [] : { value, node };
    });
  }

  /** Whether a record stands where it belongs: by hand it can be written elsewhere, and then it is nobody's. */
  private isInPlace({ node }: Read<unknown>, path: string): boolean {
    if (node.path === path) return true;
    this.tellOnce(node, failure('MILLRACE_STORE_CONTENT', { path: node.path, reason: `it belongs to ${path}` }));
    return false;
  }

  /** What is in the node, or null when it cannot be read, which is told once. */
  private valueOf<T>(node: StoreNode, isIt: (value: unknown) => value is T): T | null {
    try {
      return fromNode(node, isIt);
    } catch (error) {
      this.tellOnce(node, error);
      return null;
    }
  }

  private tellOnce({ path, stat }: StoreNode, error: unknown): void {
    const what = `${path} ${stat.modifyRevision}`;
    if (!this.told.has(what)) this.options.logger.error(reasonOf(error));
    if (this.told.size > 1000) this.told.clear();
    this.told.add(what);
  }
}

function memberAt({ host, boot }: Pick<WorkerPlace, 'host' | 'boot'>): string {
  return memberOf(host, boot);
}

/** What its lead says of it, in its present revision; null for nothing. */
function reportIn(runs: View['runs'], { id, revision, places: [lead] }: Placed): RunReport | null {
  const run = lead === undefined ? undefined : runs.get(runKey(lead, id));
  return run?.revision === revision ? run : null;
}

function runKey(at: Pick<WorkerPlace, 'host' | 'boot'>, id: string): string {
  return `${memberAt(at)} ${id}`;
}

/** Of higher priority first, then the oldest. */
function isDecidedBefore(one: Read<Wish>, other: Read<Wish>): number {
  const higher = priorityOf(other.value) - priorityOf(one.value);
  if (higher !== 0) return higher;
  return one.node.stat.createRevision < other.node.stat.createRevision ? -1 : 1;
}
