// Whether a change of the plan makes sense for a topology: what is wrong with it is told before anything is done, and
// nothing has changed then. Pure.

import { failure } from '../errors.js';
import { TASKS_MAX, WORKERS_MAX } from '../limits.js';
import type { TopologyDescription } from '../model/describe.js';
import { groupComponents, workersMin } from '../model/worker-groups.js';
import { tasksByComponent, type Plan } from './plan.js';
import type { PlanChange } from './replan.js';

/**
 * @param places - how many workers there is room for
 * @throws MILLRACE_REBALANCE_WORKERS, MILLRACE_REBALANCE_APART, MILLRACE_REBALANCE_PLACES,
 * MILLRACE_REBALANCE_COMPONENT, MILLRACE_REBALANCE_PARALLELISM,
 *   MILLRACE_REBALANCE_TASKS
 */
export function checkChange(
  topology: TopologyDescription,
  plan: Plan,
  change: PlanChange,
  places: number = WORKERS_MAX,
): void {
  const { workers = plan.workers, parallelism = {} } = change;
  if (!isWithin(workers, WORKERS_MAX)) {
    throw failure('MILLRACE_REBALANCE_WORKERS', { topology: topology.name, workers, workersMax: WORKERS_MAX });
  }
  const fewest = workersMin(groupComponents(topology.components).groups);
  if (workers < fewest) {
    throw failure('MILLRACE_REBALANCE_APART', { topology: topology.name, workers, workersMin: fewest });
  }
  if (workers > places) throw failure('MILLRACE_REBALANCE_PLACES', { topology: topology.name, workers, places });
  const components = new Map(topology.components.map((component) => [component.id, component]));
  const counts = new Map([...tasksByComponent(plan)].map(([id, tasks]) => [id, tasks.length]));
  for (const [id, count] of Object.entries(parallelism)) {
    const component = components.get(id);
    if (component === undefined) {
      throw failure('MILLRACE_REBALANCE_COMPONENT', {
        topology: topology.name,
        component: id,
        known: [...components.keys()].map((known) => `"${known}"`).join(', '),
      });
    }
    const keyed = component.kind === 'bolt' && component.inputs.some(({ fields }) => fields.length > 0);
    const parallelismMax = keyed ? topology.config.keyGroups : TASKS_MAX;
    if (!isWithin(count, parallelismMax)) {
      throw failure('MILLRACE_REBALANCE_PARALLELISM', { component: id, parallelism: count, parallelismMax });
    }
    counts.set(id, count);
  }
  const tasks = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (tasks > TASKS_MAX) {
    throw failure('MILLRACE_REBALANCE_TASKS', { topology: topology.name, tasks, tasksMax: TASKS_MAX });
  }
}

function isWithin(count: unknown, max: number): boolean {
  return Number.isSafeInteger(count) && (count as number) >= 1 && (count as number) <= max;
}
