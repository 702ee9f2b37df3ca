// Where one topology is to run, given where it runs now: as little as possible moves. Pure, but for the room, in which
// the slots of what it decides are taken.
//
//   nowhere                   all its workers get places, or it waits; one that ran before takes what there is
//   the host of the lead goes all starts anew: the others keep their places, the first goes to one of their hosts
//   another host goes         only its workers move; with too few slots, fewer workers go on
//   a rebalance was asked     as many workers as wished, and even; until they fit, it goes on as it is
//   fewer than wished         more as slots are free
//   the lead reaches nobody   all starts anew, away from its host
//   a host is drained         its workers move when there is room; for the lead only when all of them can
//
// Invariant: within a revision the place of the first worker never changes.

import { changesOf, type Assignment, type Wish, type WorkerPlace } from '../topology-records.js';
import { memberOf } from '../paths.js';
import { evenOut, fill, fillAlone, mostRoom, moveAway, type MaybePlace, type Where } from './fill.js';
import { fewestWorkers, layoutOf } from './layout.js';
import type { HostRoom, Realm, Room } from './room.js';

/** Whether a host is there; `gathering`: it is not, and that is not acted upon yet. */
export type Standing = 'there' | 'gathering' | 'gone';

export interface Case {
  readonly wish: Wish;
  readonly assignment: Assignment | null;
  readonly room: Room;
  readonly standing: (place: WorkerPlace) => Standing;
  /** Hosts, as `host~boot`, that its lead does not reach. */
  readonly away: ReadonlySet<string>;
  /** By name. */
  readonly isDrained: (host: string) => boolean;
}

export interface Arrangement {
  /** By worker; empty when it has to wait. */
  readonly places: readonly WorkerPlace[];
  /** It starts anew: a new revision. */
  readonly isAnew: boolean;
  /** It is spread as is wished, rebalances included. */
  readonly isSpread: boolean;
  /** What it still waits for; null for nothing. */
  readonly waiting: string | null;
}

/** For one that is wished active, or has places. */
export function arrange(each: Case): Arrangement {
  const { wish, assignment, standing } = each;
  const [lead] = assignment?.places ?? [];
  if (assignment === null || lead === undefined) {
    return anew(each, start(each, (assignment?.revision ?? 0) > 0));
  }
  switch (standing(lead)) {
    case 'there':
      return mend(each, assignment);
    case 'gone':
      return anew(each, wish.wanted === 'active' ? restart(each, assignment) : null);
    case 'gathering': {
      const isSpread = changesOf(wish) === changesOf(assignment);
      return { places: assignment.places, isAnew: false, isSpread, waiting: assignment.waiting ?? null };
    }
  }
}

/** Places for all of its workers, or for as many as there is room for. */
function start(each: Case, mayBeFewer: boolean): readonly WorkerPlace[] | null {
  const { wish, room } = each;
  const { shared, alone } = room;
  const placing = wish.placing ?? {};
  const fewest = mayBeFewer ? fewestWorkers(placing) : wish.workers;
  const most = Math.max(0, shared[0]?.free ?? 0, mostRoom(alone?.pools ?? [])?.free ?? 0);
  for (let workers = Math.min(wish.workers, most); workers >= fewest; workers--) {
    const found = everywhere(each, workers);
    if (found !== null) return found;
  }
  return null;
}

function everywhere(each: Case, workers: number): readonly WorkerPlace[] | null {
  const { wish, room, away } = each;
  for (const realm of room.shared) {
    const found = realm.free < workers ? null : fill(whereOf(each, realm), [], workers, 'anew');
    if (found !== null) return found;
  }
  return fillAlone({ room, placing: wish.placing ?? {}, avoid: away }, workers);
}

/** Its lead is gone: what is left of it keeps its places where that can be. */
function restart(each: Case, { places }: Assignment): readonly WorkerPlace[] | null {
  const { wish, room, standing } = each;
  const left = places.map((place) => (standing(place) === 'gone' ? null : place));
  const hosts = left.map((place) => (place === null ? undefined : room.hostOf(place)));
  const realm = hosts.find((host) => host !== undefined)?.pool.realm;
  if (realm !== undefined && realm.protocol !== null) {
    const kept = left.filter((place) => place !== null).length;
    const fewest = fewestWorkers(wish.placing ?? {});
    for (let workers = Math.min(wish.workers, kept + realm.free); workers >= fewest; workers--) {
      const found = fill(whereOf(each, realm), left, workers, 'anew');
      if (found !== null) return found;
    }
  }
  room.give(left.filter((place) => place !== null));
  return start(each, true);
}

/** It runs, and its lead is there. */
function mend(each: Case, assignment: Assignment): Arrangement {
  const { wish, room, standing, away, isDrained } = each;
  const elsewhere = wish.wanted === 'active' ? awayFromLead(each, assignment) : null;
  if (elsewhere !== null) return anew(each, elsewhere);
  const leadHost = room.hostOf(assignment.places[0]!)!;
  const where = whereOf(each, withinOf(leadHost));
  let isSpread = changesOf(wish) === changesOf(assignment);
  const left = assignment.places.map((place, worker): MaybePlace => {
    const isLost = worker > 0 && (standing(place) === 'gone' || away.has(memberOf(place.host, place.boot)));
    // A host that its lead does not reach has its slots all the same.
    if (isLost) room.give([place]);
    return isLost ? null : place;
  });
  let places: readonly WorkerPlace[] | null = null;
  if (!isSpread) {
    const resized = fill(where, left, wish.workers, 'going on');
    if (resized !== null) {
      places = evenOut(where, resized);
      isSpread = true;
    }
  }
  if (places === null) {
    const most = isSpread ? wish.workers : left.length;
    const mended = asManyAsFit(where, left, most);
    if (
      mended === null &&
      left.every((place, worker) => place !== null || standing(assignment.places[worker]!) === 'there')
    ) {
      // It may reach them again, and nobody else can take its workers.
      room.take(assignment.places);
      return { places: assignment.places, isAnew: false, isSpread, waiting: assignment.waiting ?? null };
    }
    if (mended === null) {
      room.give(left.filter((place) => place !== null));
      return anew(each, wish.wanted === 'active' ? start(each, true) : null);
    }
    if (mended.isAnew) return anew(each, mended.places);
    places = mended.places;
  }
  if (places.some(({ host }) => isDrained(host))) {
    const emptied = leaveDrained(each, where, places);
    if (emptied.isAnew) return anew(each, emptied.places);
    places = emptied.places;
  }
  if (wish.placing?.autoRebalance === true && wish.wanted === 'active') places = evenOut(where, places);
  return { places, isAnew: false, isSpread, waiting: shortOf(each, places, isSpread) };
}

/**
 * A lead that reaches none of several hosts is cut off itself: all of it goes to hosts that may reach each other, if
 * there are any. Of one that does not reach the only other one nobody knows which of them it is.
 */
function awayFromLead(each: Case, { places }: Assignment): readonly WorkerPlace[] | null {
  const { room, away, standing } = each;
  const there = places.filter((place) => standing(place) === 'there');
  const [lead, ...others] = new Set(there.map(({ host, boot }) => memberOf(host, boot)));
  if (others.length < 2 || !others.every((member) => away.has(member))) return null;
  room.give(places);
  const found = start({ ...each, away: new Set([lead!]) }, true);
  if (found === null) room.take(places);
  return found;
}

/** Its workers, some of which lost their places, and more up to that many. */
function asManyAsFit(
  where: Where,
  left: readonly MaybePlace[],
  most: number,
): { readonly places: readonly WorkerPlace[]; readonly isAnew: boolean } | null {
  const kept = left.filter((place) => place !== null);
  const hasLost = kept.length < left.length;
  if (!hasLost && left.length >= most) return { places: kept, isAnew: false };
  const fewest = fewestWorkers(where.placing);
  for (let workers = Math.min(most, kept.length + where.within.free); workers >= fewest; workers--) {
    if (!hasLost && workers <= left.length) break;
    const going = fill(where, left, workers, 'going on');
    if (going !== null) return { places: going, isAnew: false };
    // More workers are no reason to stop those that run.
    const fresh = hasLost && workers <= left.length ? fill(where, left, workers, 'anew') : null;
    if (fresh !== null) return { places: fresh, isAnew: true };
  }
  return hasLost ? null : { places: kept, isAnew: false };
}

/** Off hosts that are drained, as far as there is room. */
function leaveDrained(
  each: Case,
  where: Where,
  places: readonly WorkerPlace[],
): { readonly places: readonly WorkerPlace[]; readonly isAnew: boolean } {
  const { wish, room, isDrained } = each;
  const mustGo = places.flatMap(({ host }, worker) => (isDrained(host) ? worker : []));
  if (mustGo[0] === 0) {
    const going = places.filter(({ host }) => isDrained(host));
    const staying = places.map((place): MaybePlace => (isDrained(place.host) ? null : place));
    // One that rests is placed when it is activated.
    if (wish.wanted !== 'active') {
      room.give(places);
      return { places: [], isAnew: true };
    }
    const found = 'pools' in where.within ? fill(where, staying, places.length, 'anew') : null;
    if (found !== null) {
      room.give(going);
      return { places: found, isAnew: true };
    }
    // Where all of it has to move, it may move to where none of it is.
    const elsewhere = going.length === places.length ? everywhere(each, places.length) : null;
    if (elsewhere !== null) {
      room.give(going);
      return { places: elsewhere, isAnew: true };
    }
  }
  const movable = mustGo.filter((worker) => worker > 0);
  return { places: moveAway(where, places, movable), isAnew: false };
}

function anew(each: Case, found: readonly WorkerPlace[] | null): Arrangement {
  const places = found ?? [];
  const isWished = each.wish.wanted === 'active';
  const waiting = places.length > 0 ? shortOf(each, places, true) : isWished ? lackOf(each) : null;
  return { places, isAnew: true, isSpread: true, waiting };
}

function whereOf({ wish, room, away }: Case, within: Realm | HostRoom): Where {
  return { room, placing: wish.placing ?? {}, avoid: away, within };
}

/** Where the topology of a lead may have workers. */
function withinOf(lead: HostRoom): Realm | HostRoom {
  const { realm } = lead.pool;
  return realm.protocol === null ? lead : realm;
}

/** What one that runs still waits for. Without numbers that change while it waits: each change is a write. */
function shortOf({ wish, isDrained }: Case, places: readonly WorkerPlace[], isSpread: boolean): string | null {
  if (!isSpread) return `its rebalance to ${workersText(wish.workers)} waits for free slots`;
  const drained = new Set(places.flatMap(({ host }) => (isDrained(host) ? host : [])));
  if (drained.size > 0) {
    const hosts = [...drained].sort().map((host) => `"${host}"`);
    return `no room for its workers on ${hosts.join(', ')}, to be drained, on other hosts`;
  }
  if (places.length >= wish.workers) return null;
  return `${places.length} of its ${workersText(wish.workers)} run, the others wait for free slots`;
}

/** Why one has no place. */
function lackOf({ wish, room }: Case): string {
  const pools = [...room.shared, ...(room.alone === null ? [] : [room.alone])].flatMap((realm) => realm.pools);
  const open = pools.filter((pool) => pool.open > 0);
  if (open.length === 0) return 'there is no host that takes workers';
  const { classes } = layoutOf(wish.placing ?? {}, wish.workers);
  const unknown = classes.find(({ labels }) => !open.some((pool) => pool.has(labels)));
  if (unknown !== undefined) {
    return `no host that takes workers has ${unknown.labels.map((label) => `"${label}"`).join(' and ')}`;
  }
  const labels = classes.some((each) => each.labels.length > 0) ? ' on hosts with its labels' : '';
  const apart = classes.some((each) => each.apart.length > 0) ? ', apart from each other' : '';
  return `not enough free slots for its ${workersText(wish.workers)}${labels}${apart}`;
}

function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`;
}
