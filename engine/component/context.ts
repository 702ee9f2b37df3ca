// What a component is told about where it runs, and what it may ask for. One context a task, given to `open` or
// `prepare` and good until the task is closed. Pure types; the engine makes them in worker/contexts.ts.

import type { Logger } from '../log.js';
import type { ParameterValues } from '../model/parameters.js';
import type { Tuple } from './tuple.js';

/** A number that only grows. */
export interface Counter {
  /**
   * @param amount - 0 or more. Default 1
   * @throws MILLRACE_METRICS_VALUE
   */
  add(amount?: number): void;
}

/** A number that is set. */
export interface Gauge {
  /**
   * @param value - any finite number
   * @throws MILLRACE_METRICS_VALUE
   */
  set(value: number): void;
}

/** Numbers of which percentiles are told, right to 6 %: sizes, times, whatever. */
export interface UserHistogram {
  /**
   * @param value - from 0 up to 4 billion, to the thousandth; what is above counts as that
   * @throws MILLRACE_METRICS_VALUE
   */
  record(value: number): void;
}

/**
 * Metrics of a component's own, shown beside those of the engine by task and by component, for which those of its tasks
 * are added up. Ask once, in `open` or `prepare`; the same name gives the same metric. A name has letters, digits, `_`,
 * `-` and `.`, and begins with a letter: 64 characters at most, and 100 metrics a task, so that no key of the data
 * belongs into it.
 *
 * Each throws MILLRACE_METRICS_NAME, MILLRACE_METRICS_KIND when the name is that of another kind, and
 * MILLRACE_METRICS_TOO_MANY.
 */
export interface ComponentMetrics {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  histogram(name: string): UserHistogram;
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
  /**
   * The parameters that hold in this task now: those of the topology, and below them those of the cluster. They change
   * while it runs, so ask each time; a component that has to do something then implements `parametersChanged`.
   */
  readonly parameters: ParameterValues;
  readonly logger: Logger;
  readonly metrics: ComponentMetrics;
  /** Aborted when the task closes: give it to what should not outlive it. */
  readonly signal: AbortSignal;
  /**
   * The directory that files of this topology have to be in, because it was posted by somebody who has no other right
   * to this machine's files. Null or left out: anywhere.
   */
  readonly filesRoot?: string | null;
  /**
   * The numbers of the tasks of a component of this topology, in the order of their index: whom `emit.direct` may name.
   * They change when its parallelism does, so ask for each tuple, or each tick.
   *
   * @throws MILLRACE_TASK_UNKNOWN_COMPONENT
   */
  tasksOf(component: string): readonly number[];
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
