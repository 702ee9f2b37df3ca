// When the master acts on hosts that come and go. Hosts often do so together: each time anew it would move what the
// next moment moves back. So it gathers: from the first host that came, or went without a word, until none did for
// HOSTS_GATHER_MS, HOSTS_GATHER_MAX_MS at most. Wishes of users do not wait for it: they get places on hosts that are
// settled and there. Main thread.
//
//   settled ── comes, or goes without a word ──► gathering ── quiet for a while, or long enough ──► settled
//      └────── says that it leaves, and goes: acted upon at once
//
// A host without a door shares nothing with others, so nothing is to be gathered with it: it counts at once.

import { HOSTS_GATHER_MAX_MS, HOSTS_GATHER_MS } from '../../engine/limits.js';
import type { HostRecord } from '../topology-records.js';
import type { Standing } from './arrange.js';

export class Gathering {
  private readonly settled = new Set<string>();
  /** Hosts that have come, or gone, since they were settled. */
  private readonly pending = new Set<string>();
  private records: ReadonlyMap<string, HostRecord> = new Map();
  private firstMs: number | null = null;
  private lastMs = 0;
  private hasBegun = false;

  /**
   * Takes note of who is there.
   *
   * @param records - by `host~boot`
   * @param named - hosts that something was assigned to before this master: they need not settle first
   */
  see(records: ReadonlyMap<string, HostRecord>, named: Iterable<string>, nowMs: number): void {
    const before = this.records;
    this.records = records;
    if (!this.hasBegun) this.begin(named, nowMs);
    for (const [member, { door }] of records) {
      if (this.settled.has(member)) this.pending.delete(member);
      else if (door === undefined) this.settled.add(member);
      else this.note(member, nowMs);
    }
    for (const member of [...this.settled]) {
      if (records.has(member)) continue;
      const last = before.get(member);
      const isAtOnce = last !== undefined && (last.leaving === true || last.door === undefined);
      if (isAtOnce) this.settled.delete(member);
      else this.note(member, nowMs);
    }
    for (const member of this.pending) {
      if (!records.has(member) && !this.settled.has(member)) this.pending.delete(member);
    }
    if (this.firstMs !== null && nowMs >= this.dueMs(this.firstMs)) this.settle();
  }

  /** Milliseconds until there is something to be acted upon; null when nothing is gathered. */
  waitMs(nowMs: number): number | null {
    return this.firstMs === null ? null : Math.max(0, this.dueMs(this.firstMs) - nowMs);
  }

  standing(member: string): Standing {
    if (this.records.has(member)) return 'there';
    return this.firstMs !== null && this.settled.has(member) ? 'gathering' : 'gone';
  }

  /** Whether it may be given workers, as far as coming and going is concerned. */
  isSettled(member: string): boolean {
    const record = this.records.get(member);
    return record !== undefined && record.leaving !== true && this.settled.has(member);
  }

  /** A new master does not know who came and went while there was none. */
  private begin(named: Iterable<string>, nowMs: number): void {
    this.hasBegun = true;
    if (![...this.records.values()].some(({ door }) => door !== undefined)) return;
    for (const member of named) this.settled.add(member);
    this.firstMs = this.lastMs = nowMs;
  }

  private note(member: string, nowMs: number): void {
    if (this.pending.has(member)) return;
    this.pending.add(member);
    this.firstMs ??= nowMs;
    this.lastMs = nowMs;
  }

  private dueMs(firstMs: number): number {
    return Math.min(this.lastMs + HOSTS_GATHER_MS, firstMs + HOSTS_GATHER_MAX_MS);
  }

  private settle(): void {
    this.firstMs = null;
    this.pending.clear();
    this.settled.clear();
    for (const member of this.records.keys()) this.settled.add(member);
  }
}
