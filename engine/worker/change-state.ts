// One change of the plan as a worker carries it out: what it knows of it, and the part that it gives each bolt task. On
// the worker's thread.

import { cyclesOf } from '../model/cycles.js';
import type { TopologyDescription } from '../model/describe.js';
import type { HandOvers } from '../plan/hand-overs.js';
import { tasksByComponent, type TaskPlan } from '../plan/plan.js';
import { isBolt } from '../task/copies.js';
import type { BoltTask } from '../task/bolt-task.js';
import { HOLDING } from '../task/gate.js';
import { HandOver } from '../task/hand-over.js';
import type { LivingTask } from './living-task.js';
import type { Transition } from './messages.js';
import type { WiringOptions } from './wiring.js';

export interface Running {
  readonly transition: Transition;
  readonly over: HandOvers;
  readonly wiring: WiringOptions;
  /** The tasks of both plans, by number. */
  readonly places: ReadonlyMap<number, TaskPlan>;
  /** Whose place a task takes. */
  readonly predecessors: ReadonlyMap<number, number>;
  /** Bolt tasks that come here. */
  coming: readonly LivingTask[];
  ready: Promise<void>;
  /** This worker started with the new plan, and has nobody who sends by the old one. */
  readonly joined: boolean;
  /** Spouts that leave were told to. */
  movesSpouts: boolean;
  /** The new plan holds. */
  carriedOut: boolean;
}

export function runningOf(transition: Transition, over: HandOvers, wiring: WiringOptions, joined = false): Running {
  const { before, after } = transition;
  return {
    joined,
    movesSpouts: false,
    transition,
    over,
    wiring,
    places: new Map([...before.tasks, ...after.tasks].map((task) => [task.task, task])),
    predecessors: new Map([...over.successors].map(([from, to]) => [to, from])),
    coming: [],
    ready: Promise.resolve(),
    carriedOut: false,
  };
}

/** Gives every bolt task that is there its part. */
export function engage(
  { over, transition, wiring }: Running,
  description: TopologyDescription,
  living: readonly LivingTask[],
): void {
  const old = tasksByComponent(transition.before);
  const cycles = cyclesOf(description.components);
  const { revision } = transition;
  const parting = new Set(over.spouts.flatMap(({ before }) => before.map(({ task }) => task)));
  for (const { task, definition } of living) {
    if (!isBolt(task) || definition.kind !== 'bolt') continue;
    const from = new Set(definition.inputs.map((input) => input.from));
    const leaves = over.leaving.has(task.task);
    const waits = over.waits.get(task.task);
    const isOwner = over.owners.has(task.task);
    if (isOwner || waits !== undefined) {
      const sources = isOwner ? [...from].flatMap((id) => old.get(id) ?? []).map((source) => source.task) : null;
      task.handOver = new HandOver({ revision, sources, parting, waits: waits ?? [], leaves, predecessor: null });
    }
    if (leaves) continue;
    // Who comes to a cycle ends with it; who leaves it says so.
    const together = cycles.find((ids) => ids.includes(definition.id)) ?? [];
    for (const { task: source, component } of over.coming.values()) {
      if (from.has(component) && !together.includes(component)) task.inputs.add(source);
    }
    for (const source of wiring.leaving) if (from.has(source.component)) task.inputs.add(source.task);
  }
}

/** It owns nothing yet: all that comes waits for those who do. */
export function holdAll({ over, transition, predecessors }: Running, task: BoltTask): void {
  task.handOver = new HandOver({
    revision: transition.revision,
    sources: null,
    parting: new Set(),
    waits: over.waits.get(task.task) ?? [],
    leaves: false,
    predecessor: predecessors.get(task.task) ?? null,
  });
  task.inbox.holdLocal();
  task.gate |= HOLDING;
}

export function isTogether({ components }: TopologyDescription, one: string, other: string): boolean {
  return cyclesOf(components).some((ids) => ids.includes(one) && ids.includes(other));
}

/** Those of these tasks that are bolts. */
export function boltsOf({ components }: TopologyDescription, tasks: readonly TaskPlan[]): TaskPlan[] {
  const bolts = new Set(components.flatMap(({ id, kind }) => (kind === 'bolt' ? [id] : [])));
  return tasks.filter(({ component }) => bolts.has(component));
}
