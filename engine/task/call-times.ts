// Measures how long calls of user code take: each of the first ones, then one in 1,024, and one at the begin of a slice
// when none was measured for 10 ms, so that the others cost one test of a counter. An asynchronous call is measured
// until it has settled, and so is a tuple that is held for longer. On the worker's thread.
//
//   call that is measured ─► direct call inside of it ─► ...      each of them is measured then (`TIMED_DEPTH`)
//   |······· own ········|── nested ──|···· own ·····|       latency = all of it; own time = without the nested one
//
// Own times say how the time of a worker's turns is to be dealt to its tasks.

import type { Clock } from '../clock.js';
import { HELD_TIMED_MAX } from '../limits.js';
import { SAMPLED_CALLS, SAMPLED_MS } from '../metrics/counters.js';
import type { Histogram } from '../metrics/histogram.js';
import type { EmitCall } from './emit-call.js';
import { TIMED_DEPTH, type TaskHost } from './task-host.js';
import { PENDING, type Held, type TaskTuple } from './task-tuple.js';

/** So many calls are measured one by one; after them one in so many. */
const TIMED_FIRST = 256;
const TIMED_EVERY = 1024;
/** Emits after an `await`, which cost far more themselves. */
const TIMED_OUTSIDE_EVERY = 64;
/** A call is measured when none was for so long. */
const TIMED_AFTER_MS = 10;

/** A task whose calls are measured. */
export interface TimedTask {
  /** Counts calls of tuples that had to wait down to the next one that is measured. */
  untilTimed: number;
  take(tuple: TaskTuple): void;
}

export interface CallTimesOptions {
  readonly host: Pick<TaskHost, 'clock' | 'callStack' | 'nestedMs'>;
  /** Where the task counts, and where its row starts in there. */
  readonly counters: Float64Array;
  readonly row: number;
  /** Takes the times of its calls. */
  readonly calls: Histogram;
  /** Takes the times until tuples that outlived their calls were settled. */
  readonly processing: Histogram;
}

export class CallTimes {
  private readonly host: CallTimesOptions['host'];
  private readonly clock: Clock;
  private readonly counters: Float64Array;
  private readonly row: number;
  private readonly calls: Histogram;
  private readonly processing: Histogram;
  private readonly held = new Map<Held, number>();
  private timed = 0;
  private timedOutside = 0;
  private untilOutside = 1;
  private startMs = 0;
  private dueMs = 0;
  private outerNestedMs = 0;
  private isOutermost = false;

  constructor({ host, counters, row, calls, processing }: CallTimesOptions) {
    this.host = host;
    this.clock = host.clock;
    this.counters = counters;
    this.row = row;
    this.calls = calls;
    this.processing = processing;
  }

  /**
   * Something is emitted outside of every turn: now and then, what it calls directly is measured. Then `closeOutside`.
   */
  openOutside(): boolean {
    if (--this.untilOutside > 0 || this.host.callStack[0]! > 0) return false;
    this.untilOutside = this.timedOutside++ < TIMED_FIRST ? 1 : TIMED_OUTSIDE_EVERY;
    this.host.callStack[0]! += TIMED_DEPTH;
    return true;
  }

  closeOutside(): void {
    this.host.callStack[0]! -= TIMED_DEPTH;
    this.host.nestedMs = 0;
  }

  /** None was measured for so long that the next one should be. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.dueMs;
  }

  /** How many calls from now the next one is measured. */
  nextSample(): number {
    return this.timed++ < TIMED_FIRST ? 1 : TIMED_EVERY;
  }

  /** Has the task take that tuple, and measures it. */
  take(task: TimedTask, call: EmitCall, tuple: TaskTuple): void {
    task.untilTimed = this.nextSample();
    this.begin();
    const { startMs } = this;
    task.take(tuple);
    const tookMs = this.end();
    // One that is still open is asynchronous.
    if (call.open) call.timedFromMs = startMs;
    else this.calls.record(tookMs);
    const { held } = tuple;
    if (held === null || held.state !== PENDING) return;
    if (this.held.size >= HELD_TIMED_MAX) this.forgetOldest();
    held.timed = true;
    this.held.set(held, startMs);
  }

  /** A call begins; a task is never inside of two. */
  begin(): void {
    const { host } = this;
    this.outerNestedMs = host.nestedMs;
    host.nestedMs = 0;
    this.isOutermost = host.callStack[0]! < TIMED_DEPTH;
    if (this.isOutermost) host.callStack[0]! += TIMED_DEPTH;
    this.startMs = this.clock.now();
    this.dueMs = this.startMs + TIMED_AFTER_MS;
  }

  /** It has ended, or what it did synchronously: gives how long that took. */
  end(): number {
    const { host } = this;
    const tookMs = this.clock.now() - this.startMs;
    this.counters[this.row + SAMPLED_CALLS]!++;
    this.counters[this.row + SAMPLED_MS]! += tookMs - host.nestedMs;
    if (this.isOutermost) host.callStack[0]! -= TIMED_DEPTH;
    host.nestedMs = this.isOutermost ? 0 : this.outerNestedMs + tookMs;
    return tookMs;
  }

  /** An asynchronous call has settled. */
  settled(call: EmitCall): void {
    if (call.timedFromMs !== null) this.calls.record(this.clock.now() - call.timedFromMs);
  }

  /** One that nobody settles must not keep others from being measured. */
  private forgetOldest(): void {
    const [oldest] = this.held.keys();
    if (oldest === undefined) return;
    oldest.timed = false;
    this.held.delete(oldest);
  }

  /** A tuple that outlived its call is settled. */
  processed(held: Held): void {
    held.timed = false;
    const startMs = this.held.get(held);
    if (startMs === undefined) return;
    this.held.delete(held);
    this.processing.record(this.clock.now() - startMs);
  }
}
