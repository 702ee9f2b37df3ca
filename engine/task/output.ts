// Where the tuples of one stream of one task go: its subscriptions, each with a grouping of its own and a target for
// each task of the subscriber. Built once when the worker is wired; a target's channel is replaced when its worker is.

import type { Grouping } from '../grouping/grouping.js';
import type { OutboundChannel } from '../link/outbound-channel.js';
import type { BoltTask } from './bolt-task.js';
import type { Origin } from './task-tuple.js';

/** One task of a subscriber: on this worker (`local`), or behind a channel. */
export class Target {
  readonly task: number;
  readonly local: BoltTask | null;
  channel: OutboundChannel | null;

  constructor(task: number, local: BoltTask | null, channel: OutboundChannel | null) {
    this.task = task;
    this.local = local;
    this.channel = channel;
  }
}

export interface Subscription {
  readonly grouping: Grouping;
  readonly targets: readonly Target[];
}

export class Output {
  readonly origin: Origin;
  readonly arity: number;
  readonly subscriptions: readonly Subscription[];
  /** Tuples whose objects were walked so far. */
  checked = 0;

  constructor(origin: Origin, subscriptions: readonly Subscription[]) {
    this.origin = origin;
    this.arity = origin.fields.length;
    this.subscriptions = subscriptions;
  }
}
