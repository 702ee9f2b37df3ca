// The rules of topologies that new versions replace: what became of each version that was wished, and that spouts of
// the one let go before those of the next one are opened.

import { memberOf, reportPath } from '../../coordination/paths.js';
import type { Assignment, Report, Wish } from '../../coordination/topology-records.js';
import type { Version } from '../../coordination/versions.js';
import type { Journal } from './journal.js';
import type { Mirror } from './mirror.js';

export class Replaced {
  private readonly journal: Journal;
  /** Ids of those that were to replace another. */
  private readonly nexts = new Set<string>();
  /** Of those that did not. */
  private readonly dropped = new Set<string>();
  /** Of those that were replaced. */
  private readonly before = new Set<string>();

  /** Where spouts of the version with that id are open, of runs that are there; null: nowhere. */
  private readonly reading: (id: string) => string | null;

  constructor(journal: Journal, reading: (id: string) => string | null) {
    this.journal = journal;
    this.reading = reading;
  }

  isNext(id: string): boolean {
    return this.nexts.has(id);
  }

  /** It was refused, or its topology ended before. */
  isDropped(id: string): boolean {
    return this.dropped.has(id);
  }

  wasReplaced(id: string): boolean {
    return this.before.has(id);
  }

  /** @param now - null when its topology has ended */
  wishChanged(now: Wish | null, before: Wish | undefined): void {
    const { journal, nexts, dropped } = this;
    if (now?.next !== undefined) nexts.add(now.next.id);
    if (now?.refused !== undefined) dropped.add(now.refused.id);
    const next = before?.next?.id;
    if (before === undefined || next === undefined || now?.next?.id === next) return;
    if (now?.id === next) {
      this.before.add(before.id);
      journal.note(`"${now.name}": ${next.slice(0, 6)} has replaced ${before.id.slice(0, 6)}`);
    } else {
      if (now !== null && now.refused?.id !== next) journal.broken('as wished', `"${now.name}" lost its next version`);
      dropped.add(next);
    }
  }

  /** @param before - the next version as it was assigned before */
  checkOpen(
    { name, id, revision, next, places: [lead] }: Assignment,
    before: Version | undefined,
    mirror: Mirror,
  ): void {
    if (next?.stage !== 'open' || before?.stage === 'open' || lead === undefined) return;
    const reading = this.reading(id);
    if (reading !== null)
      this.journal.broken('one version', `"${name}" opens ${next.id}, and ${id} reads at ${reading}`);
    const report = mirror.read<Report>(reportPath(memberOf(lead.host, lead.boot)));
    const run = report?.runs.find((each) => each.id === id && each.revision === revision);
    if (run?.stage === 'aside') return;
    this.journal.broken('one version', `"${name}" opens ${next.id}, and ${id} has not let go`);
  }
}
