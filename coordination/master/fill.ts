// Gives the workers of one topology their places, all of them or none: those that are kept stay, the others get the
// best slots that are free. And evens out what runs, with as few moves as that takes. Pure.

import type { Placing } from '../placing.js';
import type { WorkerPlace } from '../topology-records.js';
import { Heap } from './heap.js';
import { layoutOf } from './layout.js';
import { Picker } from './picker.js';
import type { HostRoom, Pool, Realm, Room } from './room.js';

/** A place, or null for a worker that has none. */
export type MaybePlace = WorkerPlace | null;

/** Where a topology may get its places. */
export interface Where {
  readonly room: Room;
  readonly placing: Placing;
  /** Hosts of a realm, or one host alone. */
  readonly within: Realm | HostRoom;
  /** Hosts, as `host~boot`, that get none of its workers. */
  readonly avoid: ReadonlySet<string>;
}

/** How places come to be. */
export type Manner =
  /** While it runs: the first worker stays, and a slot is given to nobody before its worker has left. */
  | 'going on'
  /** All of it starts: slots of its own that are not kept are free as well. */
  | 'anew';

/**
 * @param before - by worker; what is null, or cannot be kept, gets a place
 * @param workers - how many there are to be
 * @returns by worker, taken in the room, with what is not kept given back; or null, and nothing has changed
 */
export function fill(
  { room, placing, within, avoid }: Where,
  before: readonly MaybePlace[],
  workers: number,
  manner: Manner,
): readonly WorkerPlace[] | null {
  const surplus = before.slice(workers).filter((place) => place !== null);
  if (manner === 'anew') room.give(surplus);
  const picker = new Picker({ room, within, layout: layoutOf(placing, workers), avoid });
  const places: MaybePlace[] = [];
  const dropped: WorkerPlace[] = [];
  for (let worker = 0; worker < workers; worker++) {
    const place = before[worker] ?? null;
    const isKept = place !== null && picker.keep(place, worker);
    if (place !== null && !isKept) dropped.push(place);
    places.push(isKept ? place : null);
  }
  if (manner === 'anew') for (const place of dropped) picker.give(place);
  if ((manner === 'going on' && places[0] === null) || !pickAll(picker, places)) {
    picker.undo();
    if (manner === 'anew') room.take([...surplus, ...dropped]);
    return null;
  }
  picker.close();
  if (manner === 'going on') room.give([...surplus, ...dropped]);
  return places as WorkerPlace[];
}

/** Whether all of them got a place. The first worker leads: where others of its topology are, its code is already. */
function pickAll(picker: Picker, places: MaybePlace[]): boolean {
  for (const [worker, place] of places.entries()) {
    if (place !== null) continue;
    const host = (worker === 0 ? picker.bestOwn(worker) : null) ?? picker.best(worker);
    if (host === null) return false;
    places[worker] = picker.take(host, worker);
  }
  return true;
}

/** All workers on one host that is alone, the one with most free slots. */
export function fillAlone(
  { room, placing, avoid }: Omit<Where, 'within'>,
  workers: number,
): readonly WorkerPlace[] | null {
  const { alone } = room;
  if (alone === null) return null;
  const { classes } = layoutOf(placing, workers);
  if (classes.some(({ apart }) => apart.length > 0)) return null;
  const labels = classes.flatMap((each) => each.labels);
  const best = mostRoom(alone.pools.filter((pool) => pool.has(labels)));
  if (best === null || best.free < workers) return null;
  return fill({ room, placing, within: best, avoid }, [], workers, 'anew');
}

export function mostRoom(pools: readonly Pool[]): HostRoom | null {
  let best: HostRoom | null = null;
  for (const pool of pools) {
    const host = pool.best();
    if (host === null) continue;
    if (best === null || host.free > best.free || (host.free === best.free && host.rank < best.rank)) best = host;
  }
  return best;
}

/** Moves these workers one by one as far as there is room; the others stay. */
export function moveAway(
  { room, placing, within, avoid }: Where,
  places: readonly WorkerPlace[],
  workers: readonly number[],
): readonly WorkerPlace[] {
  const moved = [...places];
  const picker = new Picker({ room, within, layout: layoutOf(placing, places.length), avoid });
  for (const [worker, place] of places.entries()) picker.keep(place, worker);
  for (const worker of workers) {
    const host = picker.best(worker);
    if (host === null) continue;
    const before = moved[worker]!;
    moved[worker] = picker.take(host, worker);
    picker.leave(before, worker);
  }
  picker.close();
  return moved;
}

/** A host that workers may leave, as it stood in a heap. */
interface Source {
  readonly host: HostRoom;
  readonly workers: number;
}

/** Moves workers from the hosts with most of them to those with fewest, until no move helps. The first one stays. */
export function evenOut(
  { room, placing, within, avoid }: Where,
  places: readonly WorkerPlace[],
): readonly WorkerPlace[] {
  const layout = layoutOf(placing, places.length);
  const picker = new Picker({ room, within, layout, avoid });
  for (const [worker, place] of places.entries()) picker.keep(place, worker);
  const moved = [...places];
  for (const which of layout.classes.keys()) {
    const movable = new Map<HostRoom, number[]>();
    for (const [worker, place] of places.entries()) {
      const host = room.hostOf(place);
      if (worker === 0 || host === undefined || layout.classOf[worker] !== which) continue;
      const here = movable.get(host);
      if (here === undefined) movable.set(host, [worker]);
      else here.push(worker);
    }
    const sources = new Heap<Source>((one, other) => one.workers > other.workers);
    for (const host of movable.keys()) sources.push({ host, workers: picker.workersOn(host) });
    for (let source = sources.first; source !== undefined; source = sources.first) {
      const { host, workers } = source;
      const here = movable.get(host)!;
      const worker = here.at(-1);
      if (worker === undefined || workers !== picker.workersOn(host)) {
        sources.pop();
        continue;
      }
      const target = picker.best(worker);
      if (target === null || workers - picker.workersOn(target) < 2) break;
      here.pop();
      const before = moved[worker]!;
      moved[worker] = picker.take(target, worker);
      picker.leave(before, worker);
      sources.push({ host, workers: workers - 1 });
    }
  }
  picker.close();
  return moved;
}
