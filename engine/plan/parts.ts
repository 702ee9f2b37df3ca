// Which workers the tasks of a component may go to. Mostly that is all of them, and the topology has one part; where
// components ask for other hosts or are to be kept apart, each part has workers of its own. Pure.

import type { ComponentDescription, TopologyDescription } from '../model/describe.js';
import { groupComponents, workerGroups } from '../model/worker-groups.js';

/** Components that share workers, and those. */
export interface Part {
  readonly components: readonly ComponentDescription[];
  readonly workers: readonly number[];
}

/** The parts of a topology; each component, and each worker, is in one of them. */
export function partsOf({ components }: TopologyDescription, workers: number): readonly Part[] {
  const { groups, groupOf } = groupComponents(components);
  if (groups.length <= 1) return [{ components, workers: Array.from({ length: workers }, (_, worker) => worker) }];
  const parts = new Map<string, { readonly groups: readonly number[]; readonly workers: number[] }>();
  workerGroups(groups, workers).forEach((own, worker) => {
    const part = parts.get(own.join());
    if (part === undefined) parts.set(own.join(), { groups: own, workers: [worker] });
    else part.workers.push(worker);
  });
  return [...parts.values()].map((part) => ({
    components: components.filter(({ id }) => part.groups.includes(groupOf.get(id)!)),
    workers: part.workers,
  }));
}
