// Carries out what replace.ts decides: every step is one transaction that checks the wish it was decided on, so a user
// who kills the topology meanwhile, or a cache that lags, makes it fail and be decided on anew. Main thread.

import type { Clock } from '../../engine/clock.js';
import { failure, toWire, type MillraceError, type WireError } from '../../engine/errors.js';
import { REPLACE_DRAIN_MS, REPLACE_STEP_MAX_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { finalPath, payloadPath, wishPath } from '../paths.js';
import type { Term } from '../recipes/election.js';
import { smallError } from '../small-error.js';
import { fromNode, toData } from '../store/json-node.js';
import type { Operation, Session } from '../store/contract.js';
import { hasCode } from '../store/store-errors.js';
import {
  isFinal,
  type Assignment,
  type NextPlaced,
  type Placed,
  type RunReport,
  type Submitted,
  type Wish,
  type WorkerPlace,
} from '../topology-records.js';
import {
  alone,
  assignmentOfNext,
  isReplacing,
  stateIdOf,
  wishOfNext,
  withoutNext,
  type ReplacingAssignment,
  type ReplacingWish,
} from '../versions.js';
import { arrange, type Standing } from './arrange.js';
import type { Assignments } from './assignments.js';
import type { Gathering } from './gathering.js';
import type { History } from './history.js';
import { replaceStep, type ReplaceStep } from './replace.js';
import type { Room } from './room.js';

export interface ReplacingOptions {
  readonly session: Session;
  readonly term: Term;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly assignments: Assignments;
  readonly history: History;
  readonly gathering: Gathering;
  /** That submission has ended; a cache may still show it. */
  readonly ended: (id: string) => void;
}

/** A topology as one look of the master finds it. */
export interface Found {
  readonly wish: Wish;
  /** Of its node. */
  readonly version: number;
  readonly room: Room;
  readonly isDrained: (host: string) => boolean;
  readonly standing: (place: WorkerPlace) => Standing;
  /** What its lead says of it. */
  readonly reportOf: (placed: Placed) => RunReport | null;
}

/** Since when a replacement is where it is. */
interface Since {
  readonly step: string;
  readonly sinceMs: number;
}

export class Replacing {
  private readonly options: ReplacingOptions;
  /** By the id of the next version. */
  private readonly since = new Map<string, Since>();
  /** Ids of next versions that this master refused, and that the cache still shows. */
  private readonly refused = new Set<string>();

  constructor(options: ReplacingOptions) {
    this.options = options;
  }

  /** Milliseconds until one has taken too long; null when none is under way. */
  waitMs(nowMs: number): number | null {
    if (this.since.size === 0) return null;
    const first = Math.min(...[...this.since.values()].map(({ sinceMs }) => sinceMs));
    return Math.max(0, first + REPLACE_STEP_MAX_MS - nowMs);
  }

  /**
   * Does what comes next for a topology that is to be replaced, if it is.
   *
   * @returns whether what runs of it is to be decided on as usual
   */
  async carryOut(found: Found): Promise<boolean> {
    const { reportOf, standing } = found;
    // A cache may lag behind what was refused.
    const isRefused = this.refused.has(found.wish.next?.id ?? '');
    const wish = isRefused ? withoutNext(found.wish) : found.wish;
    const known = this.options.assignments.get(wish.name)?.value;
    const assignment = known?.id === wish.id ? known : null;
    if (!isReplacing(wish) && assignment?.next === undefined) return true;
    const [lead] = assignment?.places ?? [];
    const placed = assignment?.next;
    const step = replaceStep({
      wish,
      assignment,
      hasLead: lead !== undefined && standing(lead) !== 'gone',
      report: assignment === null ? null : reportOf(assignment),
      hasNextHosts: placed !== undefined && hasHosts(found, placed),
      hasNextLead: placed !== undefined && hasLead(found, placed),
      nextReport: placed === undefined ? null : reportOf(placed),
      isLate: this.isLate(assignment),
    });
    switch (step.type) {
      case 'wait':
        return step.goesOn;
      case 'drop':
        await this.write(found, alone(assignment!));
        found.room.give(placed!.places);
        return true;
      case 'close':
        await this.write(found, { ...assignment!, aside: true, next: { ...placed!, stage: 'closing' } });
        return false;
      default:
        // All else is done for one that is wished.
        return !isReplacing(wish) || (await this.act({ ...found, wish }, assignment, step));
    }
  }

  /** What does not happen any more. */
  see(wishes: readonly Wish[]): void {
    const wished = new Set(wishes.map(({ next }) => next?.id));
    const placed = new Set(this.options.assignments.all.map(({ next }) => next?.id));
    for (const id of this.since.keys()) if (!wished.has(id) && !placed.has(id)) this.since.delete(id);
    for (const id of this.refused) if (!wished.has(id)) this.refused.delete(id);
  }

  private async act(
    found: Found & { readonly wish: ReplacingWish },
    assignment: Assignment | null,
    step: Exclude<ReplaceStep, { readonly type: 'wait' | 'drop' | 'close' }>,
  ): Promise<boolean> {
    const { next } = found.wish;
    switch (step.type) {
      case 'place':
        return await this.place(found, assignment!);
      case 'aside':
        await this.write(found, { ...assignment!, aside: true });
        return true;
      case 'tell':
        await this.write(found, { ...assignment!, next: { ...assignment!.next!, wanted: wantedOf(found.wish) } });
        return false;
      case 'open':
        await this.write(found, {
          ...assignment!,
          next: { ...assignment!.next!, wanted: wantedOf(found.wish), stage: 'open' },
        });
        return false;
      case 'end': {
        const kill = { waitMs: REPLACE_DRAIN_MS, reason: reasonOf(next) };
        await this.write(found, { ...assignment!, wanted: 'killed', kill });
        return false;
      }
      case 'swap':
        await this.swap(found, assignment);
        return false;
      case 'refuse':
        await this.refuse(found, assignment, step.error);
        return false;
    }
  }

  private async write({ wish, version }: Found, decided: Assignment): Promise<void> {
    const { assignments } = this.options;
    await assignments.write(decided, [{ type: 'check', path: wishPath(wish.name), version }]);
    // From now on that step has its time.
    this.isLate(decided);
  }

  /** All its workers get slots beside those that the topology has, or it is refused. */
  private async place(found: Found & { readonly wish: ReplacingWish }, assignment: Assignment): Promise<boolean> {
    const { wish, room, standing, isDrained } = found;
    const { gathering, clock } = this.options;
    const asked: Wish = { ...wishOfNext(wish), wanted: 'active', kill: null };
    const { places, waiting } = arrange({ wish: asked, assignment: null, room, standing, away: new Set(), isDrained });
    if (places.length === 0) {
      // Hosts that came count in a moment.
      if (gathering.waitMs(clock.now()) !== null) return true;
      const reason = waiting ?? 'there is no room';
      await this.refuse(found, assignment, failure('MILLRACE_REPLACE_ROOM', { topology: wish.name, reason }));
      return false;
    }
    const wanted = wantedOf(wish);
    // Above zero its sinks go on with what the one before has written.
    const revision = assignment.revision + 1;
    await this.write(found, { ...assignment, next: { id: wish.next.id, revision, places, wanted, stage: 'standby' } });
    return true;
  }

  private async swap({ wish, version, room }: Found & { readonly wish: ReplacingWish }, assignment: Assignment | null) {
    const { assignments, history, ended, logger } = this.options;
    const { name, id, next } = wish;
    const killed: Wish = { ...wish, kill: { waitMs: 0, reason: reasonOf(next) } };
    const line = await history.lineOf(killed, 'killed', assignment?.revision ?? 0);
    const now: Wish = wishOfNext(wish);
    const decided = isPlacedToo(assignment)
      ? { ...assignmentOfNext(assignment), wanted: assignment.next.wanted }
      : // It goes on counting: what the one before has written stays.
        { ...nowhere(wish), revision: assignment?.revision ?? 0 };
    await assignments.write(decided, [{ type: 'set', path: wishPath(name), data: toData(now), version }, line]);
    ended(id);
    this.since.delete(next.id);
    room.give(assignment?.places ?? []);
    logger.info(`topology "${name}": version ${next.id} has replaced ${id}`);
    await history.forget(name, [payloadPath(id), finalPath(id)]);
  }

  private async refuse(
    found: Found & { readonly wish: ReplacingWish },
    assignment: Assignment | null,
    reason: MillraceError | null,
  ): Promise<void> {
    const { assignments, history, logger } = this.options;
    const { wish, version, room } = found;
    const { name, next } = wish;
    const error = smallError(reason === null ? await this.finalError(wish) : ownError(reason));
    const data = toData({ ...withoutNext(wish), refused: { id: next.id, error } } satisfies Wish);
    const told: Operation = { type: 'set', path: wishPath(name), data, version };
    const placed = assignment?.next;
    const isOpening = placed?.stage === 'open' && found.reportOf(placed)?.state === 'running' && hasLead(found, placed);
    if (assignment === null) await this.options.term.act([told]);
    else if (isOpening) await assignments.write({ ...assignment, next: { ...placed, stage: 'closing' } }, [told]);
    else await assignments.write(alone(assignment), [told]);
    this.refused.add(next.id);
    this.since.delete(next.id);
    if (!isOpening) room.give(placed?.places ?? []);
    logger.warn(`topology "${name}" goes on as it was: ${error.message}`);
    await history.forget(name, [payloadPath(next.id), finalPath(next.id)]);
  }

  /** Why the next version has ended, as its host says. */
  private async finalError({ name, next }: ReplacingWish): Promise<WireError> {
    const because = (reason: string): WireError =>
      ownError(failure('MILLRACE_REPLACE_FAILED', { topology: name, reason }));
    try {
      const { error } = fromNode(await this.options.session.get(finalPath(next.id)), isFinal);
      if (error === null) return because('it ended before it was open');
      // What its own hint says is for one that nothing goes on without.
      return { ...because(error.message), stack: error.stack, problems: error.problems };
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_CONTENT')) throw error;
      return because('it ended before it was open');
    }
  }

  /** What has come to its end, but for what the version before still does, is not late any more. */
  private isLate(assignment: Assignment | null): boolean {
    if (assignment?.next === undefined) return false;
    const { next, aside, wanted } = assignment;
    if (wanted === 'killed') {
      this.since.delete(next.id);
      return false;
    }
    const step = `${next.stage} ${aside}`;
    const nowMs = this.options.clock.now();
    const since = this.since.get(next.id);
    if (since?.step === step) return nowMs >= since.sinceMs + REPLACE_STEP_MAX_MS;
    this.since.set(next.id, { step, sinceMs: nowMs });
    return false;
  }
}

function hasLead({ standing }: Found, { places: [lead] }: Placed): boolean {
  return lead !== undefined && standing(lead) !== 'gone';
}

function hasHosts({ standing }: Found, { places }: Placed): boolean {
  return places.every((place) => standing(place) !== 'gone');
}

function wantedOf({ wanted }: Wish): NextPlaced['wanted'] {
  return wanted === 'inactive' ? 'inactive' : 'active';
}

function isPlacedToo(assignment: Assignment | null): assignment is ReplacingAssignment {
  return assignment?.next !== undefined;
}

/** The next version, before it has a place. */
function nowhere(wish: ReplacingWish): Omit<Assignment, 'epoch' | 'revision'> {
  const { name, wanted, next } = wish;
  return { name, id: next.id, wanted, kill: null, places: [], stateId: stateIdOf(wish) };
}

/** The stack of what the master says leads nobody to what is wrong. */
function ownError(error: MillraceError): WireError {
  return { ...toWire(error), stack: null };
}

/** Why the version before was killed. */
function reasonOf({ id }: Submitted): string {
  return `replaced by version ${id}`;
}
