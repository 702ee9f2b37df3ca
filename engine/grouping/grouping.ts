// The rule by which a stream's tuples are dealt to the tasks of a subscriber. One instance for each sending task and
// subscription, made of the targets that there are now; `select` runs once for each tuple and allocates nothing. A
// grouping answers with the index of a target, or with one of the answers below. Runs on the worker's thread.

import type { Values } from '../component/tuple.js';

/** Every task of the subscriber gets a tuple of its own. */
export const ALL = -1;
/** No task gets one. */
export const NOBODY = -2;
/** Those get one whose indexes stand in `chosen`. */
export const CHOSEN = -3;

export interface Grouping {
  select(values: Values): number;
  /** After `select` answered `CHOSEN`: indexes of targets. */
  readonly chosen?: readonly number[];
}

/** One task of the subscriber, as far as groupings look at it. */
export interface GroupingTarget {
  readonly task: number;
  /** It runs on the worker of the sender. */
  readonly isLocal: boolean;
  /** How much waits on the way to it, as a share of what may: 1 and above holds its senders. */
  readonly fill: number;
  /** It runs on another worker whose thread has no time to spare, as far as is known. */
  readonly saturated: boolean;
}

/** The worker of the sender. */
export interface SendingWorker {
  /** Its thread has had no time to spare for a while. */
  readonly saturated: boolean;
}
