// The topologies that other hosts lead and some workers of which are placed here: follows the assignments, and has the
// runner take part. Which workers run, and what they do, is between the runner and the lead; here is only decided in
// which revision of which topology this host takes part. Outlives sessions, as runs do. Main thread.
//
//   assigned here ─► loading ─► joined ─┬─ other revision ─► ended ─► loading …
//                                       └─ not assigned here any more ─► ended
//
// Invariant: at most one membership for an id at a time, so nothing of an older revision runs beside a newer one.

import type { Clock } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { loadWished } from '../payload.js';
import type { Session } from '../store/contract.js';
import { aborted, pause } from '../store/signals.js';
import { isAt, type Assignment, type Payload } from '../topology-records.js';
import type { Membership, TopologyRunner } from './runner.js';

export interface MembershipsOptions {
  readonly host: string;
  readonly boot: string;
  readonly runner: TopologyRunner;
  readonly session: () => Promise<Session>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Part in one revision of a topology. */
interface Part {
  readonly revision: number;
  /** How many workers are placed here. */
  workers: number;
  readonly ending: AbortController;
  /** Resolves when nothing of it runs any more. */
  readonly over: Promise<void>;
}

export class Memberships {
  private readonly options: MembershipsOptions;
  private readonly parts = new Map<string, Part>();
  private assigned: ReadonlyMap<string, Assignment> = new Map();
  private closing = false;

  constructor(options: MembershipsOptions) {
    this.options = options;
  }

  /** How many workers run here for other hosts. */
  get slotsUsed(): number {
    let used = 0;
    for (const { workers } of this.parts.values()) used += workers;
    return used;
  }

  /** What is assigned now, to any host. */
  follow(assignments: readonly Assignment[]): void {
    if (this.closing) return;
    const own = assignments.filter((each) => this.workersOf(each) > 0 && !isAt(each.places[0]!, this.options));
    this.assigned = new Map(own.map((each) => [each.id, each]));
    for (const [id, part] of this.parts) {
      const assignment = this.assigned.get(id);
      if (assignment?.revision === part.revision) part.workers = this.workersOf(assignment);
      else part.ending.abort();
    }
    for (const id of this.assigned.keys()) this.take(id);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.closing = true;
    this.assigned = new Map();
    for (const { ending } of this.parts.values()) ending.abort();
    await Promise.all([...this.parts.values()].map(({ over }) => over));
  }

  private workersOf({ places }: Assignment): number {
    return places.filter((place) => isAt(place, this.options)).length;
  }

  /** Takes part as it is assigned, unless it does already, or an older part is still ending. */
  private take(id: string): void {
    const assignment = this.assigned.get(id);
    if (assignment === undefined || this.parts.has(id)) return;
    const ending = new AbortController();
    const over = this.takePart(assignment, ending.signal).finally(() => {
      this.parts.delete(id);
      this.take(id);
    });
    const { revision } = assignment;
    this.parts.set(id, { revision, workers: this.workersOf(assignment), ending, over });
  }

  /** Never rejects. */
  private async takePart(assignment: Assignment, ending: AbortSignal): Promise<void> {
    const payload = await this.load(assignment, ending);
    if (payload === null || ending.aborted) return;
    const { name, id, revision, places } = assignment;
    const { logger, runner } = this.options;
    let membership: Membership | null = null;
    try {
      membership = runner.join({ ...payload, name, id, revision, lead: places[0]! });
    } catch (error) {
      // As long as it is assigned so, it would go wrong again.
      logger.error(`this host takes no part in topology "${name}": ${reasonOf(error)}`);
    }
    await aborted(ending);
    await membership?.end();
  }

  /** What is needed to run it, as soon as it can be read; null when it is to end before. */
  private async load(assignment: Assignment, ending: AbortSignal): Promise<Payload | null> {
    const { session, clock, logger } = this.options;
    for (let waitMs = STORE_RETRY_MIN_MS; !ending.aborted; waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS)) {
      try {
        return await loadWished(await session(), assignment);
      } catch (error) {
        // Its lead says what is wrong with it; one that has just ended is soon not assigned any more.
        logger.debug(`topology "${assignment.name}" is joined later: ${reasonOf(error)}`);
      }
      await pause(clock, waitMs, ending);
    }
    return null;
  }
}
