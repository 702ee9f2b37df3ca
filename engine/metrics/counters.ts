// Counters of all tasks of a topology in one piece of shared memory: workers write their tasks' rows, the main thread
// reads at any moment, also when a worker spins, and a row outlives the worker that wrote it. One writer a row.
//
//   | task 0: emitted executed acked failed … 16 words | task 1 | … | histogram of each task | workers' heartbeats |
//
// A row is two cache lines of its own, so that workers never write to the same one.

import { Histogram } from './histogram.js';

export const EMITTED = 0;
export const EXECUTED = 1;
export const ACKED = 2;
export const FAILED = 3;
/** Trees open now (spouts). */
export const OPEN_TREES = 4;
/** Tuples waiting in the mailbox at the end of the last slice. */
export const QUEUED = 5;
/** Tuples waiting in outboxes for credit at the end of the last flush. */
export const OUTBOX = 6;
/** Acks, fails and tuples that named a tree or an incarnation that is over. */
export const STALE = 7;
/** Acking twice, or after failing; emitting after the call had ended. */
export const MISUSED = 8;
/** Errors thrown by user code. */
export const ERRORS = 9;
const ROW_WORDS = 16;

export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly words: Float64Array;
  private readonly histogramsAt: number;
  private readonly beatsAt: number;

  /**
   * @param tasks - how many tasks the topology has
   * @param workers - how many workers beat
   * @param memory - what another thread made for the same numbers; left out: new memory
   */
  constructor(tasks: number, workers: number, memory?: SharedArrayBuffer) {
    this.histogramsAt = tasks * ROW_WORDS;
    this.beatsAt = this.histogramsAt + tasks * Histogram.WORDS;
    this.memory = memory ?? new SharedArrayBuffer((this.beatsAt + workers) * Float64Array.BYTES_PER_ELEMENT);
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
    const start = this.histogramsAt + task * Histogram.WORDS;
    return new Histogram(this.words.subarray(start, start + Histogram.WORDS));
  }

  /** Counts the turns of that worker: it stands still when the worker hangs. */
  beat(worker: number): void {
    this.words[this.beatsAt + worker]!++;
  }

  /** How many turns that worker has had, over all that took its place. */
  beats(worker: number): number {
    return this.words[this.beatsAt + worker] ?? 0;
  }
}
