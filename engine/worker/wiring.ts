// Makes the tasks of one worker from the topology and its plan, and connects them: each output knows its targets, on
// this worker by reference, on others through a channel of the link that leads there.

import { Ledger } from '../ack/ledger.js';
import type { BoltContext, SpoutContext } from '../component/context.js';
import { createGrouping, leavesNoChoice } from '../grouping/create.js';
import type { Link } from '../link/link.js';
import type { Counters } from '../metrics/counters.js';
import { cyclesOf } from '../model/cycles.js';
import type {
  BoltDefinition,
  ComponentDefinition,
  InputDefinition,
  SpoutDefinition,
  Topology,
} from '../model/definition.js';
import { tasksOf, type Plan, type TaskPlan } from '../plan/plan.js';
import { CallTimes } from '../task/call-times.js';
import { BoltTask } from '../task/bolt-task.js';
import { FeedbackEdge } from '../task/feedback-edge.js';
import { DirectOutput, Output, Target, type Subscription } from '../task/output.js';
import { SpoutTask } from '../task/spout-task.js';
import type { TaskHost } from '../task/task-host.js';
import type { Task } from '../task/task.js';
import { Origin } from '../task/task-tuple.js';
import { boltContext, spoutContext, type ContextHost } from './contexts.js';
import { startError } from './error-reporter.js';
import type { Inlets } from './inlets.js';
import type { Pulse, Stage } from './supervision/pulse.js';
import { within } from './supervision/vitals.js';

/** A task of this worker with the calls of its life. */
export interface LivingTask {
  readonly task: Task;
  readonly definition: ComponentDefinition;
  /** What its instance is an instance of. */
  readonly className: string;
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
  readonly pulse: Pulse;
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
  const spout = instanceOf(options, definition, plan);
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
  const within = callsOf(options, plan);
  const context: SpoutContext = spoutContext(options.contextHost, definition, plan, setup.incarnation, () => task);
  return {
    task,
    definition,
    className: spout.constructor.name,
    prepare: within('open', () => spout.open?.(context)),
    activate: within('activate', () => spout.activate?.()),
    deactivate: within('deactivate', () => spout.deactivate?.()),
    close: within('close', () => spout.close?.()),
  };
}

function makeBoltTask(options: WiringOptions, definition: BoltDefinition, plan: TaskPlan): LivingTask {
  const setup = setupOf(options, plan);
  const bolt = instanceOf(options, definition, plan);
  // What comes from the same cycle ends with the cycle, not by markers.
  const together = cyclesOf(options.topology.components).find((ids) => ids.includes(definition.id)) ?? [];
  const outside = definition.inputs.filter((input) => !together.includes(input.from));
  const sources = outside.flatMap((input) => tasksOf(options.plan, input.from).map((source) => source.task));
  const takesFeedback = definition.inputs.some((input) => input.feedback === true);
  const place = { sources, takesFeedback, inCycle: together.length > 0 };
  const times = timesOf(options, plan);
  const task = new BoltTask(setup, bolt, definition.behavior, place, times);
  const within = callsOf(options, plan);
  const context: BoltContext = boltContext(options.contextHost, definition, plan, setup.incarnation, () => task);
  return {
    task,
    definition,
    className: bolt.constructor.name,
    prepare: within('prepare', () => bolt.prepare?.(context)),
    activate: within('activate', () => bolt.activate?.()),
    deactivate: within('deactivate', () => bolt.deactivate?.()),
    close: within('close', () => bolt.close?.()),
  };
}

function timesOf({ taskHost, counters }: WiringOptions, { task }: TaskPlan): CallTimes {
  const calls = counters.histogram(task);
  return new CallTimes({ host: taskHost, row: counters.row(task), calls, processing: counters.processing(task) });
}

/** Calls of a task's life, which the supervisor sees while they run. */
function callsOf({ pulse }: WiringOptions, { task }: TaskPlan) {
  return (stage: Stage, call: () => void | Promise<void>) => async (): Promise<void> =>
    await within(pulse, stage, task, call);
}

/** A fresh instance of a component; the error of one that cannot be made says which. */
function instanceOf<T extends SpoutDefinition | BoltDefinition>(
  { pulse }: WiringOptions,
  definition: T,
  { task }: TaskPlan,
): ReturnType<T['create']> {
  try {
    return within(pulse, 'constructor', task, () => definition.create(definition.config)) as ReturnType<T['create']>;
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
    if (task !== undefined) connectTask({ options, tasks, linkTo, task, plan });
  }
}

/** One task that is being connected. */
interface Connecting {
  readonly options: WiringOptions;
  readonly tasks: ReadonlyMap<number, Task>;
  readonly linkTo: (worker: number) => Link;
  readonly task: Task;
  readonly plan: TaskPlan;
}

function connectTask(connecting: Connecting): void {
  const { options, task, plan } = connecting;
  const definition = options.topology.components.find((component) => component.id === plan.component)!;
  const outputs = new Map<string, Output | DirectOutput>();
  Object.entries(definition.outputs).forEach(([stream, fields], streamIndex) => {
    const origin = new Origin(definition.id, stream, streamIndex, plan.task, fields, null);
    const subscribed = subscribersOf(options.topology, definition.id, stream).map(
      ([bolt, input]) => [bolt, input, targetsOf(connecting, origin, bolt, input)] as const,
    );
    if (definition.directStreams?.includes(stream) === true) {
      const targets = subscribed.flatMap(([, , each]) => each);
      outputs.set(stream, new DirectOutput(origin, targets));
      return;
    }
    const subscriptions = subscribed.map(([bolt, input, targets]): Subscription => {
      const { keyGroups } = options.topology.config;
      const worker = options.taskHost;
      const context = { fields, targets, subscriber: bolt.id, senderIndex: plan.index, worker, keyGroups };
      const only = leavesNoChoice(input, targets.length) ? targets[0]! : null;
      return { grouping: createGrouping(input, context), targets, only };
    });
    outputs.set(stream, new Output(origin, subscriptions));
  });
  task.wire(outputs);
}

function subscribersOf(
  topology: Topology,
  source: string,
  stream: string,
): (readonly [bolt: BoltDefinition, input: InputDefinition])[] {
  return topology.components.flatMap((component) => {
    if (component.kind !== 'bolt') return [];
    const inputs = component.inputs.filter((input) => input.from === source && input.stream === stream);
    return inputs.map((input) => [component, input] as const);
  });
}

function targetsOf(
  connecting: Connecting,
  origin: Origin,
  bolt: BoltDefinition,
  input: InputDefinition,
): readonly Target[] {
  const { options, tasks, linkTo, task } = connecting;
  return tasksOf(options.plan, bolt.id).map((target) => {
    const here = tasks.get(target.task);
    const local = here instanceof BoltTask ? here : null;
    if (input.feedback === true) {
      const { overflow = 'fail' } = input;
      const row = options.counters.row(task.task);
      const setup = { host: options.taskHost, origin, row, target, overflow };
      const edge = new FeedbackEdge(setup, local ?? linkTo(target.worker));
      return new Target(target.task, null, edge, local !== null);
    }
    if (local !== null) return new Target(target.task, local, null);
    return new Target(target.task, null, linkTo(target.worker).channelTo(task.task, target.task, task));
  });
}
