// The topologies that other hosts lead and some workers of which are placed here: follows the assignments, and has the
// runner take part. Which workers run, and what they do, is between the runner and the lead; here is only decided in
// which revision of which topology this host takes part. Outlives sessions, as runs do. Main thread.
//
//   assigned here ─► loading ─► joined ─┬─ other revision, or none ─► ended ─► loading …
//                         ▲             └─ no place here any more ─► leaving: its lead ends the workers ─► ended
//                         └──────────────── placed here again ──────────┘
//
// Invariant: at most one membership for an id at a time, so nothing of an older revision runs beside a newer one.

import type { Clock, Timer } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { MEMBER_LEAVE_LOOK_MS, MEMBER_LEAVE_MS, STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { loadWished } from '../payload.js';
import type { Session } from '../store/contract.js';
import { aborted, pause } from '../store/signals.js';
import { isAt, type Payload } from '../topology-records.js';
import type { Version } from '../versions.js';
import type { Membership, TopologyRunner } from './runner.js';

export interface MembershipsOptions {
  readonly host: string;
  readonly boot: string;
  readonly runner: TopologyRunner;
  readonly session: () => Promise<Session>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It takes part in more, or less. */
  readonly changed: () => void;
}

/** Part in one revision of a topology. */
interface Part {
  readonly revision: number;
  /** How many workers are placed here. */
  workers: number;
  membership: Membership | null;
  /** Looks whether its lead has ended the workers that are placed elsewhere by now. */
  leaving: Timer | null;
  readonly ending: AbortController;
  /** Resolves when nothing of it runs any more. */
  readonly over: Promise<void>;
}

export class Memberships {
  private readonly options: MembershipsOptions;
  private readonly parts = new Map<string, Part>();
  private assigned: ReadonlyMap<string, Version> = new Map();
  private closing = false;

  constructor(options: MembershipsOptions) {
    this.options = options;
  }

  /** Of how many topologies anything runs here for other hosts. */
  get count(): number {
    return this.parts.size;
  }

  /** How many workers run here for other hosts. */
  get slotsUsed(): number {
    let used = 0;
    for (const { workers } of this.parts.values()) used += workers;
    return used;
  }

  /** What is assigned now, to any host. */
  follow(assignments: readonly Version[]): void {
    if (this.closing) return;
    const led = assignments.filter(({ places: [lead] }) => lead !== undefined && !isAt(lead, this.options));
    const revisions = new Map(led.map(({ id, revision }) => [id, revision]));
    const own = led.filter((each) => this.workersOf(each) > 0);
    this.assigned = new Map(own.map((each) => [each.id, each]));
    for (const [id, part] of this.parts) {
      const assignment = this.assigned.get(id);
      part.workers = assignment === undefined ? 0 : this.workersOf(assignment);
      if (revisions.get(id) !== part.revision) part.ending.abort();
      else if (part.workers === 0) this.leave(part, MEMBER_LEAVE_MS);
      else this.stay(part);
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

  private workersOf({ places }: Version): number {
    return places.filter((place) => isAt(place, this.options)).length;
  }

  /** Takes part as it is assigned, unless it does already, or an older part is still ending. */
  private take(id: string): void {
    const assignment = this.assigned.get(id);
    if (assignment === undefined || this.parts.has(id)) return;
    const ending = new AbortController();
    const over = this.takePart(assignment, ending.signal).finally(() => {
      this.stay(part);
      this.parts.delete(id);
      this.take(id);
      this.options.changed();
    });
    const { revision } = assignment;
    const part: Part = { revision, workers: this.workersOf(assignment), membership: null, leaving: null, ending, over };
    this.parts.set(id, part);
    this.options.changed();
  }

  /** Its workers are moved by their lead, which has them close their components; that is waited for, for so long. */
  private leave(part: Part, waitMs: number): void {
    if (part.leaving !== null) return;
    if (waitMs <= 0 || part.membership === null || part.membership.workers === 0) {
      part.ending.abort();
      return;
    }
    part.leaving = this.options.clock.after(MEMBER_LEAVE_LOOK_MS, () => {
      part.leaving = null;
      this.leave(part, waitMs - MEMBER_LEAVE_LOOK_MS);
    });
  }

  private stay(part: Part): void {
    part.leaving?.cancel();
    part.leaving = null;
  }

  /** Never rejects. */
  private async takePart(assignment: Version, ending: AbortSignal): Promise<void> {
    const payload = await this.load(assignment, ending);
    if (payload === null || ending.aborted) return;
    const { name, id, revision, places } = assignment;
    const { logger, runner } = this.options;
    let membership: Membership | null = null;
    try {
      membership = runner.join({ ...payload, name, id, revision, lead: places[0]! });
      this.parts.get(id)!.membership = membership;
    } catch (error) {
      // As long as it is assigned so, it would go wrong again.
      logger.error(`this host takes no part in topology "${name}": ${reasonOf(error)}`);
    }
    await aborted(ending);
    await membership?.end();
  }

  /** What is needed to run it, as soon as it can be read; null when it is to end before. */
  private async load(assignment: Version, ending: AbortSignal): Promise<Payload | null> {
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
