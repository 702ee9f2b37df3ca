// The master: turns wishes into assignments, for one term. It looks at everything each time that something changed, and
// decides for each topology by itself (decide.ts), the oldest first. Every write goes through the term, so it fails
// once another master is there, and checks the versions that it was decided on. Main thread.
//
//   wishes ─┐
//   hosts ──┼─ changed ─► look ─► decide for each topology ─► act ─┐
//   reports ┘               ▲                                      ├─ refused: read again, look again
//                           └──────────────────────────────────────┘
//
// Invariant: assignments are written by masters alone, so what this one wrote and read is what stands in the store as
// long as its term lasts; wishes, hosts and reports may be behind, and catch up by the next look.

import type { Clock } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { assignmentPath, ASSIGNMENTS, hostPath, HOSTS, memberOf, reportPath, REPORTS, TOPOLOGIES } from '../paths.js';
import { DirectoryCache } from '../recipes/directory-cache.js';
import type { Term } from '../recipes/election.js';
import { fromNode, toData } from '../store/json-node.js';
import type { Session, StoreNode } from '../store/contract.js';
import { aborted, pause, whenAborted } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import {
  changesOf,
  isAssignment,
  isHostRecord,
  isReport,
  isWish,
  type Assignment,
  type Report,
  type RunReport,
  type Spread,
  type Wish,
} from '../topology-records.js';
import { decide } from './decide.js';
import { History } from './history.js';
import { Slots } from './placement.js';
import { sweepOrphans } from './orphans.js';

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

export class Master {
  private readonly options: MasterOptions;
  private readonly history: History;
  private readonly assignments = new Map<string, { readonly value: Assignment; readonly version: number }>();
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
  }

  /** Leads until the term is over. */
  async lead(): Promise<void> {
    const { session, term, clock, logger } = this.options;
    const notice = (): void => {
      this.changed = true;
      this.wake();
    };
    const [wishes, hosts, reports] = [TOPOLOGIES, HOSTS, REPORTS].map((path) => {
      return new DirectoryCache(session, path, notice);
    }) as [DirectoryCache, DirectoryCache, DirectoryCache];
    // It also ends with this, whatever ends this: the term is only over after it.
    const sweep = new AbortController();
    const off = whenAborted([term.over], () => {
      sweep.abort();
      this.wake();
    });
    const sweeping = sweepOrphans(this.options, sweep.signal);
    try {
      await Promise.race([Promise.all([wishes.ready, hosts.ready, reports.ready]), aborted(term.over)]);
      let isRead = false;
      let isTold = false;
      for (let waitMs = STORE_RETRY_MIN_MS; !term.over.aborted;) {
        this.changed = false;
        try {
          if (!isRead) await this.readAssignments();
          isRead = await this.look(wishes, hosts, reports);
          isTold = false;
        } catch (error) {
          if (term.over.aborted) break;
          if (!isTold) logger.warn(`the master could not look, and tries again: ${reasonOf(error)}`);
          isTold = true;
          isRead = false;
          await pause(clock, waitMs, term.over);
          this.changed = true;
        }
        if (!this.changed && !term.over.aborted) await this.change(isRead ? null : waitMs);
        waitMs = isRead ? STORE_RETRY_MIN_MS : Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
      }
    } finally {
      off();
      sweep.abort();
      for (const cache of [wishes, hosts, reports]) cache.close();
      await sweeping;
    }
  }

  /** Resolves when something has changed, or after that time. */
  private async change(waitMs: number | null): Promise<void> {
    const changed = new AbortController();
    this.wake = () => changed.abort();
    if (waitMs === null) await aborted(changed.signal);
    else await pause(this.options.clock, waitMs, changed.signal);
  }

  /** Whether all of it could be carried out; a topology that cannot be waits, and holds up no other one. */
  private async look(
    wishCache: DirectoryCache,
    hostCache: DirectoryCache,
    reportCache: DirectoryCache,
  ): Promise<boolean> {
    const wishes = this.readAll(wishCache, isWish).filter(({ value }) => !this.endedIds.has(value.id));
    const hosts = this.readAll(hostCache, isHostRecord).map(({ value }) => value);
    const reports = this.readAll(reportCache, isReport);
    this.forgetEnded(wishCache);
    wishes.sort((a, b) => (a.node.stat.createRevision < b.node.stat.createRevision ? -1 : 1));
    await this.removeStrayAssignments(new Set(wishes.map(({ value }) => value.name)), wishCache);
    const slots = new Slots(
      hosts,
      [...this.assignments.values()].map(({ value }) => value),
    );
    const there = new Set(hosts.map(({ host, boot }) => memberOf(host, boot)));
    const runs = reports.flatMap(({ value }) => value.runs);
    const failed = new Set<string>();
    for (const wish of wishes) {
      try {
        await this.carryOut(wish, slots, there, runs);
      } catch (error) {
        if (this.options.term.over.aborted) throw error;
        failed.add(wish.value.id);
        this.tellFailed(wish.value, error);
        // What it has keeps its slots.
        slots.take(this.assignments.get(wish.value.name)?.value.places ?? []);
      }
    }
    for (const id of this.failed.keys()) if (!failed.has(id)) this.failed.delete(id);
    // What they say about those is still needed.
    const acted = reports.filter(({ value }) => !value.runs.some(({ id }) => failed.has(id)));
    await this.removeOldReports(acted, there);
    return failed.size === 0;
  }

  /** Once until it goes well; that somebody else was quicker is no failure the first time. */
  private tellFailed({ name, id }: Wish, error: unknown): void {
    const before = this.failed.get(id);
    const isRace = hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE');
    const tells = before === 'quiet' || (before === undefined && !isRace);
    if (tells) this.options.logger.warn(`topology "${name}" is decided on again later: ${reasonOf(error)}`);
    this.failed.set(id, tells || before === 'told' ? 'told' : 'quiet');
  }

  private async carryOut(
    { value: wish, node }: Read<Wish>,
    slots: Slots,
    there: ReadonlySet<string>,
    runs: readonly RunReport[],
  ): Promise<void> {
    const known = this.assignments.get(wish.name);
    const assignment = known?.value.id === wish.id ? known.value : null;
    const decision = decide({
      wish,
      assignment,
      isThere: ({ host, boot }) => there.has(memberOf(host, boot)),
      reports: runs.filter(({ id, revision }) => id === wish.id && revision === assignment?.revision),
    });
    switch (decision.type) {
      case 'nothing':
        return;
      case 'tell':
        await this.tell(wish, assignment!, slots);
        return;
      case 'end':
        await this.history.end(wish, node.stat.version, decision.state, known ?? null);
        this.endedIds.add(wish.id);
        this.assignments.delete(wish.name);
        slots.free(assignment?.places ?? []);
        return;
      case 'place':
      case 'take away': {
        slots.free(assignment?.places ?? []);
        const places = decision.type === 'place' ? (slots.place(wish.workers) ?? []) : [];
        if (places.length === 0 && (assignment?.places.length ?? 0) === 0) return;
        const revision = (assignment?.revision ?? 0) + 1;
        const { name, id, wanted, kill } = wish;
        await this.assign({ name, id, epoch: 0, revision, wanted, kill, places, ...spreadOf(wish) });
      }
    }
  }

  /** One that runs is told what is wished; a rebalance waits until its host has the slots. */
  private async tell(wish: Wish, assignment: Assignment, slots: Slots): Promise<void> {
    const { wanted, kill } = wish;
    const isSpread = changesOf(wish) === changesOf(assignment);
    const places = isSpread ? assignment.places : slots.resize(assignment.places, wish.workers);
    if (places === null && wanted === assignment.wanted) return;
    const spread = places === null ? {} : { places, ...spreadOf(wish) };
    await this.assign({ ...assignment, wanted, kill, ...spread });
  }

  private async assign(decided: Assignment): Promise<void> {
    const { term, logger } = this.options;
    const value = { ...decided, epoch: term.epoch };
    const known = this.assignments.get(value.name);
    const target = { path: assignmentPath(value.name), data: toData(value) };
    const [result] = await term.act([
      known === undefined ? { type: 'create', ...target } : { type: 'set', ...target, version: known.version },
    ]);
    this.assignments.set(value.name, { value, version: result?.type === 'set' ? result.stat.version : 0 });
    const where = value.places.map(({ host, slot }) => `${host}/${slot}`).join(', ');
    logger.debug(`topology "${value.name}": revision ${value.revision}, ${value.wanted}, on ${where || 'no host'}`);
  }

  private async readAssignments(): Promise<void> {
    const { session } = this.options;
    const names = await session.children(ASSIGNMENTS);
    const nodes = await Promise.all(names.map((name) => session.get(assignmentPath(name))));
    this.assignments.clear();
    names.forEach((name, index) => {
      const node = nodes[index]!;
      const value = this.valueOf(node, isAssignment);
      // One that cannot be read is written anew; its version is needed for that.
      const unread = { name, id: '', epoch: 0, revision: 0, wanted: 'inactive', kill: null, places: [] } as const;
      this.assignments.set(name, { value: value ?? unread, version: node.stat.version });
    });
  }

  /** Assignments whose topology is gone, or was never wished. */
  private async removeStrayAssignments(wished: ReadonlySet<string>, cache: DirectoryCache): Promise<void> {
    for (const [name, { version }] of [...this.assignments]) {
      if (wished.has(name) || cache.nodes.has(name)) continue;
      await this.options.term.act([{ type: 'delete', path: assignmentPath(name), version }]);
      this.assignments.delete(name);
    }
  }

  /** Reports of hosts that are gone; everything in them was acted upon by now. */
  private async removeOldReports(reports: readonly Read<Report>[], there: ReadonlySet<string>): Promise<void> {
    const { session, term } = this.options;
    for (const { value, node } of reports) {
      const member = memberOf(value.host, value.boot);
      if (there.has(member) || (await session.exists(hostPath(member))) !== null) continue;
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

  /** What is in the node, or null when it cannot be read, which is told once. */
  private valueOf<T>(node: StoreNode, isIt: (value: unknown) => value is T): T | null {
    try {
      return fromNode(node, isIt);
    } catch (error) {
      const what = `${node.path} ${node.stat.modifyRevision}`;
      if (!this.told.has(what)) this.options.logger.error(reasonOf(error));
      if (this.told.size > 1000) this.told.clear();
      this.told.add(what);
      return null;
    }
  }
}

function spreadOf({ parallelism = {}, change = 0 }: Wish): Required<Spread> {
  return { parallelism, change };
}
