// The benchmarks by name. A benchmark is a list of groups of sides that take turns (rounds.ts), or work of its own that
// ends in tables.

import type { Group, Side } from './measured.js';
import { idle } from './measures/idle.js';
import { metrics } from './measures/metrics.js';
import type { PeerName } from './options.js';
import { loopSide } from './peers/loop.js';
import { matrix } from './placements.js';

export interface Benchmark {
  /** @throws when a peer is not there, with what to do */
  groups(peers: readonly PeerName[]): Promise<readonly Group[]>;
  /** Rounds unless it is said otherwise. */
  readonly rounds: number;
}

/** A topology in all places, beside peers that do the same. */
function throughput(topology: string, components: readonly string[]): Benchmark {
  return {
    groups: (peers) =>
      Promise.resolve(peers.map((peer): Group => [peerSide(peer, topology), ...matrix(topology, components)])),
    rounds: 5,
  };
}

function peerSide(peer: PeerName, topology: string): Side {
  if (peer === 'loop') return loopSide(topology);
  throw new Error(`the peer "${peer}" is not there`);
}

const alone = (groups: readonly Group[], rounds: number): Benchmark => ({
  groups: () => Promise.resolve(groups),
  rounds,
});

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  null: throughput('null', ['source', 'sink']),
  id: throughput('id', ['source', 'id', 'sink']),
  words: throughput('words', ['source', 'split', 'count']),
  idle: alone([idle], 5),
  metrics: alone(metrics, 20),
};
