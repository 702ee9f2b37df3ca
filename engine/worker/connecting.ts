// Connects the tasks of one worker: each output knows its targets, on this worker by reference, on others through a
// channel of the link that leads there, or through a feedback edge. When the plan changes, a task is connected anew
// with those components whose tasks are others; for the rest everything stays as it is. On the worker's thread.

import { createGrouping, leavesNoChoice } from '../grouping/create.js';
import type { Link } from '../link/link.js';
import type { BoltDefinition, ComponentDefinition, InputDefinition, Topology } from '../model/definition.js';
import type { TaskPlan } from '../plan/plan.js';
import { isBolt } from '../task/copies.js';
import { FeedbackEdge } from '../task/feedback-edge.js';
import { DirectOutput, Output, Target, type Subscription } from '../task/output.js';
import type { Task } from '../task/task.js';
import { Origin } from '../task/task-tuple.js';
import { tasksOf, type WiringOptions } from './wiring.js';

/** One task that is being connected. */
export interface Connecting {
  readonly options: WiringOptions;
  /** Those of this worker. */
  readonly tasks: ReadonlyMap<number, Task>;
  readonly linkTo: (worker: number) => Link;
  readonly task: Task;
  readonly plan: TaskPlan;
}

/** Gives a task its outputs. */
export function connect(connecting: Connecting): void {
  const { options, task, plan } = connecting;
  const definition = definitionOf(connecting);
  const outputs = new Map<string, Output | DirectOutput>();
  Object.entries(definition.outputs).forEach(([stream, fields], streamIndex) => {
    const origin = new Origin(definition.id, stream, streamIndex, plan.task, fields, null);
    const subscribers = subscribersOf(options.topology, definition.id, stream);
    if (definition.directStreams?.includes(stream) === true) {
      outputs.set(stream, new DirectOutput(origin, directTargets(connecting, origin, subscribers)));
      return;
    }
    const subscriptions = subscribers.map((each) => subscribe(connecting, origin, each));
    outputs.set(stream, new Output(origin, subscriptions));
  });
  task.wire(outputs);
}

/** The tasks of some components are others now. */
export interface Reconnecting extends Connecting {
  readonly changed: ReadonlySet<string>;
  /** The task that takes the place of one that leaves, if one does. */
  readonly successors: ReadonlyMap<number, number>;
}

/** Has a task send by the new plan. */
export function reconnect(reconnecting: Reconnecting): void {
  const { options, task, changed, successors } = reconnecting;
  const definition = definitionOf(reconnecting);
  for (const stream of Object.keys(definition.outputs)) {
    const subscribers = subscribersOf(options.topology, definition.id, stream);
    if (!subscribers.some(([bolt]) => changed.has(bolt.id))) continue;
    const direct = task.direct(stream);
    if (direct !== undefined) {
      direct.rewire(directTargets(reconnecting, direct.origin, subscribers), successors);
      continue;
    }
    const output = task.output(stream)!;
    const { subscriptions, origin } = output;
    output.rewire(
      subscribers.map((each, at) =>
        changed.has(each[0].id) ? subscribe(reconnecting, origin, each) : subscriptions[at]!,
      ),
    );
  }
  task.rewired();
}

function definitionOf({ options, plan }: Connecting): ComponentDefinition {
  return options.topology.components.find(({ id }) => id === plan.component)!;
}

type Subscriber = readonly [bolt: BoltDefinition, input: InputDefinition];

/** Of one stream, always in the same order. */
function subscribersOf(topology: Topology, source: string, stream: string): Subscriber[] {
  return topology.components.flatMap((component) => {
    if (component.kind !== 'bolt') return [];
    const inputs = component.inputs.filter((input) => input.from === source && input.stream === stream);
    return inputs.map((input) => [component, input] as const);
  });
}

function subscribe(connecting: Connecting, origin: Origin, [bolt, input]: Subscriber): Subscription {
  const { options, plan } = connecting;
  const targets = targetsOf(connecting, origin, bolt, input);
  const { keyGroups } = options.topology.config;
  const context = {
    fields: origin.fields,
    targets,
    subscriber: bolt.id,
    senderIndex: plan.index,
    worker: options.taskHost,
    keyGroups,
  };
  const only = leavesNoChoice(input, targets.length) ? targets[0]! : null;
  return { grouping: createGrouping(input, context), targets, only };
}

function directTargets(connecting: Connecting, origin: Origin, subscribers: readonly Subscriber[]): readonly Target[] {
  return subscribers.flatMap(([bolt, input]) => targetsOf(connecting, origin, bolt, input));
}

function targetsOf(
  connecting: Connecting,
  origin: Origin,
  bolt: BoltDefinition,
  input: InputDefinition,
): readonly Target[] {
  const { options, tasks, linkTo, task } = connecting;
  return tasksOf(options, bolt.id).map((target) => {
    const here = tasks.get(target.task);
    const local = isBolt(here) ? here : null;
    if (input.feedback === true) {
      const { overflow = 'fail' } = input;
      const setup = { host: options.taskHost, counts: options.counters.rowOf(task.task), origin, target, overflow };
      const edge = new FeedbackEdge(setup, local ?? linkTo(target.worker));
      return new Target(target.task, null, edge, local !== null);
    }
    if (local !== null) return new Target(target.task, local, null);
    return new Target(target.task, null, linkTo(target.worker).channelTo(task.task, target.task, task));
  });
}
