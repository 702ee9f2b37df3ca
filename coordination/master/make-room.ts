// Priorities: a topology that waits takes slots from topologies of lower priority that run, from the lowest ones first
// and of these from the youngest, but from no more of them than it needs, and from none when it would wait all the
// same. Pure, but for the room.

import type { Wish, WorkerPlace } from '../topology-records.js';
import { arrange, type Arrangement, type Case } from './arrange.js';

/** One that runs, and may have to make room. */
export interface Lower {
  readonly wish: Wish;
  readonly places: readonly WorkerPlace[];
}

export function priorityOf({ placing }: Wish): number {
  return placing?.priority ?? 0;
}

/**
 * @param lower - in the order in which they make room
 * @returns where it goes, and who has no place any more; null when that is not enough, and nothing has changed
 */
export function makeRoom(
  each: Case,
  lower: readonly Lower[],
): { readonly arrangement: Arrangement; readonly out: readonly Lower[] } | null {
  const { room } = each;
  const gone: Lower[] = [];
  for (const one of lower) {
    room.give(one.places);
    gone.push(one);
    const arrangement = arrange(each);
    if (arrangement.places.length === 0) continue;
    const taken = new Set(arrangement.places.map(keyOf));
    const out = gone.filter(({ places }) => places.some((place) => taken.has(keyOf(place))));
    for (const { places } of gone) if (!places.some((place) => taken.has(keyOf(place)))) room.take(places);
    return { arrangement, out };
  }
  for (const { places } of gone) room.take(places);
  return null;
}

function keyOf({ host, boot, slot }: WorkerPlace): string {
  return `${host}~${boot}/${slot}`;
}
