// Makes the tasks of one worker from the topology and its plan: an instance of the component, what it counts in, and
// the calls of its life. On the worker's thread.

import { Ledger } from '../ack/ledger.js';
import type { Bolt } from '../component/bolt.js';
import type { BoltContext, SpoutContext } from '../component/context.js';
import { isIngestSpout } from '../component/ingest-spout.js';
import { Spout } from '../component/spout.js';
import { countRestart, RESTARTS } from '../metrics/counters.js';
import type { CounterBlocks } from '../metrics/counter-blocks.js';
import { cyclesOf } from '../model/cycles.js';
import type { BoltDefinition, ComponentDefinition, SpoutDefinition, Topology } from '../model/definition.js';
import type { TaskPlan } from '../plan/plan.js';
import { CallTimes } from '../task/call-times.js';
import { boltTaskOf, spoutTaskOf } from '../task/copies.js';
import type { TaskSetup } from '../task/dealer.js';
import type { Task } from '../task/task.js';
import type { TaskHost } from '../task/task-host.js';
import { boltContext, spoutContext, type ContextHost, type TaskContext, type TaskParameters } from './contexts.js';
import { startError } from './error-reporter.js';
import type { Inlets } from './inlets.js';
import { LivingTask, type Instance } from './living-task.js';
import type { Pulse, Stage } from './supervision/pulse.js';
import { within } from './supervision/vitals.js';

export interface WiringOptions {
  readonly topology: Topology;
  /** The tasks of each component, by index. */
  readonly tasks: ReadonlyMap<string, readonly TaskPlan[]>;
  /** Tasks that are not in the plan any more and still send. */
  readonly leaving: readonly TaskPlan[];
  readonly incarnations: readonly number[];
  readonly counters: CounterBlocks;
  readonly taskHost: TaskHost;
  readonly contextHost: ContextHost;
  readonly inlets: Inlets;
  readonly pulse: Pulse;
}

/** The tasks of a component, by index. */
export function tasksOf({ tasks }: WiringOptions, component: string): readonly TaskPlan[] {
  return tasks.get(component) ?? [];
}

/**
 * Makes that task; its instance is constructed, nothing else is called yet.
 *
 * @param ended - there is nothing to do for it: the task whose place it takes had ended (spouts)
 * @throws MILLRACE_WORKER_START when the instance cannot be made
 */
export function makeTask(options: WiringOptions, plan: TaskPlan, ended = false): LivingTask {
  const definition = options.topology.components.find(({ id }) => id === plan.component)!;
  if (definition.kind === 'bolt') return makeBoltTask(options, definition, plan);
  return makeSpoutTask(options, definition, plan, ended ? new EndedSpout() : instanceOf(options, definition, plan));
}

/** Has nothing to emit. */
class EndedSpout extends Spout {
  nextTuple(): 'done' {
    return 'done';
  }
}

function setupOf(options: WiringOptions, plan: TaskPlan): TaskSetup {
  const { words, row } = options.counters.rowOf(plan.task);
  return {
    host: options.taskHost,
    task: plan.task,
    component: plan.component,
    incarnation: options.incarnations[plan.task]!,
    counters: words,
    row,
  };
}

function makeSpoutTask(options: WiringOptions, definition: SpoutDefinition, plan: TaskPlan, spout: Spout): LivingTask {
  const { topology } = options;
  const { config } = topology;
  const { limits, clock } = options.taskHost;
  const setup = setupOf(options, plan);
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
  const SpoutTask = spoutTaskOf(topology.components, definition);
  const task = new SpoutTask(setup, spout, ledger, config.tracking, timesOf(options, plan));
  return livingTask(options, definition, plan, {
    task,
    first: spout,
    make: () => instanceOf(options, definition, plan),
    prepareOf: (made, of) => {
      const context: SpoutContext = spoutContext(of, definition, () => task);
      return () => made.open?.(context);
    },
    // The records that it holds are its callers', and what they give it is not its fault.
    canRestart: !isIngestSpout(spout),
  });
}

function makeBoltTask(options: WiringOptions, definition: BoltDefinition, plan: TaskPlan): LivingTask {
  const setup = setupOf(options, plan);
  const bolt = instanceOf(options, definition, plan);
  // What comes from the same cycle ends with the cycle, not by markers.
  const together = cyclesOf(options.topology.components).find((ids) => ids.includes(definition.id)) ?? [];
  const outside = definition.inputs.filter((input) => !together.includes(input.from));
  const inputs = new Set(definition.inputs.map((input) => input.from));
  // Who leaves says so behind its last tuple, wherever it stands.
  const leaving = options.leaving.filter(({ component }) => inputs.has(component));
  const from = [...outside.flatMap((input) => tasksOf(options, input.from)), ...leaving];
  const sources = from.map(({ task }) => task);
  const takesFeedback = definition.inputs.some((input) => input.feedback === true);
  const place = { sources, takesFeedback, inCycle: together.length > 0 };
  const times = timesOf(options, plan);
  const BoltTask = boltTaskOf(options.topology.components, definition);
  const task = new BoltTask(setup, bolt, definition.behavior, place, times);
  return livingTask(options, definition, plan, {
    task,
    first: bolt,
    make: () => instanceOf(options, definition, plan),
    prepareOf: (made, of) => {
      const context: BoltContext = boltContext(of, definition, () => task);
      return () => made.prepare?.(context);
    },
    canRestart: true,
  });
}

/** How a task comes by the instances of its component. */
interface Instances<Made extends Spout | Bolt> {
  readonly task: Task & { replaceInstance(made: Made): void };
  readonly first: Made;
  readonly make: () => Made;
  readonly prepareOf: (made: Made, context: TaskContext) => Instance['prepare'];
  readonly canRestart: boolean;
}

function livingTask<Made extends Spout | Bolt>(
  options: WiringOptions,
  definition: ComponentDefinition,
  plan: TaskPlan,
  { task, first, make, prepareOf, canRestart }: Instances<Made>,
): LivingTask {
  const parameters: TaskParameters = { now: options.contextHost.parameters() };
  const instanceWith = (made: Made): Instance => {
    const context = contextOf(options, plan, task.incarnation, parameters);
    return {
      context,
      prepare: prepareOf(made, context),
      activate: () => made.activate?.(),
      deactivate: () => made.deactivate?.(),
      close: () => made.close?.(),
      parametersChanged: made.parametersChanged === undefined ? null : (values) => made.parametersChanged!(values),
    };
  };
  const renew = (): Instance => {
    const made = make();
    const { words, row } = options.counters.rowOf(plan.task);
    countRestart(words, row);
    task.replaceInstance(made);
    return instanceWith(made);
  };
  return new LivingTask({
    task,
    definition,
    className: first.constructor.name,
    instance: instanceWith(first),
    parameters,
    renew: canRestart ? renew : null,
    within: callsOf(options, plan),
  });
}

function timesOf({ taskHost, counters }: WiringOptions, { task }: TaskPlan): CallTimes {
  const calls = counters.histogram(task);
  const { words, row } = counters.rowOf(task);
  return new CallTimes({ host: taskHost, counters: words, row, calls, processing: counters.processing(task) });
}

/** Each instance has an incarnation of its own; links and trees know the one of its task in this worker. */
function contextOf(options: WiringOptions, plan: TaskPlan, ofTask: number, parameters: TaskParameters): TaskContext {
  const incarnation = ofTask + options.counters.read(plan.task, RESTARTS);
  const parallelism = tasksOf(options, plan.component).length;
  const closing = new AbortController();
  return { host: options.contextHost, plan, incarnation, parallelism, closing, isReplaced: false, parameters };
}

/** Calls of a task's life, which the supervisor sees while they run. */
function callsOf({ pulse }: WiringOptions, { task }: TaskPlan) {
  return async (stage: Stage, call: () => void | Promise<void>): Promise<void> =>
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
