// The smallest move from one plan to another one, when the number of workers or the parallelism of components changes.
// A task stays where it is unless its worker goes, its component has less tasks, or its worker has too many. When tasks
// are spread, that is too many of all: afterwards the fullest and the emptiest worker differ by at most one task. When
// they are placed together, it is too many of its component: afterwards each worker has as many of each as a fresh plan
// gives it. Deterministic, so whoever knows the old plan and the change knows the new one. Pure.
//
//   stays: index below the new parallelism, worker still there and for its component, within its worker's share
//   moved: a pair of tasks of one index, the old one at the old place, and a new one, with a new number, at the new
//   Spouts share their input by parallelism, so when that changes each of their tasks begins anew, where it was.

import type { TopologyDescription } from '../model/describe.js';
import { partsOf, type Part } from './parts.js';
import { planTasks, tasksByComponent, type Parallelism, type Plan, type TaskPlan } from './plan.js';

/** What is to be different; what is left out stays as it is. */
export interface PlanChange {
  readonly workers?: number;
  readonly parallelism?: Parallelism;
}

/** A task and the one that takes its place. */
export interface Moved {
  readonly from: TaskPlan;
  readonly to: TaskPlan;
}

export interface Replan {
  readonly plan: Plan;
  /** Tasks with an index that their component did not have. */
  readonly added: readonly TaskPlan[];
  /** Tasks with an index that their component has no longer. */
  readonly removed: readonly TaskPlan[];
  readonly moved: readonly Moved[];
}

/** A task of the new plan that has no place yet. */
interface Homeless {
  readonly component: string;
  readonly index: number;
  readonly from: TaskPlan | null;
}

/** A task of the old plan that may stay. */
interface Resident {
  readonly task: TaskPlan;
  /** It begins anew all the same. */
  readonly anew: boolean;
}

/** @returns a plan with the same tasks when nothing has to change */
export function replan(topology: TopologyDescription, before: Plan, change: PlanChange): Replan {
  const workers = change.workers ?? before.workers;
  const parallelism = change.parallelism ?? {};
  const old = tasksByComponent(before);
  const residents: Resident[][] = Array.from({ length: workers }, () => []);
  const homeless: Homeless[] = [];
  const removed: TaskPlan[] = [];
  const counts: Record<string, number> = {};
  const parts = partsOf(topology, workers);
  const homes = new Map(parts.flatMap((part) => part.components.map(({ id }) => [id, new Set(part.workers)] as const)));
  for (const { id, kind } of topology.components) {
    const tasks = old.get(id) ?? [];
    const count = parallelism[id] ?? tasks.length;
    counts[id] = count;
    const anew = kind === 'spout' && count !== tasks.length;
    for (const task of tasks) {
      if (task.index >= count) removed.push(task);
      else if (homes.get(id)!.has(task.worker)) residents[task.worker]!.push({ task, anew });
      else homeless.push({ component: id, index: task.index, from: task });
    }
    for (let index = tasks.length; index < count; index++) homeless.push({ component: id, index, from: null });
  }
  const room =
    topology.config.placement === 'spread'
      ? evenRooms(parts, residents, homeless)
      : freshRoom(planTasks(topology, workers, counts), residents, homeless);
  return placed(topology, before, { workers, residents, homeless, room, removed });
}

/** Finds the workers of tasks that have no place yet, one after the other, and takes that place. */
type Room = (task: Homeless) => number;

/** As many of each component in each worker as that plan has: what is above moves to where some lack. */
function freshRoom(fresh: Plan, residents: Resident[][], homeless: Homeless[]): Room {
  const lacks = Array.from({ length: fresh.workers }, () => new Map<string, number>());
  const places = new Map<string, number[]>();
  for (const [component, tasks] of tasksByComponent(fresh)) {
    places.set(
      component,
      tasks.map(({ worker }) => worker),
    );
    for (const { worker } of tasks) lacks[worker]!.set(component, (lacks[worker]!.get(component) ?? 0) + 1);
  }
  const take = (worker: number, component: string): boolean => {
    const lacking = lacks[worker]!.get(component) ?? 0;
    if (lacking > 0) lacks[worker]!.set(component, lacking - 1);
    return lacking > 0;
  };
  residents.forEach((here, worker) => {
    const stay = here.filter(({ task: { component, index }, task }) => {
      if (take(worker, component)) return true;
      homeless.push({ component, index, from: task });
      return false;
    });
    here.splice(0, here.length, ...stay);
  });
  return ({ component, index }) => {
    const own = places.get(component)![index]!;
    return take(own, component) ? own : lacks.findIndex((_, worker) => take(worker, component));
  };
}

/** Where tasks are spread: each part of the topology over its own workers. */
function evenRooms(parts: readonly Part[], residents: Resident[][], homeless: Homeless[]): Room {
  const rooms = new Map<string, Room>();
  for (const part of parts) {
    const ids = new Set(part.components.map(({ id }) => id));
    const own = homeless.filter(({ component }) => ids.has(component));
    const known = own.length;
    const room = evenRoom(
      part.workers.map((worker) => residents[worker]!),
      own,
    );
    homeless.push(...own.slice(known));
    for (const id of ids) rooms.set(id, (task) => part.workers[room(task)]!);
  }
  return (task) => rooms.get(task.component)!(task);
}

/** As {@link evict} leaves room. */
function evenRoom(residents: Resident[][], homeless: Homeless[]): Room {
  const free = evict(residents, homeless);
  const here = residents.map((each) => countsOf(each.map(({ task }) => task)));
  return ({ component }) => roomFor(component, here, free);
}

/**
 * Takes from each worker what is above its share, and gives how much room each has then. Workers with more tasks have
 * the larger shares, so no other division moves fewer.
 */
function evict(residents: Resident[][], homeless: Homeless[]): number[] {
  const workers = residents.length;
  const total = homeless.length + residents.reduce((sum, each) => sum + each.length, 0);
  const larger = total % workers;
  const byLoad = residents.map((_, worker) => worker).sort((a, b) => residents[b]!.length - residents[a]!.length);
  const free = new Array<number>(workers).fill(0);
  byLoad.forEach((worker, rank) => {
    const share = Math.floor(total / workers) + (rank < larger ? 1 : 0);
    const here = residents[worker]!;
    const counts = countsOf(here.map(({ task }) => task));
    while (here.length > share) {
      // Of the component that has most tasks here, the last one; those that begin anew anyway go first.
      let most = 0;
      for (let at = 1; at < here.length; at++) if (goesBefore(here[at]!, here[most]!, counts)) most = at;
      const { task } = here.splice(most, 1)[0]!;
      counts.set(task.component, counts.get(task.component)! - 1);
      homeless.push({ component: task.component, index: task.index, from: task });
    }
    free[worker] = share - here.length;
  });
  return free;
}

function goesBefore(one: Resident, other: Resident, counts: ReadonlyMap<string, number>): boolean {
  if (one.anew !== other.anew) return one.anew;
  const more = counts.get(one.task.component)! - counts.get(other.task.component)!;
  return more > 0 || (more === 0 && one.task.component === other.task.component && one.task.index > other.task.index);
}

function countsOf(tasks: readonly TaskPlan[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { component } of tasks) counts.set(component, (counts.get(component) ?? 0) + 1);
  return counts;
}

interface Placing {
  readonly workers: number;
  readonly residents: readonly (readonly Resident[])[];
  readonly homeless: readonly Homeless[];
  readonly room: Room;
  readonly removed: readonly TaskPlan[];
}

/** Gives numbers and places, in the order of the plan, to what is new. */
function placed(topology: TopologyDescription, before: Plan, placing: Placing): Replan {
  const { workers, residents, homeless, room, removed } = placing;
  const tasks: TaskPlan[] = [];
  const added: TaskPlan[] = [];
  const moved: Moved[] = [];
  let { nextTask } = before;
  const waiting = groupByComponent(homeless);
  const staying = groupByComponent(
    residents.flat().map(({ task, anew }) => ({ component: task.component, task, anew })),
  );
  for (const { id } of topology.components) {
    const own: TaskPlan[] = [];
    for (const { task, anew } of staying.get(id) ?? []) {
      const to = anew ? { ...task, task: nextTask++ } : task;
      if (anew) moved.push({ from: task, to });
      own.push(to);
    }
    for (const each of waiting.get(id) ?? []) {
      const { component, index, from } = each;
      const worker = room(each);
      const to: TaskPlan = { task: nextTask++, component, index, worker };
      if (from === null) added.push(to);
      else moved.push({ from, to });
      own.push(to);
    }
    tasks.push(...own.sort((a, b) => a.index - b.index));
  }
  return { plan: { workers, tasks, nextTask }, added, removed, moved };
}

/** The worker with room that has fewest tasks of that component; of these, the one with most room. */
function roomFor(component: string, here: readonly Map<string, number>[], free: number[]): number {
  let best = -1;
  for (let worker = 0; worker < free.length; worker++) {
    if (free[worker]! <= 0) continue;
    const fewer = best < 0 ? 1 : (here[best]!.get(component) ?? 0) - (here[worker]!.get(component) ?? 0);
    if (fewer > 0 || (fewer === 0 && free[worker]! > free[best]!)) best = worker;
  }
  free[best]!--;
  here[best]!.set(component, (here[best]!.get(component) ?? 0) + 1);
  return best;
}

function groupByComponent<T extends { readonly component: string }>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const group = groups.get(each.component);
    if (group === undefined) groups.set(each.component, [each]);
    else group.push(each);
  }
  return groups;
}
