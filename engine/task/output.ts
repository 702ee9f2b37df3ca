// Where the tuples of one stream of one task go: its subscriptions, each with a grouping of its own and a target for
// each task of the subscriber. Built once when the worker is wired; a target's channel is replaced when its worker is.

import type { Grouping } from '../grouping/grouping.js';
import type { OutboundChannel } from '../link/outbound-channel.js';
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

/** One task of a subscriber: on this worker (`local`), or behind a channel. */
export class Target {
  readonly task: number;
  readonly local: LocalTask | null;
  channel: OutboundChannel | null;

  constructor(task: number, local: LocalTask | null, channel: OutboundChannel | null) {
    this.task = task;
    this.local = local;
    this.channel = channel;
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
  readonly subscriptions: readonly Subscription[];
  /** The one target of the one subscription, when there is no choice at all; null else. */
  readonly only: Target | null;
  /** Tuples whose objects were walked so far. */
  checked = 0;

  constructor(origin: Origin, subscriptions: readonly Subscription[]) {
    this.origin = origin;
    this.arity = origin.fields.length;
    this.subscriptions = subscriptions;
    this.only = subscriptions.length === 1 ? subscriptions[0]!.only : null;
  }
}
