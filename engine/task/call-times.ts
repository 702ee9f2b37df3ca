// Measures how long calls of a bolt's `execute` take: each of the first ones, then one in 64, so that the others cost
// one test of a counter. Where a tuple is handed directly to the next bolt, its call is inside of the one that is
// measured. An asynchronous call is measured until it has settled. On the worker's thread.

import type { Clock } from '../clock.js';
import type { Histogram } from '../metrics/histogram.js';
import type { EmitCall } from './emit-call.js';
import type { TaskTuple } from './task-tuple.js';

/** So many calls are measured one by one; after them one in so many. */
const TIMED_FIRST = 256;
const TIMED_EVERY = 64;

/** A task whose calls are measured. */
export interface TimedTask {
  /** Counts calls down to the next one that is measured. */
  untilTimed: number;
  take(tuple: TaskTuple): void;
}

export class CallTimes {
  private readonly clock: Clock;
  private readonly histogram: Histogram;
  private timed = 0;

  constructor(clock: Clock, histogram: Histogram) {
    this.clock = clock;
    this.histogram = histogram;
  }

  /** Has the task take that tuple, and measures it. */
  take(task: TimedTask, call: EmitCall, tuple: TaskTuple): void {
    task.untilTimed = 1 + (this.timed < TIMED_FIRST ? 1 : TIMED_EVERY);
    this.timed++;
    const startMs = this.clock.now();
    task.take(tuple);
    // One that is still open is asynchronous.
    if (call.open) call.timedFromMs = startMs;
    else this.histogram.record(this.clock.now() - startMs);
  }

  /** An asynchronous call has settled. */
  settled(call: EmitCall): void {
    if (call.timedFromMs !== null) this.histogram.record(this.clock.now() - call.timedFromMs);
  }
}
