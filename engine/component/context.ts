// What a component is told about where it runs, and what it may ask for. One context a task, given to `open` or
// `prepare` and good until the task is closed. Pure types; the engine makes them in worker/contexts.ts.

import type { Logger } from '../log.js';
import type { Tuple } from './tuple.js';

/** A number that only grows, summed over the tasks of a component. */
export interface Counter {
  add(amount?: number): void;
}

/** A number that is set, shown for each task. */
export interface Gauge {
  set(value: number): void;
}

export interface ComponentMetrics {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
}

export interface ComponentContext {
  readonly topology: string;
  /** The id of this component. */
  readonly component: string;
  /** The number of this task, one of its own in the whole topology. */
  readonly task: number;
  /** Which task of its component this is: 0 to `parallelism - 1`. */
  readonly index: number;
  readonly parallelism: number;
  /** Counts up each time this task is started again or moved. */
  readonly incarnation: number;
  /** The settings of this component. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  readonly metrics: ComponentMetrics;
  /** Aborted when the task closes: give it to what should not outlive it. */
  readonly signal: AbortSignal;
  /**
   * The directory that files of this topology have to be in, because it was posted by somebody who has no other right
   * to this machine's files. Null or left out: anywhere.
   */
  readonly filesRoot?: string | null;
  /** Milliseconds of monotonic time; virtual in tests. */
  now(): number;
  /**
   * Prints one line to the standard output of the process that runs the topology. Resolves when it is written: await it
   * before printing thousands more.
   */
  print(line: string): Promise<void>;
}

export interface SpoutContext extends ComponentContext {
  /**
   * Keeps the progress of a partition (plain data, at most 1 kB packed): what a restarted spout goes on from. Give the
   * offset below which everything is acked, see `AckedOffsets`. Undefined forgets the partition.
   *
   * @throws MILLRACE_TASK_CHECKPOINT_TOO_LARGE
   */
  checkpoint(partition: string, progress: unknown): void;
  /** What was last kept for that partition, or undefined. */
  restored(partition: string): unknown;
  /** Has `nextTuple` called soon, when it had nothing to emit before. */
  wake(): void;
}

export interface BoltContext extends ComponentContext {
  /** With `manualAck`: this tuple is done, as far as this bolt is concerned. */
  ack(tuple: Tuple): void;
  /** With `manualAck`: this tuple failed; its spout is told. */
  fail(tuple: Tuple, reason?: unknown): void;
  /** With `manualAck`: gives the tree of this tuple its whole timeout again. */
  resetTimeout(tuple: Tuple): void;
}
