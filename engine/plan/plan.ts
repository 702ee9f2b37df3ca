// Turns components into numbered tasks and deals them to workers. Deterministic: the same topology and number of
// workers give the same plan everywhere. Pure.

import type { ComponentDescription, TopologyDescription } from '../model/describe.js';
import { partsOf } from './parts.js';
import { placedTogether } from './together.js';

/** One task: what it runs and where. */
export interface TaskPlan {
  /**
   * Its number, which names it at its place for as long as it is there: dense from 0 in the order of the components at
   * first; what is added or moved later has a number that no task had before.
   */
  readonly task: number;
  readonly component: string;
  /** Which task of its component it is. */
  readonly index: number;
  readonly worker: number;
}

export interface Plan {
  readonly workers: number;
  /** In the order of the components, and of each component in the order of their index. */
  readonly tasks: readonly TaskPlan[];
  /** The lowest number that no task has had in this run. */
  readonly nextTask: number;
}

/** How many tasks components have, by their id, where that differs from what the topology says. */
export type Parallelism = Readonly<Record<string, number>>;

/**
 * Places tasks on workers. Task i of each component goes to worker i modulo workers while whole rounds last, so that
 * tasks of neighbouring components stand side by side; where the rest goes the placement of the topology says. Either
 * way no worker has two more tasks of a component than another one that may have some (parts.ts).
 */
export function planTasks(topology: TopologyDescription, workers: number, parallelism: Parallelism = {}): Plan {
  const countOf = ({ id, parallelism: defined }: ComponentDescription): number => parallelism[id] ?? defined;
  const deal = topology.config.placement === 'spread' ? spreadOut : placedTogether;
  const places = new Map(
    partsOf(topology, workers).flatMap((part) =>
      [...deal(part.components, part.workers.length, countOf)].map(([id, here]): [string, number[]] => {
        return [id, here.map((worker) => part.workers[worker]!)];
      }),
    ),
  );
  const tasks = topology.components.flatMap(({ id }) =>
    places.get(id)!.map((worker, index) => ({ component: id, index, worker })),
  );
  return { workers, tasks: tasks.map((task, number) => ({ task: number, ...task })), nextTask: tasks.length };
}

/** The rest goes where the fewest tasks are: then no worker has two tasks more than another one. */
function spreadOut(
  components: readonly ComponentDescription[],
  workers: number,
  countOf: (component: ComponentDescription) => number,
): Map<string, number[]> {
  const load = new Array<number>(workers).fill(0);
  const places = components.map((component): [string, number[]] => {
    const count = countOf(component);
    const whole = count - (count % workers);
    const here = Array.from({ length: count }, (_, index) => {
      const worker = index < whole ? index % workers : leastLoaded(load);
      load[worker]!++;
      return worker;
    });
    return [component.id, here];
  });
  return new Map(places);
}

function leastLoaded(load: readonly number[]): number {
  return load.indexOf(Math.min(...load));
}

/** The workers that have no task. */
export function idleWorkers({ workers, tasks }: Plan): number[] {
  const busy = new Set(tasks.map(({ worker }) => worker));
  return Array.from({ length: workers }, (_, worker) => worker).filter((worker) => !busy.has(worker));
}

/** The tasks of a component, in the order of their index. */
export function tasksOf(plan: Plan, component: string): readonly TaskPlan[] {
  return plan.tasks.filter((task) => task.component === component);
}

/** The tasks of each component, in the order of their index. */
export function tasksByComponent(plan: Plan): Map<string, TaskPlan[]> {
  const found = new Map<string, TaskPlan[]>();
  for (const task of plan.tasks) {
    const those = found.get(task.component);
    if (those === undefined) found.set(task.component, [task]);
    else those.push(task);
  }
  return found;
}

/** The components that take from these, from those in turn, and so on; of these only who takes from another one. */
export function downstreamOf(topology: TopologyDescription, components: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const open = [...components];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const component of topology.components) {
      if (
        component.kind === 'bolt' &&
        !found.has(component.id) &&
        component.inputs.some((input) => input.from === id)
      ) {
        found.add(component.id);
        open.push(component.id);
      }
    }
  }
  return found;
}
