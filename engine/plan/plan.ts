// Turns components into numbered tasks and deals them to workers. Deterministic: the same topology and number of
// workers give the same plan everywhere. Pure.

import type { TopologyDescription } from '../model/describe.js';

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
 * Spreads tasks over workers. Task i of each component goes to worker i modulo workers while whole rounds last, so that
 * tasks of neighbouring components stand side by side; the rest goes where the fewest tasks are.
 */
export function planTasks(topology: TopologyDescription, workers: number, parallelism: Parallelism = {}): Plan {
  const load = new Array<number>(workers).fill(0);
  const placed = topology.components.map((component) => {
    const count = parallelism[component.id] ?? component.parallelism;
    const whole = count - (count % workers);
    return Array.from({ length: count }, (_, index) => {
      const worker = index < whole ? index % workers : leastLoaded(load);
      load[worker]!++;
      return { component: component.id, index, worker };
    });
  });
  const tasks = placed.flat().map((task, number) => ({ task: number, ...task }));
  return { workers, tasks, nextTask: tasks.length };
}

function leastLoaded(load: readonly number[]): number {
  return load.indexOf(Math.min(...load));
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
