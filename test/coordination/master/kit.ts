// Hosts, wishes and rooms for tests of what the master decides: a small cluster as plain data, and what must hold of
// whatever is placed in it.

import type { WorkerGroup } from '../../../engine/model/worker-groups.js';
import { workerGroups } from '../../../engine/model/worker-groups.js';
import { arrange, type Arrangement, type Case, type Standing } from '../../../coordination/master/arrange.js';
import { labelsOf } from '../../../coordination/master/layout.js';
import { Room } from '../../../coordination/master/room.js';
import type { Placing } from '../../../coordination/placing.js';
import type { Assignment, HostRecord, Wish, WorkerPlace } from '../../../coordination/topology-records.js';

export function hostRecord(host: string, slots: number, more: Partial<HostRecord> = {}): HostRecord {
  return { host, boot: '1', slots, door: `${host}:1`, protocol: 1, ...more };
}

export function wishFor(name: string, workers: number, more: Partial<Wish> = {}): Wish {
  return {
    name,
    id: `id-${name}`,
    wanted: 'active',
    kill: null,
    submittedAtMs: 0,
    workers,
    tasks: workers,
    artifacts: [],
    pieces: 1,
    ...more,
  };
}

export function assigned(wish: Wish, places: readonly WorkerPlace[], revision = 1): Assignment {
  const { name, id, wanted, kill } = wish;
  return { name, id, epoch: 1, revision, wanted, kill, places, parallelism: {}, change: wish.change ?? 0 };
}

/** A place in words: `a/0`. */
export function at(...texts: readonly string[]): readonly WorkerPlace[] {
  return texts.map((text) => {
    const [host, slot] = text.split('/');
    return { host: host!, boot: '1', slot: Number(slot) };
  });
}

export function shown(places: readonly WorkerPlace[]): readonly string[] {
  return places.map(({ host, slot }) => `${host}/${slot}`);
}

export interface Scene {
  readonly hosts: readonly HostRecord[];
  readonly wish: Wish;
  /** What it has. Default: nothing. */
  readonly places?: readonly WorkerPlace[];
  readonly revision?: number;
  /** The rebalances that were carried out. Default: as wished. */
  readonly change?: number;
  /** What others have. */
  readonly others?: readonly WorkerPlace[];
  /** Hosts, by name, that nobody has settled yet. */
  readonly unsettled?: readonly string[];
  readonly away?: readonly string[];
  readonly drained?: readonly string[];
  readonly gathering?: readonly string[];
}

export function caseOf(scene: Scene): Case {
  const { hosts, wish, places = [], revision = 1, others = [], unsettled = [] } = scene;
  const { away = [], drained = [], gathering = [], change = wish.change ?? 0 } = scene;
  const there = new Set(hosts.map(({ host }) => host));
  const room = new Room({
    hosts,
    places: [places, others],
    isOpen: ({ host }) => !drained.includes(host) && !unsettled.includes(host),
    labels: new Set(labelsOf(wish.placing ?? {})),
  });
  const standing = ({ host }: WorkerPlace): Standing =>
    there.has(host) ? 'there' : gathering.includes(host) ? 'gathering' : 'gone';
  return {
    wish,
    assignment: places.length === 0 && revision === 1 ? null : { ...assigned(wish, places, revision), change },
    room,
    standing,
    away: new Set(away.map((host) => `${host}~1`)),
    isDrained: (host) => drained.includes(host),
  };
}

export function arranged(scene: Scene): Arrangement {
  return arrange(caseOf(scene));
}

/** What is wrong with these places; empty when nothing is. */
export function faultsOf(scene: Scene, { places, isAnew }: Arrangement): readonly string[] {
  const { hosts, wish, others = [], places: before = [] } = scene;
  const { groups, hostLabels = [] }: Placing = wish.placing ?? {};
  const records = new Map(hosts.map((record) => [record.host, record]));
  const faults: string[] = [];
  const taken = new Set(shown(others));
  const lead = records.get(places[0]?.host ?? '');
  const own = new Map<string, Set<number>>();
  const isFor =
    groups === undefined || places.length === 0 ? places.map(() => [0]) : workerGroups(groups, places.length);
  const known: readonly WorkerGroup[] = groups ?? [{ labels: [], tasks: 1, apart: [] }];
  places.forEach((place, worker) => {
    const [key] = shown([place]);
    if (taken.has(key!)) faults.push(`${key} twice`);
    taken.add(key!);
    const record = records.get(place.host);
    if (record === undefined) {
      if (scene.gathering?.includes(place.host) !== true) faults.push(`${key} is not there`);
      return;
    }
    if (place.slot >= record.slots) faults.push(`${key} has no such slot`);
    if (record.protocol !== lead?.protocol) faults.push(`${key} speaks another protocol`);
    if (record.door === undefined && record !== lead) faults.push(`${key} has no door`);
    if (record !== lead && lead?.door === undefined) faults.push('a lead without a door has others');
    const labels = [...hostLabels, ...isFor[worker]!.flatMap((group) => known[group]!.labels)];
    for (const label of labels) if (record.labels?.includes(label) !== true) faults.push(`${key} has no "${label}"`);
    const here = own.get(place.host) ?? new Set();
    own.set(place.host, here);
    for (const group of isFor[worker]!) here.add(group);
  });
  for (const [host, here] of own) {
    for (const group of here) {
      if (known[group]!.apart.some((other) => here.has(other))) faults.push(`on ${host} are groups to be apart`);
    }
  }
  const [first] = before;
  if (!isAnew && first !== undefined && shown(places)[0] !== shown([first])[0]) faults.push('the lead moved');
  return faults;
}
