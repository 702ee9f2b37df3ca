// What a task needs of the worker that runs it: bounds, time, edge ids, counters, and someone to tell of errors and
// ends. Implemented by worker/runtime.ts; all on the worker's thread.

import type { Clock } from '../clock.js';
import type { RuntimeLimits } from '../limits.js';
import type { Random } from '../random.js';
import type { Task } from './task.js';

export interface TaskHost {
  readonly topology: string;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  /** Draws edge ids. */
  readonly random: Random;
  /** The counters of all tasks; a task writes to its own row. */
  readonly counters: Float64Array;
  /** How many tasks are inside each other's calls now. */
  depth: number;
  /** Development: values are frozen and sent through the codec at each emit, wherever they go. */
  readonly strict: boolean;
  /** Has the task run a slice soon. */
  schedule(task: Task): void;
  /** Has `endBatch` of the task called before the acks of this turn leave. */
  scheduleCommit(task: Task): void;
  /** A call of user code threw. */
  reportError(task: Task, call: string, error: unknown): void;
  /** The task has handled all its input and passed the end on. */
  taskEnded(task: Task): void;
  /** A task of this worker has sent all that it had for that other task of this worker. */
  endLocal(sourceTask: number, target: Task): void;
  /** The revision of the wiring that end markers carry. */
  readonly revision: number;
}
