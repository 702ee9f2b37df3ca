// What a task needs of the worker that runs it: bounds, time, edge ids, counters, and someone to tell of errors and
// ends. Implemented by worker/runtime.ts; all on the worker's thread.

import type { Clock } from '../clock.js';
import type { RuntimeLimits } from '../limits.js';
import type { Random } from '../random.js';

/** In the place of a task while none runs. */
export const NO_TASK = -1;

/** A task as its worker runs it. */
export interface RunnableTask {
  readonly task: number;
  /** It stands in the worker's queue of tasks to run. */
  scheduled: boolean;
  /** It stands among those whose batch is to be committed. */
  commitScheduled: boolean;
  /** Runs one slice of what there is to do. */
  run(): void;
  /** The tuples of a slice have been executed; makes their acks leave. */
  commit(): void;
}

/** What an error is reported for. */
export interface ReportingTask {
  readonly task: number;
  readonly component: string;
}

/**
 * Added to the depth while a call is measured: above every bound, so that each direct call inside of it goes the slow
 * way, where it is measured too, and the way of all others costs nothing.
 */
export const TIMED_DEPTH = 1 << 20;

export interface TaskHost {
  readonly topology: string;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  /** Draws edge ids. */
  readonly random: Random;
  /** Its thread has had no time to spare for a while. */
  readonly saturated: boolean;
  /**
   * How many tasks are inside each other's calls, `TIMED_DEPTH` more inside of a call that is measured; then which:
   * their supervisor sees them (worker/supervision/pulse.ts).
   */
  readonly callStack: Int32Array;
  /** Inside of a call that is measured: the time of the calls that it made directly. */
  nestedMs: number;
  /** Development: values are frozen and sent through the codec at each emit, wherever they go. */
  readonly strict: boolean;
  /** Has the task run a slice soon. */
  schedule(task: RunnableTask): void;
  /** Has `endBatch` of the task called before the acks of this turn leave. */
  scheduleCommit(task: RunnableTask): void;
  /** A call of user code threw. */
  reportError(task: ReportingTask, call: string, error: unknown): void;
  /** The task has handled all its input and passed the end on. */
  taskEnded(task: ReportingTask): void;
  /** A task of the old plan has let go of what it owned; one that is not in the new plan can be closed. */
  letGo(task: ReportingTask, leaves: boolean): void;
  /** A task of this worker has sent all that it had for that other task of this worker. */
  endLocal(sourceTask: number, target: { readonly task: number }): void;
  /** The revision of the wiring that end markers carry. */
  readonly revision: number;
}
