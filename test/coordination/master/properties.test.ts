// What holds of every decision on where a topology goes, whatever its hosts, its settings and its past are: no slot
// twice, labels and who is to be apart, as few moves as possible, even, and nobody waits for whom there is room.

import fc from 'fast-check';
import t from 'tap';
import { groupComponents, workersMin } from '../../../engine/model/worker-groups.js';
import type { Placing } from '../../../coordination/placing.js';
import { changesOf, type HostRecord, type WorkerPlace } from '../../../coordination/topology-records.js';
import { arranged, faultsOf, hostRecord, shown, wishFor, type Scene } from './kit.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const LABELS = ['x', 'y'];

const labels = fc.subarray(LABELS);
/** All hosts that there ever are in one life. */
const hostsOf = (plain: boolean): fc.Arbitrary<readonly HostRecord[]> =>
  fc.tuple(
    ...NAMES.map((name) =>
      fc
        .record({
          slots: fc.integer({ min: 1, max: 4 }),
          labels,
          protocol: fc.constantFrom(1, 1, 1, 2),
          door: fc.nat(9),
        })
        .map(({ slots, labels: own, protocol, door }): HostRecord => {
          if (plain) return hostRecord(name, slots);
          const { door: known, ...record } = hostRecord(name, slots, { labels: own, protocol });
          return door === 0 ? record : { ...record, door: known! };
        }),
    ),
  );

const component = fc.record({
  parallelism: fc.integer({ min: 1, max: 5 }),
  labels: fc.oneof(fc.constant([]), labels),
  apart: fc.option(fc.nat(3), { nil: undefined, freq: 3 }),
});
const placingOf: fc.Arbitrary<Placing> = fc
  .record({
    hostLabels: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray(['x']) }),
    autoRebalance: fc.boolean(),
    components: fc.array(component, { minLength: 1, maxLength: 4 }),
  })
  .map(({ hostLabels, autoRebalance, components }) => {
    const named = components.map(({ apart, ...rest }, index) => {
      const other = apart === undefined || apart === index || apart >= components.length ? null : `c${apart}`;
      return { id: `c${index}`, ...rest, ...(other === null ? {} : { apart: other }) };
    });
    const { groups } = groupComponents(named);
    return { hostLabels, autoRebalance, groups };
  });

/** A life of one topology: its hosts come and go, it is rebalanced, hosts are drained and not reached. */
const life = (plain: boolean): fc.Arbitrary<readonly Step[]> =>
  hostsOf(plain).chain((all) =>
    fc.array(
      fc.record({
        hosts: fc.subarray([...all], { minLength: 1 }),
        workers: fc.integer({ min: 1, max: 8 }),
        rebalances: fc.boolean(),
        away: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(NAMES)),
        drained: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(NAMES)),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  );
interface Step {
  readonly hosts: readonly HostRecord[];
  readonly workers: number;
  readonly rebalances: boolean;
  readonly away: readonly string[];
  readonly drained: readonly string[];
}

/** Its lead reaches none of several hosts: what is away from it is not away from others. */
function isCutOff({ places = [], away = [], hosts }: Pick<Scene, 'places' | 'away' | 'hosts'>): boolean {
  const there = new Set(hosts.map(({ host }) => host));
  const [lead, ...others] = new Set(places.map(({ host }) => host).filter((host) => there.has(host)));
  return lead === places[0]?.host && others.length > 1 && others.every((host) => away.includes(host));
}

/** Goes through a life, and has each decision looked at. */
function live(
  steps: readonly Step[],
  placing: Placing,
  check: (scene: Required<Pick<Scene, 'places' | 'change'>> & Scene, found: ReturnType<typeof arranged>) => void,
): void {
  let places: readonly WorkerPlace[] = [];
  let revision = 0;
  let change = 0;
  const fewest = workersMin(placing.groups ?? []);
  let wish = wishFor('w', Math.max(fewest, steps[0]!.workers), { placing });
  for (const { hosts, workers, rebalances, away, drained } of steps) {
    if (rebalances) wish = { ...wish, workers: Math.max(fewest, workers), change: changesOf(wish) + 1 };
    const lead = places[0]?.host;
    const scene = {
      hosts,
      wish,
      places,
      revision: Math.max(1, revision),
      change,
      away: away.filter((each) => each !== lead),
      drained,
    };
    const found = arranged(scene);
    const faults = faultsOf(scene, found);
    if (faults.length > 0) throw new Error(`${faults.join(', ')}: ${shown(found.places).join(' ')}`);
    check(scene, found);
    if (found.isAnew) revision++;
    if (found.isSpread) change = changesOf(wish);
    places = found.places;
  }
}

void t.test('places are such as they may be, and lack no room that there is', (t) => {
  fc.assert(
    fc.property(life(false), placingOf, (steps, placing) => {
      live(steps, placing, (scene, found) => {
        const { places: before, away = [], drained = [], hosts } = scene;
        if (isCutOff(scene) && found.isAnew) {
          if (found.places.some(({ host }) => host === before[0]!.host))
            throw new Error('a lead that is cut off stays');
          return;
        }
        const there = new Set(hosts.map(({ host }) => host));
        for (const { host } of found.places) {
          const isNew = !before.some((place) => place.host === host);
          if (isNew && (away.includes(host) || drained.includes(host))) throw new Error(`"${host}" takes nothing`);
        }
        // What may stay does, unless all of it starts anew.
        if (found.isAnew || found.isSpread !== (scene.change === changesOf(scene.wish))) return;
        if (changesOf(scene.wish) !== scene.change || placing.autoRebalance === true) return;
        before.slice(0, found.places.length).forEach((place, worker) => {
          const mayStay = there.has(place.host) && !away.includes(place.host) && !drained.includes(place.host);
          const isFewer = found.places.length < before.length;
          if (mayStay && !isFewer && shown([place])[0] !== shown([found.places[worker]!])[0]) {
            throw new Error(`worker ${worker} moved`);
          }
        });
      });
    }),
    { numRuns: 700 },
  );
  t.pass('700 lives');
  t.end();
});

void t.test('without labels: everything is placed for which there is room, and evenly', (t) => {
  fc.assert(
    fc.property(life(true), (steps) => {
      live(steps, {}, (scene, { places, isAnew, isSpread }) => {
        const { hosts, wish, places: before, away = [], drained = [] } = scene;
        if (isCutOff(scene)) return;
        const open = hosts.filter(({ host }) => !away.includes(host) && !drained.includes(host));
        const free = open.reduce((sum, { slots }) => sum + slots, 0);
        const ran = before.length > 0 || (scene.revision ?? 1) > 1;
        if (wish.workers <= free && places.length < wish.workers && isSpread) throw new Error('room, and not used');
        if (ran && free > 0 && places.length === 0) throw new Error('it stands still');
        const counts = new Map(open.map(({ host }) => [host, 0]));
        for (const { host } of places) if (counts.has(host)) counts.set(host, counts.get(host)! + 1);
        const isAllNew = before.length === 0 || (isSpread && scene.change !== changesOf(wish) && !isAnew);
        if (!isAllNew || drained.length > 0) return;
        const withRoom = open
          .filter(({ host, slots }) => counts.get(host)! < slots)
          .map(({ host }) => counts.get(host)!);
        const most = Math.max(...counts.values());
        if (withRoom.length > 0 && most - Math.min(...withRoom) > 1) throw new Error(`uneven: ${shown(places).join()}`);
      });
    }),
    { numRuns: 700 },
  );
  t.pass('700 lives');
  t.end();
});

void t.test('a rebalance moves no more than evenness takes', (t) => {
  const dealt = fc
    .array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 6 })
    .filter(([first]) => first! > 0);
  fc.assert(
    fc.property(dealt, (counts) => {
      const hosts = counts.map((_, index) => hostRecord(NAMES[index]!, 9));
      const places = counts.flatMap((count, index) =>
        Array.from({ length: count }, (_, slot) => ({ host: NAMES[index]!, boot: '1', slot })),
      );
      const total = places.length;
      const wish = wishFor('w', total, { change: 1 });
      const found = arranged({ hosts, wish, places, change: 0 }).places;
      const moved = places.filter((place, worker) => shown([place])[0] !== shown([found[worker]!])[0]).length;
      // Each host keeps what the even share lets it keep, the fullest ones the larger shares.
      const share = Math.floor(total / counts.length);
      const sorted = [...counts].sort((one, other) => other - one);
      const least = sorted.reduce((sum, count, rank) => {
        return sum + Math.max(0, count - share - (rank < total % counts.length ? 1 : 0));
      }, 0);
      if (moved !== least) throw new Error(`${moved} moves instead of ${least}`);
    }),
    { numRuns: 1000 },
  );
  t.pass('1000 rebalances');
  t.end();
});
