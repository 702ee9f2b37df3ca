// What each worker of a topology asks of its host, worked out from its settings and the number of workers alone:
// labels, and of which other workers it has to keep away. Workers that ask for the same are of one class. Pure.

import { workerGroups, workersMin } from '../../engine/model/worker-groups.js';
import type { Placing } from '../placing.js';

/** Workers that ask for the same. */
export interface WorkerClass {
  /** Their hosts have all of these. */
  readonly labels: readonly string[];
  /** Classes of which no worker is on a host with one of this one. */
  readonly apart: readonly number[];
}

export interface Layout {
  readonly classes: readonly WorkerClass[];
  /** By worker. */
  readonly classOf: readonly number[];
}

/** How many workers there must be at the least. */
export function fewestWorkers({ groups }: Placing): number {
  return groups === undefined ? 1 : Math.max(1, workersMin(groups));
}

export function layoutOf({ hostLabels = [], groups }: Placing, workers: number): Layout {
  if (groups === undefined) {
    return { classes: [{ labels: hostLabels, apart: [] }], classOf: new Array<number>(workers).fill(0) };
  }
  const byGroups = new Map<string, number>();
  const members: (readonly number[])[] = [];
  const classOf = workerGroups(groups, workers).map((own) => {
    const key = own.join();
    const known = byGroups.get(key) ?? members.push(own) - 1;
    byGroups.set(key, known);
    return known;
  });
  const classes = members.map((own): WorkerClass => {
    const labels = new Set([...hostLabels, ...own.flatMap((group) => groups[group]!.labels)]);
    const enemies = new Set(own.flatMap((group) => groups[group]!.apart));
    const apart = [...members.keys()].filter((other) => members[other]!.some((group) => enemies.has(group)));
    return { labels: [...labels].sort(), apart };
  });
  return { classes, classOf };
}

/** All labels that it asks for somewhere. */
export function labelsOf({ hostLabels = [], groups = [] }: Placing): readonly string[] {
  return [...hostLabels, ...groups.flatMap(({ labels }) => labels)];
}
