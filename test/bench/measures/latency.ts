// Latency under a steady load, from the time at which each sentence was meant to be emitted to the end of its tree: at
// two rates, and at shares of the most that a place can do, which is measured first, once for each place.

import type { Group, Measured, Side, Timing } from '../measured.js';
import type { PeerName } from '../options.js';
import { stormSide } from '../peers/storm/storm.js';
import { PLACEMENTS, placed, type Placement } from '../placements.js';

const COMPONENTS = ['source', 'split', 'count'];

interface Load {
  readonly label: string;
  /** Sentences a second, or a share of the most. */
  readonly rate: { readonly perSecond: number } | { readonly share: number };
}

const LOADS: readonly Load[] = [
  { label: '1k', rate: { perSecond: 1000 } },
  { label: '100k', rate: { perSecond: 100_000 } },
  ...[50, 80, 95].map((percent) => ({ label: `${percent}%`, rate: { share: percent / 100 } })),
];

/** How much a side does when nothing holds it back. */
type Most = (timing: Timing) => Promise<number>;

/** Measured when it is asked for first. */
function mostOf(side: Side): Most {
  let measuring: Promise<Measured> | null = null;
  return async (timing) => (await (measuring ??= side.measure(timing))).perSecond;
}

async function rateOf({ rate }: Load, most: Most, timing: Timing): Promise<number> {
  return 'perSecond' in rate ? rate.perSecond : rate.share * (await most(timing));
}

function loaded(placement: Placement, load: Load, most: Most): Side {
  const name = `${placement.name}, ${load.label}`;
  const labels = [placement.label, load.label];
  return {
    name,
    labels,
    measure: async (timing) => {
      const rate = await rateOf(load, most, timing);
      const settings = { 'source.rate': rate, 'source.warmUpMs': timing.warmUpMs };
      return await placed({
        topology: 'paced-words',
        components: COMPONENTS,
        placement,
        tracked: true,
        settings,
        name,
        labels,
        ownLatency: true,
      }).measure(timing);
    },
  };
}

function loadedStorm(workers: number, load: Load, most: Most): Side {
  const work = { topology: 'words', tracked: true, workers } as const;
  return {
    name: `${stormSide({ ...work, rate: 0 }).name}, ${load.label}`,
    labels: ['storm', load.label],
    measure: async (timing) => await stormSide({ ...work, rate: await rateOf(load, most, timing) }).measure(timing),
  };
}

/** For each load, all places; beside Storm under the same load, or under the same share of its own most. */
export function latencyGroups(peers: readonly PeerName[]): readonly Group[] {
  const places = PLACEMENTS.map((placement) => ({
    placement,
    most: mostOf(placed({ topology: 'words', components: COMPONENTS, placement, tracked: true })),
  }));
  const own = (load: Load): Side[] => places.map(({ placement, most }) => loaded(placement, load, most));
  if (!peers.includes('storm')) return LOADS.map((load) => own(load) as [Side, ...Side[]]);
  const mostOfStorm = mostOf(stormSide({ topology: 'words', tracked: true, workers: 1, rate: 0 }));
  return LOADS.map((load): Group => [loadedStorm(1, load, mostOfStorm), ...own(load)]);
}
