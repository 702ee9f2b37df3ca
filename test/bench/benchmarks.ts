// The benchmarks by name. A benchmark is a list of groups of sides that take turns (rounds.ts), or work of its own that
// ends in tables.

import type { Group, Side } from './measured.js';
import { idle } from './measures/idle.js';
import { metrics } from './measures/metrics.js';
import type { PeerName } from './options.js';
import { loopSide } from './peers/loop.js';
import { PeerMissing } from './peers/missing.js';
import { stormSide } from './peers/storm/storm.js';
import { matrix } from './placements.js';

export interface Benchmark {
  /** @throws PeerMissing */
  groups(peers: readonly PeerName[]): readonly Group[];
  /** Rounds unless it is said otherwise. */
  readonly rounds: number;
}

/** A topology in all places, beside peers that do the same. */
function throughput(topology: string, components: readonly string[]): Benchmark {
  const sides = matrix(topology, components);
  return { groups: (peers) => peers.flatMap((peer) => besidePeer(peer, topology, sides)), rounds: 5 };
}

/** The sides in groups, by what the peer has to compare them with. */
function besidePeer(peer: PeerName, topology: string, sides: readonly Side[]): readonly Group[] {
  const groups = new Map<string, [Side, ...Side[]]>();
  for (const side of sides) {
    const counterpart = counterpartOf(peer, topology, side);
    const group = groups.get(counterpart.name);
    if (group === undefined) groups.set(counterpart.name, [counterpart, side]);
    else group.push(side);
  }
  return [...groups.values()];
}

function counterpartOf(peer: PeerName, topology: string, { labels }: Side): Side {
  switch (peer) {
    case 'loop':
      return loopSide(topology);
    case 'storm': {
      const workers = labels.includes('processes') ? 2 : 1;
      return stormSide({ topology, tracked: labels.includes('tracked'), workers, rate: 0 });
    }
    default:
      throw new PeerMissing(`the peer "${peer}" is not there`);
  }
}

const alone = (groups: readonly Group[], rounds: number): Benchmark => ({
  groups: () => groups,
  rounds,
});

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  null: throughput('null', ['source', 'sink']),
  id: throughput('id', ['source', 'id', 'sink']),
  words: throughput('words', ['source', 'split', 'count']),
  idle: alone([idle], 5),
  metrics: alone(metrics, 20),
};
