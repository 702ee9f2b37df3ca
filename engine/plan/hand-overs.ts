// Who hands over to whom when one plan follows another: which tasks let go of what they own, and for whom each new
// owner waits. The range of key groups of a task follows from its index and the parallelism, so when that changes, each
// old task of a bolt lets go, and a task of the new plan waits for all those that owned a part of its range. Tasks that
// share their input in another way wait in the same manner: it costs them little, and one rule is enough. Pure.
//
//   before  | a: 0–511     | b: 512–1023       |        c waits for b; a waits for nobody, b for a
//   after   | a: 0–341 | b: 342–682 | c: 683–1023 |     and each of them for itself: what came before goes first

import type { TopologyDescription } from '../model/describe.js';
import { keyGroupRange, taskIndexOfKeyGroup } from './key-groups.js';
import { tasksByComponent, type Plan, type TaskPlan } from './plan.js';

/** Spout tasks of which the new ones begin when all old ones have let go, because they may read the same partitions. */
export interface SpoutHandOver {
  readonly component: string;
  readonly before: readonly TaskPlan[];
  readonly after: readonly TaskPlan[];
}

export interface HandOvers {
  /** Components whose tasks or ranges are others now. */
  readonly changed: ReadonlySet<string>;
  /** Tasks of the old plan that are not in the new one, by their number. */
  readonly leaving: ReadonlyMap<number, TaskPlan>;
  /** Tasks of the new plan that were not in the old one, by their number. */
  readonly coming: ReadonlyMap<number, TaskPlan>;
  /** Bolt tasks of the old plan that let go of something. */
  readonly owners: ReadonlyMap<number, TaskPlan>;
  /** For each bolt task of the new plan that waits: the other tasks that have to let go first. */
  readonly waits: ReadonlyMap<number, readonly number[]>;
  /** By the number of a task that is moved: the one that takes its place. */
  readonly successors: ReadonlyMap<number, number>;
  readonly spouts: readonly SpoutHandOver[];
}

export function handOvers(topology: TopologyDescription, before: Plan, after: Plan): HandOvers {
  const [old, now] = [tasksByComponent(before), tasksByComponent(after)];
  const changed = new Set<string>();
  const [leaving, coming] = [new Map<number, TaskPlan>(), new Map<number, TaskPlan>()];
  const owners = new Map<number, TaskPlan>();
  const waits = new Map<number, readonly number[]>();
  const successors = new Map<number, number>();
  const spouts: SpoutHandOver[] = [];
  const { keyGroups } = topology.config;
  for (const { id, kind } of topology.components) {
    const [was, is] = [old.get(id) ?? [], now.get(id) ?? []];
    const [gone, come] = [without(was, is), without(is, was)];
    const resized = was.length !== is.length;
    if (gone.length === 0 && come.length === 0) continue;
    changed.add(id);
    for (const task of gone) leaving.set(task.task, task);
    for (const task of come) coming.set(task.task, task);
    for (const task of gone) {
      const successor = is[task.index];
      if (successor !== undefined) successors.set(task.task, successor.task);
    }
    if (kind === 'spout') {
      if (resized) spouts.push({ component: id, before: gone, after: come });
      else come.forEach((task) => spouts.push({ component: id, before: [was[task.index]!], after: [task] }));
      continue;
    }
    for (const task of resized ? was : gone) owners.set(task.task, task);
    for (const task of resized ? is : come) {
      waits.set(task.task, resized ? ownersOf(task, was, is.length, keyGroups) : [was[task.index]!.task]);
    }
  }
  return { changed, leaving, coming, owners, waits, successors, spouts };
}

function without(tasks: readonly TaskPlan[], others: readonly TaskPlan[]): TaskPlan[] {
  const numbers = new Set(others.map(({ task }) => task));
  return tasks.filter(({ task }) => !numbers.has(task));
}

/**
 * The other tasks that owned some of what is to be that one's, and the one of its index: what goes by an index, such as
 * the file that a task writes, has one owner too.
 */
function ownersOf(task: TaskPlan, was: readonly TaskPlan[], parallelism: number, keyGroups: number): number[] {
  const owners = new Set<number>();
  const { first, end } = keyGroupRange(task.index, keyGroups, parallelism);
  if (first < end) {
    const from = taskIndexOfKeyGroup(first, keyGroups, was.length);
    const to = taskIndexOfKeyGroup(end - 1, keyGroups, was.length);
    for (const owner of was.slice(from, to + 1)) owners.add(owner.task);
  }
  const sameIndex = was[task.index];
  if (sameIndex !== undefined) owners.add(sameIndex.task);
  owners.delete(task.task);
  return [...owners];
}
