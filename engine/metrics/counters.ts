// Counters of all tasks of a topology in one piece of shared memory: workers write their tasks' rows, the main thread
// reads at any moment, also when a worker spins, and a row outlives the worker that wrote it. One writer a row.
//
//   | task 0: emitted executed acked failed … 48 words | task 1 | … | two histograms a task | each worker: beats busy |
//
// A row is three cache lines of its own, so that workers never write to the same one. What only grows is never reset; a
// gauge is set back when its task is made anew (`begin`).

import { Histogram } from './histogram.js';

export const EMITTED = 0;
export const EXECUTED = 1;
export const ACKED = 2;
export const FAILED = 3;
/** Trees open now (spouts). */
export const OPEN_TREES = 4;
/** Tuples waiting in the mailbox at the end of the last slice; of a spout, those that wait unsent. */
export const QUEUED = 5;
/** Tuples waiting in outboxes for credit at the end of the last flush. */
export const OUTBOX = 6;
/** Acks, fails and tuples that named a tree or an incarnation that is over. */
export const STALE = 7;
/** Acking twice, or after failing; emitting after the call had ended. */
export const MISUSED = 8;
/** Errors thrown by user code. */
export const ERRORS = 9;
/** Deliveries: a tuple that goes to n tasks counts n. */
export const TRANSFERRED = 10;
/** Acks and fails by hand of a tuple that was settled before. Part of `MISUSED`. */
export const DUPLICATES = 11;
/** How often the task was started: once, and again each time its worker was replaced or it was restarted in place. */
export const STARTS = 12;
/** How often a full target made it rest. */
export const STALLS = 13;
/** Milliseconds that it rested because of full targets, in stalls that are over. */
export const STALLED_MS = 14;
/** When the stall began that lasts; holds only while `BLOCKED_BY` is not 0. */
export const STALLED_SINCE = 15;
/** The number of the task that is full now, plus 1; 0: none is. */
export const BLOCKED_BY = 16;
/** The number of the task that was full last, plus 1; 0: none ever was. */
export const LAST_BLOCKED_BY = 17;
/** How often a spout could open no further tree. */
export const ACK_WAITS = 18;
/** Milliseconds that it could not, in waits that are over. */
export const ACK_WAITED_MS = 19;
/** When the wait began that lasts; holds only while `WAITING_FOR_ACKS` is 1. */
export const ACK_WAIT_SINCE = 20;
/** 1 while a spout can open no further tree. */
export const WAITING_FOR_ACKS = 21;
/** Asynchronous calls that are under way. */
export const CALLS = 22;
/** How full the mailbox was at the end of the last slice: at 1 its senders rest. */
export const QUEUE_FILL = 23;
/** Bytes waiting in the mailbox, as estimated. */
export const QUEUED_BYTES = 24;
/** Calls that were measured … */
export const SAMPLED_CALLS = 25;
/** … and the milliseconds that they took themselves, without the bolts that they called directly. */
export const SAMPLED_MS = 26;
/** Calls of `nextTuple`, as told with each measured one. */
export const ASKED = 27;
/** Milliseconds that asynchronous calls were under way, each counted, up to `CALLS_SINCE`. */
export const CALLS_MS = 30;
/** When `CALLS` changed last. */
export const CALLS_SINCE = 31;
/** 1 once the task has passed its end on. */
export const ENDED = 28;
/** 1 once a fatal error made it give up. */
export const BROKEN = 29;
/** Tuples that were not tracked and that found a feedback edge full. */
export const DROPPED = 32;
/** How often another instance took its place while its worker went on: part of the incarnation that it is told. */
export const RESTARTS = 33;
const ROW_WORDS = 48;

/** What a task that begins anew has none of. */
const GAUGES = [
  OPEN_TREES,
  QUEUED,
  OUTBOX,
  BLOCKED_BY,
  WAITING_FOR_ACKS,
  CALLS,
  QUEUE_FILL,
  QUEUED_BYTES,
  ENDED,
  BROKEN,
];

const HISTOGRAMS = 2;
const BEATS = 0;
const BUSY_MS = 1;
const WORKER_WORDS = 2;

export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly words: Float64Array;
  private readonly histogramsAt: number;
  private readonly workersAt: number;

  /**
   * @param tasks - how many tasks the topology has
   * @param workers - how many workers beat
   * @param memory - what another thread made for the same numbers; left out: new memory
   */
  constructor(tasks: number, workers: number, memory?: SharedArrayBuffer) {
    this.histogramsAt = tasks * ROW_WORDS;
    this.workersAt = this.histogramsAt + tasks * HISTOGRAMS * Histogram.WORDS;
    const words = this.workersAt + workers * WORKER_WORDS;
    this.memory = memory ?? new SharedArrayBuffer(words * Float64Array.BYTES_PER_ELEMENT);
    this.words = new Float64Array(this.memory);
  }

  /** Where the row of a task starts; add one of the names above. */
  row(task: number): number {
    return task * ROW_WORDS;
  }

  read(task: number, counter: number): number {
    return this.words[task * ROW_WORDS + counter] ?? 0;
  }

  /** Of a spout task: from emit to the end of its trees. Of a bolt task: the time of its calls of `execute`. */
  histogram(task: number): Histogram {
    return this.histogramAt(task * HISTOGRAMS);
  }

  /** Of a bolt task whose tuples outlive their calls: from the begin of `execute` until they are settled. */
  processing(task: number): Histogram {
    return this.histogramAt(task * HISTOGRAMS + 1);
  }

  /** Counts the turns of that worker: it stands still when the worker hangs. */
  beat(worker: number): void {
    this.words[this.workersAt + worker * WORKER_WORDS + BEATS]!++;
  }

  /** How many turns that worker has had, over all that took its place. */
  beats(worker: number): number {
    return this.words[this.workersAt + worker * WORKER_WORDS + BEATS] ?? 0;
  }

  /** A turn of that worker took so long. */
  addBusy(worker: number, milliseconds: number): void {
    this.words[this.workersAt + worker * WORKER_WORDS + BUSY_MS]! += milliseconds;
  }

  /** Milliseconds that the turns of that worker took. */
  busyMs(worker: number): number {
    return this.words[this.workersAt + worker * WORKER_WORDS + BUSY_MS] ?? 0;
  }

  /** The words, from and to, in which those tasks and that worker count. */
  spansOf(tasks: Iterable<number>, worker: number): readonly (readonly [from: number, to: number])[] {
    const beats = this.workersAt + worker * WORKER_WORDS;
    const spans: (readonly [number, number])[] = [[beats, beats + WORKER_WORDS]];
    for (const task of tasks) {
      const histograms = this.histogramsAt + task * HISTOGRAMS * Histogram.WORDS;
      spans.push([this.row(task), this.row(task) + ROW_WORDS]);
      spans.push([histograms, histograms + HISTOGRAMS * Histogram.WORDS]);
    }
    return spans;
  }

  private histogramAt(place: number): Histogram {
    const start = this.histogramsAt + place * Histogram.WORDS;
    return new Histogram(this.words.subarray(start, start + Histogram.WORDS));
  }
}

/** A task begins: counts it, and sets back what the one before it left. */
export function beginRow(words: Float64Array, row: number): void {
  for (const gauge of GAUGES) words[row + gauge] = 0;
  words[row + STARTS]!++;
}

/** Another instance of the component takes over. */
export function countRestart(words: Float64Array, row: number): void {
  words[row + STARTS]!++;
  words[row + RESTARTS]!++;
}
