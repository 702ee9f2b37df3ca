// Where the tasks of a topology of the benchmark run: in one thread, in several, in several processes. A topology that
// runs tracked and untracked in all of these places is a matrix of sides.

import type { TopologyDescription } from '../../engine/model/describe.js';
import type { Plan } from '../../engine/plan/plan.js';
import type { Side } from './measured.js';
import { topologySide } from './sides/topology-side.js';

export interface Placement {
  readonly label: string;
  /** In words, for tables. */
  readonly name: string;
  readonly workers: number;
  /** In how many processes those workers are. */
  readonly processes: number;
  /** Tasks of each component. */
  readonly parallelism: number;
  /** Where the tasks go that are not one a worker. Default: as the planner has it. */
  readonly spread?: boolean;
  readonly misplaced?: (plan: Plan, description: TopologyDescription) => string | null;
}

/** Open trees at most where acks take a while: enough to keep two workers busy, and few enough for the caches. */
const PENDING_OF_TWO = 4096;

const crossing = { workers: 2, parallelism: 1, spread: true, misplaced: whatStaysAtHome };

export const ONE: Placement = { label: 'one', name: 'one thread', workers: 1, processes: 1, parallelism: 1 };
export const CROSSING: Placement = {
  label: 'crossing',
  name: 'two threads, every hop crossing',
  processes: 1,
  ...crossing,
};
/** Two tasks of each component. */
export const PLANNED: Placement = {
  label: 'planned',
  name: 'two threads, as planned',
  workers: 2,
  processes: 1,
  parallelism: 2,
};
const PROCESSES: Placement = { label: 'processes', name: 'two processes over TCP', processes: 2, ...crossing };

/** As three workers of one host, and of three. */
export const THREADS: Placement = {
  ...{ label: 'threads', name: 'three threads, every hop crossing', processes: 1 },
  ...crossing,
  workers: 3,
};
export const HOSTS: Placement = {
  ...{ label: 'hosts', name: 'three processes over TCP', processes: 3 },
  ...crossing,
  workers: 3,
};

export const PLACEMENTS: readonly Placement[] = [ONE, CROSSING, PLANNED, PROCESSES];

/** A topology in one place. */
export interface Placed {
  readonly topology: string;
  /** The ids of its components, the spout first. */
  readonly components: readonly string[];
  readonly placement: Placement;
  readonly tracked: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What it is called and selected by. Default: the place, and whether it is tracked. */
  readonly name?: string;
  readonly labels?: readonly string[];
  readonly ownLatency?: boolean;
}

/** The topology tracked and untracked in each place. */
export function matrix(topology: string, components: readonly string[]): readonly Side[] {
  return [true, false].flatMap((tracked) =>
    PLACEMENTS.map((placement) => placed({ topology, components, placement, tracked })),
  );
}

export function placed({ topology, components, placement, tracked, ...rest }: Placed): Side {
  const { label, name, workers, processes, parallelism, spread = false, misplaced } = placement;
  const tracking = tracked ? 'tracked' : 'untracked';
  const parallel = parallelism === 1 ? [] : components.map((id) => [`${id}.parallelism`, parallelism] as const);
  const untracked = tracked ? {} : { [`${components[0]!}.tracked`]: false };
  const spreading = spread ? { placement: 'spread' } : {};
  const pending = workers > 1 ? { maxSpoutPending: PENDING_OF_TWO } : {};
  return topologySide({
    name: rest.name ?? `${name}, ${tracking}`,
    labels: rest.labels ?? [label, tracking],
    topology,
    workers,
    settings: { ...pending, ...spreading, ...Object.fromEntries(parallel), ...untracked, ...rest.settings },
    tracked,
    processes,
    ownLatency: rest.ownLatency ?? false,
    ...(misplaced === undefined ? {} : { misplaced }),
  });
}

/** A hop that crosses nothing, or null. */
function whatStaysAtHome(plan: Plan, description: TopologyDescription): string | null {
  const workerOf = (id: string): number => plan.tasks.find(({ component }) => component === id)!.worker;
  for (const component of description.components) {
    if (component.kind === 'spout') continue;
    const near = component.inputs.find((input) => workerOf(input.from) === workerOf(component.id));
    if (near !== undefined) return `"${near.from}" and "${component.id}" are in one worker`;
  }
  return null;
}
