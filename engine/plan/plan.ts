// Turns components into numbered tasks and deals them to workers. Deterministic: the same topology and number of
// workers give the same plan everywhere. Pure.

import type { TopologyDescription } from '../model/describe.js';

/** One task: what it runs and where. */
export interface TaskPlan {
  /** Its number, dense from 0 in the order of the components, so the lowest of a component is its first. */
  readonly task: number;
  readonly component: string;
  /** Which task of its component it is. */
  readonly index: number;
  readonly worker: number;
}

export interface Plan {
  readonly workers: number;
  readonly tasks: readonly TaskPlan[];
}

/**
 * Spreads tasks over workers. Task i of each component goes to worker i modulo workers while whole rounds last, so that
 * tasks of neighbouring components stand side by side; the rest goes where the fewest tasks are.
 */
export function planTasks(topology: TopologyDescription, workers: number): Plan {
  const load = new Array<number>(workers).fill(0);
  const placed = topology.components.map((component) => {
    const whole = component.parallelism - (component.parallelism % workers);
    return Array.from({ length: component.parallelism }, (_, index) => {
      const worker = index < whole ? index % workers : leastLoaded(load);
      load[worker]!++;
      return { component: component.id, index, worker };
    });
  });
  return { workers, tasks: placed.flat().map((task, number) => ({ task: number, ...task })) };
}

function leastLoaded(load: readonly number[]): number {
  return load.indexOf(Math.min(...load));
}

/** The tasks of a component, in the order of their index. */
export function tasksOf(plan: Plan, component: string): readonly TaskPlan[] {
  return plan.tasks.filter((task) => task.component === component);
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
