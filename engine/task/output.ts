// Where the tuples of one stream of one task go: its subscriptions, each with a grouping of its own and a target for
// each task of the subscriber. Built once when the worker is wired; a target's channel is replaced when its worker is,
// and its subscriptions when the tasks of a subscriber change. What waits to be sent keeps the output, not its targets.

import type { Root } from '../ack/root.js';
import { DEAD_LETTER } from '../component/dead-letter.js';
import type { Values } from '../component/tuple.js';
import { GlobalGrouping } from '../grouping/global.js';
import type { Grouping, GroupingTarget } from '../grouping/grouping.js';
import type { ChannelSender } from '../link/outbound-channel.js';
import { FeedbackEdge, type ChannelMaker } from './feedback-edge.js';
import type { Mailbox } from './mailbox.js';
import type { RunnableTask } from './task-host.js';
import type { Origin, TaskTuple } from './task-tuple.js';

/** A task of this worker that takes tuples: a bolt task. */
export interface LocalTask extends RunnableTask {
  /** 0 when it may take a tuple now. */
  readonly gate: number;
  readonly mailbox: Mailbox;
  /** After `take`: the XOR of the edges that the tuple leaves open in its tree. */
  readonly leftHi: number;
  readonly leftLo: number;
  /** Executes one tuple. */
  take(tuple: TaskTuple): void;
  /** Executes one tuple, and measures the call. */
  takeTimed(tuple: TaskTuple): void;
}

/** Where tuples wait that cannot be handed over directly: a channel to another worker, or an edge that leads back. */
export interface TargetWay {
  /** How much waits on it, as a share of what may: 1 and above holds the sender. */
  readonly fill: number;
  /** The thread at its end has no time to spare, as far as is known. */
  readonly saturated: boolean;
  push(values: Values, stream: number, root: Root | null, edgeHi: number, edgeLo: number, bytes: number): void;
  /** @param leaves - its sender is not part of the plan any more */
  pushEnd(revision: number, leaves: boolean): void;
  /** What is pushed from now on stands behind a hand-over marker. */
  pushMark(revision: number): void;
}

/** One task of a subscriber: on this worker (`local`), or by way of a channel or of a feedback edge. */
export class Target implements GroupingTarget {
  readonly task: number;
  readonly local: LocalTask | null;
  channel: TargetWay | null;
  /** It runs on this worker, also when only a feedback edge leads to it. */
  readonly isLocal: boolean;

  constructor(task: number, local: LocalTask | null, channel: TargetWay | null, isLocal = local !== null) {
    this.task = task;
    this.local = local;
    this.channel = channel;
    this.isLocal = isLocal;
  }

  get fill(): number {
    return this.local === null ? this.channel!.fill : this.local.mailbox.fill;
  }

  get saturated(): boolean {
    return this.local === null && this.channel!.saturated;
  }

  /** The worker of the target was replaced: a new link leads to it. */
  redirect(link: ChannelMaker, sender: ChannelSender & { readonly task: number }): void {
    if (this.channel instanceof FeedbackEdge) this.channel.redirect(link);
    else this.channel = link.channelTo(sender.task, this.task, sender);
  }
}

export interface Subscription {
  readonly grouping: Grouping;
  readonly targets: readonly Target[];
  /** The one target, when there is no other to choose; null else. */
  readonly only: Target | null;
}

export class Output {
  readonly origin: Origin;
  readonly arity: number;
  /** Its tuples hold the values of other tuples: they are dead letters. */
  readonly wraps: boolean;
  subscriptions: readonly Subscription[];
  /** The one target of the one subscription, when there is no choice at all; null else. */
  only: Target | null;
  /** Tuples whose objects were walked so far. */
  checked = 0;
  /**
   * Tuples that were emitted on it since the counts were told last. Of a stream with `only`, each is a delivery too.
   */
  emitted = 0;
  /** Deliveries since then; where there is `only`, by how many they differ from the emitted ones. */
  transferred = 0;

  constructor(origin: Origin, subscriptions: readonly Subscription[]) {
    this.origin = origin;
    this.arity = origin.fields.length;
    this.wraps = origin.stream === DEAD_LETTER;
    this.subscriptions = subscriptions;
    this.only = subscriptions.length === 1 ? subscriptions[0]!.only : null;
  }

  /** From now on tuples go there. */
  rewire(subscriptions: readonly Subscription[]): void {
    this.subscriptions = subscriptions;
    this.only = subscriptions.length === 1 ? subscriptions[0]!.only : null;
  }

  /** So many tuples that were emitted wait in their task, or fewer again. */
  keptBack(by: 1 | -1): void {
    if (this.only !== null) this.transferred -= by;
  }
}

/** A stream whose tuples go to the task that the emitter names: an output of its own leads to each task. */
export class DirectOutput {
  readonly origin: Origin;
  targets: readonly Target[];
  private readonly byTask = new Map<number, Output>();

  constructor(origin: Origin, targets: readonly Target[]) {
    this.origin = origin;
    this.targets = targets;
    for (const target of targets) this.byTask.set(target.task, new Output(origin, [onlyTo(target)]));
  }

  /**
   * The targets are others now. What waits to be sent to one that left goes to the task that took its place, or to one
   * of those that are left.
   */
  rewire(targets: readonly Target[], successors: ReadonlyMap<number, number>): void {
    this.targets = targets;
    const now = new Map(targets.map((target) => [target.task, target] as const));
    for (const [task, output] of this.byTask) {
      const there = now.get(task) ?? now.get(successors.get(task) ?? -1) ?? targets[task % targets.length]!;
      output.rewire([onlyTo(there)]);
      if (!now.has(task)) this.byTask.delete(task);
    }
    for (const target of targets) {
      if (!this.byTask.has(target.task)) this.byTask.set(target.task, new Output(this.origin, [onlyTo(target)]));
    }
  }

  /** Those that lead to a task each. */
  get outputs(): Iterable<Output> {
    return this.byTask.values();
  }

  /** What leads to that task; undefined when it does not take this stream. */
  to(task: number): Output | undefined {
    return this.byTask.get(task);
  }
}

function onlyTo(target: Target): Subscription {
  return { grouping: new GlobalGrouping(), targets: [target], only: target };
}
