// Writes where topologies are placed, as it was decided for each of them: what is new is one write, and nothing else
// is. One that finds no place takes the slots of others of lower priority. Main thread.

import type { Clock } from '../../engine/clock.js';
import { changesOf, isSame, type Assignment, type Spread, type Wish, type WorkerPlace } from '../topology-records.js';
import type { Arrangement, Case } from './arrange.js';
import type { Assignments } from './assignments.js';
import type { Gathering } from './gathering.js';
import { makeRoom, priorityOf, type Lower } from './make-room.js';

export interface PlacementsOptions {
  readonly clock: Clock;
  readonly assignments: Assignments;
  readonly gathering: Gathering;
}

export class Placements {
  private readonly options: PlacementsOptions;

  constructor(options: PlacementsOptions) {
    this.options = options;
  }

  /**
   * For one that would have to wait: others of lower priority make room, if that helps.
   *
   * @param wishes - of all topologies, in the order in which they are decided on
   */
  async putAtCost(each: Case, arrangement: Arrangement, wishes: readonly { readonly value: Wish }[]): Promise<void> {
    const { wish, assignment } = each;
    const { assignments } = this.options;
    // From now on it has no place, whatever it had.
    const nowhere: Case = { ...each, assignment: assignment === null ? null : { ...assignment, places: [] } };
    // While hosts that came settle, it may get places without that.
    const made = this.isSettled ? makeRoom(nowhere, this.lowerThan(wish, wishes)) : null;
    if (made === null) {
      await this.put(wish, assignment, arrangement);
      return;
    }
    const waiting = `topology "${wish.name}", of higher priority, has its slots`;
    for (const { wish: lower } of made.out) {
      const { value } = assignments.get(lower.name)!;
      await assignments.write({ ...value, revision: value.revision + 1, places: [], waiting });
    }
    await this.put(wish, assignment, made.arrangement);
  }

  /** Writes what was decided, if it is anything new. */
  async put(wish: Wish, before: Assignment | null, arrangement: Arrangement): Promise<void> {
    const { name, id, wanted, kill, stateId } = wish;
    const kept = { ...replacedBy(before, wanted), ...(stateId !== undefined && { stateId }) };
    const { assignments } = this.options;
    const { places, isAnew, isSpread, waiting } = arrangement;
    const hadPlaces = (before?.places.length ?? 0) > 0;
    const says = waiting === null ? {} : { waiting };
    if (places.length === 0 && !hadPlaces) {
      // It may get places in a moment, when hosts that came have settled.
      if (!this.isSettled || (before?.waiting ?? null) === waiting) return;
      const { revision = 0 } = before ?? {};
      await assignments.write({ name, id, revision, wanted, kill, places, ...spreadOf(wish), ...says, ...kept });
      return;
    }
    const revision = (before?.revision ?? 0) + (isAnew ? 1 : 0);
    const spread = isSpread ? spreadOf(wish) : spreadOf(before ?? {});
    const next = { name, id, revision, wanted, kill, places, ...spread, ...says, ...kept };
    const isUnread = assignments.get(name)?.isUnread === true;
    if (before === null || isAnew || isUnread || !saysTheSame(before, next)) await assignments.write(next);
  }

  private get isSettled(): boolean {
    const { gathering, clock } = this.options;
    return gathering.waitMs(clock.now()) === null;
  }

  /** Those that run and have a lower priority: the lowest first, of these the youngest. */
  private lowerThan(wish: Wish, wishes: readonly { readonly value: Wish }[]): readonly Lower[] {
    const priority = priorityOf(wish);
    const found: Lower[] = [];
    for (let at = wishes.length - 1; at >= 0; at--) {
      const { value } = wishes[at]!;
      if (priorityOf(value) >= priority) break;
      const standing = this.options.assignments.get(value.name)?.value;
      if (standing?.id !== value.id || standing.places.length === 0 || value.wanted === 'killed') continue;
      // One that is being replaced has two places for a moment.
      if (standing.next === undefined) found.push({ wish: value, places: standing.places });
    }
    return found;
  }
}

/** What is to replace it stays with it, and rests when it does. */
function replacedBy(before: Assignment | null, wanted: Wish['wanted']): Pick<Assignment, 'next' | 'aside'> {
  if (before?.next === undefined) return {};
  const { next, aside } = before;
  const isAside = aside === true ? { aside } : {};
  return { next: { ...next, wanted: wanted === 'killed' ? next.wanted : wanted }, ...isAside };
}

function spreadOf({ parallelism = {}, change = 0 }: Spread): Required<Spread> {
  return { parallelism, change };
}

/** Whether the one says the same as the other, whoever wrote it. */
function saysTheSame(before: Assignment, next: Omit<Assignment, 'epoch'>): boolean {
  return (
    before.wanted === next.wanted &&
    before.waiting === next.waiting &&
    before.stateId === next.stateId &&
    changesOf(before) === changesOf(next) &&
    isSameList(before.places, next.places)
  );
}

function isSameList(one: readonly WorkerPlace[], other: readonly WorkerPlace[]): boolean {
  return one.length === other.length && one.every((place, worker) => isSame(place, other[worker]!));
}
