// The rules of a topology as a whole: it has a name, a spout, and is within its limits. The rules of one component
// stand in validate-component.ts, those of subscriptions in validate-inputs.ts, those of cycles in validate-cycles.ts.
// Every rule looks at the whole topology, whatever the others found, so that all problems come at once. Pure, any
// thread.

import type { Problem } from '../errors.js';
import { COMPONENTS_MAX, NAME_LENGTH_MAX, TASKS_MAX, WORKERS_MAX } from '../limits.js';
import { checkedConfig, configPath, defaultConfig, readVersion } from './config.js';
import type { ComponentDefinition, Topology } from './definition.js';
import { componentPath, isName, nameOf, shown } from './names.js';
import { ProblemList } from './problems.js';
import { listed } from './suggest.js';
import { checkComponent } from './validate-component.js';
import { checkCycles } from './validate-cycles.js';
import { checkInputs } from './validate-inputs.js';
import { groupComponents, workersMin } from './worker-groups.js';

/** Limits that a host sets; those of the engine where it sets none. */
export interface ValidationLimits {
  /** Tasks of one topology. Default `TASKS_MAX`. */
  readonly tasksMax?: number;
  /** Workers of one topology. Default `WORKERS_MAX`. */
  readonly workersMax?: number;
}

/** All problems of a topology; an empty list when it may run. Never throws. */
export function validate(topology: Topology, limits: ValidationLimits = {}): readonly Problem[] {
  return problemsOf(topology, limits, new Set());
}

/**
 * As {@link validate}, while a topology is read.
 *
 * @param unknownOutputs - components whose streams could not be read: nothing is said about subscriptions of them
 */
export function problemsOf(
  topology: Topology,
  limits: ValidationLimits,
  unknownOutputs: ReadonlySet<string>,
): readonly Problem[] {
  const problems = new ProblemList();
  checkName(problems, 'topology', topology.name, 'name');
  readVersion(topology.version, problems);
  const config = topology.config;
  const { keyGroups } = checkedConfig(config, defaultConfig, configPath, problems);

  const components = new Map<string, ComponentDefinition>();
  for (const component of topology.components) {
    const path = componentPath(component.kind, component.id);
    checkName(problems, component.kind, component.id, path);
    if (components.has(component.id)) {
      problems.add('MILLRACE_TOPOLOGY_DUPLICATE_COMPONENT', path, { component: component.id });
    } else {
      components.set(component.id, component);
    }
    checkComponent(component, path, problems);
  }
  for (const component of topology.components) {
    checkInputs(component, { components, unknownOutputs, keyGroups }, problems);
  }
  if (!topology.components.some((component) => component.kind === 'spout')) {
    problems.add('MILLRACE_TOPOLOGY_NO_SPOUT', 'spouts', { topology: topology.name });
  }
  checkApart(topology, components, problems);
  checkCycles([...components.values()], config, problems);
  checkTotals(topology, limits, problems);
  return problems.all();
}

function checkName(problems: ProblemList, what: string, name: unknown, path: string): void {
  if (isName(name)) return;
  problems.add('MILLRACE_TOPOLOGY_NAME', path, { what, name: nameOf(name), lengthMax: NAME_LENGTH_MAX });
}

/** Who is to be kept apart from whom, and whether there are enough workers for that. */
function checkApart(
  topology: Topology,
  components: ReadonlyMap<string, ComponentDefinition>,
  problems: ProblemList,
): void {
  const wrong = topology.components.filter(({ id, apart }) => apart !== undefined && !isOther(apart, id, components));
  for (const { kind, id, apart } of wrong) {
    const known = [...components.keys()].filter((other) => other !== id);
    const details = { component: id, actual: apart === id ? 'itself' : shown(apart), known: listed(known) };
    const near = typeof apart === 'string' ? { name: apart, known } : undefined;
    problems.add('MILLRACE_TOPOLOGY_APART', `${componentPath(kind, id)}.apart`, details, near);
  }
  if (wrong.length > 0 || components.size !== topology.components.length) return;
  if (topology.components.some(({ labels = [] }) => !Array.isArray(labels))) return;
  if (![...components.values()].some(({ apart }) => apart !== undefined)) return;
  const { workers } = topology.config;
  const fewest = workersMin(groupComponents(topology.components).groups);
  if (!Number.isInteger(workers) || workers < 1 || workers >= fewest) return;
  const details = { topology: topology.name, workers, workersMin: fewest };
  problems.add('MILLRACE_TOPOLOGY_APART_WORKERS', configPath('workers'), details);
}

function isOther(apart: unknown, id: string, components: ReadonlyMap<string, unknown>): boolean {
  return typeof apart === 'string' && apart !== id && components.has(apart);
}

function checkTotals(topology: Topology, limits: ValidationLimits, problems: ProblemList): void {
  const { tasksMax = TASKS_MAX, workersMax = WORKERS_MAX } = limits;
  const count = topology.components.length;
  if (count > COMPONENTS_MAX) {
    problems.add('MILLRACE_TOPOLOGY_TOO_LARGE', '', { count, what: 'components', max: COMPONENTS_MAX });
  }
  let tasks = 0;
  for (const { parallelism } of topology.components) {
    // One that is senseless by itself is reported where it stands.
    if (Number.isInteger(parallelism) && parallelism > 0 && parallelism <= TASKS_MAX) tasks += parallelism;
  }
  if (tasks > tasksMax) problems.add('MILLRACE_TOPOLOGY_TOO_LARGE', '', { count: tasks, what: 'tasks', max: tasksMax });
  const workers = topology.config.workers;
  // Above the engine's own limit it is reported as a senseless number.
  if (Number.isInteger(workers) && workers > workersMax && workers <= WORKERS_MAX) {
    const details = { count: workers, what: 'workers', max: workersMax };
    problems.add('MILLRACE_TOPOLOGY_TOO_LARGE', configPath('workers'), details);
  }
}
