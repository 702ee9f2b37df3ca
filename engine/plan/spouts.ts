// Plans in which only the spouts are others: where one version of a topology makes room for another one, its spouts go
// and its bolts stay. Pure.

import type { TopologyDescription } from '../model/describe.js';
import type { Plan } from './plan.js';

/** That plan before any spout is there. */
export function withoutSpouts(topology: TopologyDescription, plan: Plan): Plan {
  const spouts = spoutIds(topology);
  return { ...plan, tasks: plan.tasks.filter(({ component }) => !spouts.has(component)) };
}

/** Every spout task goes, and one with a new number is to come where it was. */
export function spoutsAnew(topology: TopologyDescription, before: Plan): Plan {
  const spouts = spoutIds(topology);
  let { nextTask } = before;
  const tasks = before.tasks.map((task) => (spouts.has(task.component) ? { ...task, task: nextTask++ } : task));
  return { ...before, tasks, nextTask };
}

function spoutIds({ components }: TopologyDescription): ReadonlySet<string> {
  return new Set(components.flatMap(({ id, kind }) => (kind === 'spout' ? [id] : [])));
}
