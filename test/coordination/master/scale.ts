// A large cluster as plain data, for how long planning takes and how much is looked at for it: hosts with eight slots,
// and topologies of different sizes that fill most of them.

import { arrange, type Case } from '../../../coordination/master/arrange.js';
import { Room } from '../../../coordination/master/room.js';
import type { Assignment, HostRecord, Wish } from '../../../coordination/topology-records.js';
import { assigned, hostRecord, wishFor } from './kit.js';

const SLOTS = 8;
const SIZES = [1, 2, 5, 12, 30, 200];

export interface Crowd {
  readonly hosts: readonly HostRecord[];
  readonly wishes: readonly Wish[];
}

/** So many hosts, with topologies for about three quarters of their slots. */
export function crowd(count: number): Crowd {
  const hosts = Array.from({ length: count }, (_, index) => hostRecord(`h${String(index).padStart(5, '0')}`, SLOTS));
  const wishes: Wish[] = [];
  for (let left = Math.floor(count * SLOTS * 0.75), index = 0; left > 0; index++) {
    const workers = Math.min(left, SIZES[index % SIZES.length]!);
    wishes.push(wishFor(`t${index}`, workers));
    left -= workers;
  }
  return { hosts, wishes };
}

/** One look of a master at all of them. */
export function plan(
  { hosts, wishes }: Crowd,
  before: ReadonlyMap<string, Assignment>,
): { readonly after: ReadonlyMap<string, Assignment>; readonly room: Room } {
  const there = new Set(hosts.map(({ host }) => host));
  const room = new Room({ hosts, places: [...before.values()].map(({ places }) => places) });
  const after = new Map<string, Assignment>();
  for (const wish of wishes) {
    const assignment = before.get(wish.name) ?? null;
    const each: Case = {
      wish,
      assignment,
      room,
      standing: ({ host }) => (there.has(host) ? 'there' : 'gone'),
      away: new Set(),
      isDrained: () => false,
    };
    const { places, isAnew } = arrange(each);
    after.set(wish.name, assigned(wish, places, (assignment?.revision ?? 0) + (isAnew ? 1 : 0)));
  }
  return { after, room };
}

/** Without every tenth host. */
export function withoutSome({ hosts, wishes }: Crowd): Crowd {
  return { hosts: hosts.filter((_, index) => index % 10 !== 0), wishes };
}
