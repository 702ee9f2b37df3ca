// Makes the tasks of one worker from the topology and its plan, and connects them: each output knows its targets, on
// this worker by reference, on others through a channel of the link that leads there.

import { Ledger } from '../ack/ledger.js';
import type { BoltContext, SpoutContext } from '../component/context.js';
import { createGrouping } from '../grouping/create.js';
import type { Link } from '../link/link.js';
import type { Counters } from '../metrics/counters.js';
import type { BoltDefinition, ComponentDefinition, SpoutDefinition, Topology } from '../model/definition.js';
import { tasksOf, type Plan, type TaskPlan } from '../plan/plan.js';
import { CallTimes } from '../task/call-times.js';
import { BoltTask } from '../task/bolt-task.js';
import { Output, Target, type Subscription } from '../task/output.js';
import { SpoutTask } from '../task/spout-task.js';
import type { TaskHost } from '../task/task-host.js';
import type { Task } from '../task/task.js';
import { Origin } from '../task/task-tuple.js';
import { boltContext, spoutContext, type ContextHost } from './contexts.js';
import { startError } from './error-reporter.js';
import type { Inlets } from './inlets.js';

/** A task of this worker with the calls of its life. */
export interface LivingTask {
  readonly task: Task;
  readonly definition: ComponentDefinition;
  prepare(): Promise<void>;
  activate(): Promise<void>;
  deactivate(): Promise<void>;
  close(): Promise<void>;
}

export interface WiringOptions {
  readonly topology: Topology;
  readonly plan: Plan;
  readonly worker: number;
  readonly incarnations: readonly number[];
  readonly counters: Counters;
  readonly taskHost: TaskHost;
  readonly contextHost: ContextHost;
  readonly inlets: Inlets;
}

/** Makes the tasks of that worker; their instances are constructed, nothing else is called yet. */
export function makeTasks(options: WiringOptions): LivingTask[] {
  const { topology, plan, worker } = options;
  const own = plan.tasks.filter((task) => task.worker === worker);
  const definitions = new Map(topology.components.map((component) => [component.id, component]));
  return own.map((taskPlan) => {
    const definition = definitions.get(taskPlan.component)!;
    return definition.kind === 'spout'
      ? makeSpoutTask(options, definition, taskPlan)
      : makeBoltTask(options, definition, taskPlan);
  });
}

function setupOf(options: WiringOptions, plan: TaskPlan): ConstructorParameters<typeof BoltTask>[0] {
  return {
    host: options.taskHost,
    task: plan.task,
    component: plan.component,
    incarnation: options.incarnations[plan.task]!,
    row: options.counters.row(plan.task),
  };
}

function makeSpoutTask(options: WiringOptions, definition: SpoutDefinition, plan: TaskPlan): LivingTask {
  const { config } = options.topology;
  const { limits, clock } = options.taskHost;
  const setup = setupOf(options, plan);
  const spout = instanceOf(definition);
  options.inlets.open(plan.task, spout);
  const ledger = new Ledger({
    spoutTask: plan.task,
    incarnation: setup.incarnation,
    timeoutMs: config.messageTimeoutMs,
    openRootsMax: Math.min(config.maxSpoutPending ?? Infinity, limits.openRootsMax),
    sparseRootsMax: limits.sparseRootsMax,
    now: () => clock.now(),
    latency: options.counters.histogram(plan.task),
  });
  const task = new SpoutTask(setup, spout, ledger, config.tracking, timesOf(options, plan));
  const context: SpoutContext = spoutContext(options.contextHost, definition, plan, setup.incarnation, () => task);
  return {
    task,
    definition,
    prepare: async () => spout.open?.(context),
    activate: async () => spout.activate?.(),
    deactivate: async () => spout.deactivate?.(),
    close: async () => spout.close?.(),
  };
}

function makeBoltTask(options: WiringOptions, definition: BoltDefinition, plan: TaskPlan): LivingTask {
  const setup = setupOf(options, plan);
  const bolt = instanceOf(definition);
  const sources = definition.inputs.flatMap((input) => tasksOf(options.plan, input.from).map((source) => source.task));
  const task = new BoltTask(setup, bolt, definition.behavior, sources, timesOf(options, plan));
  const context: BoltContext = boltContext(options.contextHost, definition, plan, setup.incarnation, () => task);
  return {
    task,
    definition,
    prepare: async () => bolt.prepare?.(context),
    activate: async () => bolt.activate?.(),
    deactivate: async () => bolt.deactivate?.(),
    close: async () => bolt.close?.(),
  };
}

function timesOf({ taskHost, counters }: WiringOptions, { task }: TaskPlan): CallTimes {
  const calls = counters.histogram(task);
  return new CallTimes({ host: taskHost, row: counters.row(task), calls, processing: counters.processing(task) });
}

/** A fresh instance of a component; the error of one that cannot be made says which. */
function instanceOf<T extends SpoutDefinition | BoltDefinition>(definition: T): ReturnType<T['create']> {
  try {
    return definition.create(definition.config) as ReturnType<T['create']>;
  } catch (error) {
    throw startError('constructor', definition.id, error);
  }
}

/** Gives every task of the worker its outputs. */
export function connect(
  options: WiringOptions,
  tasks: ReadonlyMap<number, Task>,
  linkTo: (worker: number) => Link,
): void {
  for (const plan of options.plan.tasks) {
    const task = tasks.get(plan.task);
    if (task === undefined) continue;
    const definition = options.topology.components.find((component) => component.id === plan.component)!;
    const outputs = Object.entries(definition.outputs).map(([stream, fields], streamIndex) => {
      const origin = new Origin(definition.id, stream, streamIndex, plan.task, fields, null);
      const subscriptions = subscriptionsOf(options, definition, stream, plan).map((each) => {
        const targets = each.targets.map((target) => makeTarget(task, target, tasks, linkTo));
        return { grouping: each.grouping, targets, only: targets.length === 1 ? targets[0]! : null };
      });
      return [stream, new Output(origin, subscriptions)] as const;
    });
    task.wire(new Map(outputs));
  }
}

function subscriptionsOf(
  options: WiringOptions,
  source: ComponentDefinition,
  stream: string,
  sender: TaskPlan,
): { readonly grouping: Subscription['grouping']; readonly targets: readonly TaskPlan[] }[] {
  const { topology, plan } = options;
  return topology.components.flatMap((component) => {
    if (component.kind !== 'bolt') return [];
    return component.inputs
      .filter((input) => input.from === source.id && input.stream === stream)
      .map((input) => ({
        targets: tasksOf(plan, component.id),
        grouping: createGrouping(input, {
          fields: source.outputs[stream]!,
          targets: component.parallelism,
          senderIndex: sender.index,
          keyGroups: topology.config.keyGroups,
        }),
      }));
  });
}

function makeTarget(
  sender: Task,
  target: TaskPlan,
  tasks: ReadonlyMap<number, Task>,
  linkTo: (worker: number) => Link,
): Target {
  const local = tasks.get(target.task);
  if (local instanceof BoltTask) return new Target(target.task, local, null);
  return new Target(target.task, null, linkTo(target.worker).channelTo(sender.task, target.task, sender));
}
