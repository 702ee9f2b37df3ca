// The benchmarks by name. A benchmark is a list of groups of sides that take turns (rounds.ts), or work of its own that
// ends in tables.

import type { Group, Side } from './measured.js';
import { allocationTables } from './measures/allocations.js';
import { growthTables } from './measures/growth.js';
import { idle } from './measures/idle.js';
import { latencyGroups } from './measures/latency.js';
import { memoryTables } from './measures/memory.js';
import { metrics } from './measures/metrics.js';
import { microTables } from './measures/micro.js';
import { hosts, planner, tracking, work } from './measures/pairs.js';
import { planTables } from './measures/plan.js';
import { startTables } from './measures/start.js';
import { storeTables } from './measures/store.js';
import type { PeerName } from './options.js';
import { loopSide } from './peers/loop.js';
import { rxjsSide } from './peers/rxjs.js';
import { stormHas, stormSide } from './peers/storm/storm.js';
import { streamsSide } from './peers/streams.js';
import { matrix } from './placements.js';
import type { Table } from './tables.js';

export type Benchmark =
  | {
      readonly kind: 'groups';
      groups(peers: readonly PeerName[]): readonly Group[];
      /** Rounds unless it is said otherwise. */
      readonly rounds: number;
    }
  | { readonly kind: 'tables'; readonly tables: readonly Table[] };

/** A topology in all places, beside peers that do the same. */
function throughput(topology: string, components: readonly string[]): Benchmark {
  const sides = matrix(topology, components);
  return { kind: 'groups', groups: (peers) => peers.flatMap((peer) => besidePeer(peer, topology, sides)), rounds: 5 };
}

/** The sides in groups, by what the peer has to compare them with; without such a thing, with the first of them. */
function besidePeer(peer: PeerName, topology: string, sides: readonly Side[]): readonly Group[] {
  const groups = new Map<string, [Side, ...Side[]]>();
  for (const side of sides) {
    const counterpart = counterpartOf(peer, topology, side);
    const key = counterpart?.name ?? '';
    const group = groups.get(key);
    if (group !== undefined) group.push(side);
    else groups.set(key, counterpart === null ? [side] : [counterpart, side]);
  }
  return [...groups.values()];
}

function counterpartOf(peer: PeerName, topology: string, { labels }: Side): Side | null {
  switch (peer) {
    case 'loop':
      return loopSide(topology);
    case 'storm': {
      const workers = labels.includes('processes') ? 2 : 1;
      const work = { topology, tracked: labels.includes('tracked'), workers, rate: 0 };
      return stormHas(topology) ? stormSide(work) : null;
    }
    case 'streams':
      return streamsSide(topology);
    case 'rxjs':
      return rxjsSide(topology);
  }
}

const alone = (groups: readonly Group[], rounds: number): Benchmark => ({
  kind: 'groups',
  groups: () => groups,
  rounds,
});

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  null: throughput('null', ['source', 'sink']),
  id: throughput('id', ['source', 'id', 'sink']),
  words: throughput('words', ['source', 'split', 'count']),
  'moby-dick': throughput('moby-dick', ['source', 'split', 'count']),
  flights: throughput('flights', ['source', 'mean']),
  latency: { kind: 'groups', groups: latencyGroups, rounds: 3 },
  tracking: alone(tracking, 5),
  planner: alone([planner], 5),
  work: alone([work], 5),
  hosts: alone([hosts], 5),
  idle: alone([idle], 5),
  metrics: alone(metrics, 20),
  allocations: { kind: 'tables', tables: allocationTables },
  memory: { kind: 'tables', tables: memoryTables },
  growth: { kind: 'tables', tables: growthTables },
  micro: { kind: 'tables', tables: microTables },
  start: { kind: 'tables', tables: startTables },
  plan: { kind: 'tables', tables: planTables },
  store: { kind: 'tables', tables: storeTables },
};
