// What a worker lets its supervisor see at any moment, also when its thread spins or has just died: whether its loop
// turns, what it does, and what memory it holds outside of its heap. Words of shared memory; the worker writes, the
// supervisor reads. One for each life of a worker.
//
//   | beats | held up | external kB | stage | subject | depth | tasks inside each other's calls: depth + 1 of them … |
//                                                             slice ─► direct call ─► direct call: the last one runs
//
// Invariant: `callStack[1]` is NO_TASK while no task runs; a task that is entered stands in its place before its user
// code is called. The tasks write `callStack` themselves (task.ts, turns.ts): it is on the hot path.

import { NO_TASK, TIMED_DEPTH } from '../../task/task-host.js';

/** What a worker does apart from slices of tasks, by the number that stands in its pulse. */
export const STAGES = [
  null,
  'loading',
  'constructor',
  'open',
  'prepare',
  'activate',
  'deactivate',
  'close',
  'parametersChanged',
] as const;
export type Stage = NonNullable<(typeof STAGES)[number]>;

const BEATS = 0;
const HELD_UP = 1;
const EXTERNAL_KB = 2;
const STAGE = 3;
const SUBJECT = 4;
const CALLS = 5;
const KB = 1024;

/** What a worker was doing. */
export interface Doing {
  /** The task whose code was running, or null. */
  readonly task: number | null;
  /** The call of its life that it was in, or null for one that handles tuples. */
  readonly stage: Stage | null;
}

export class Pulse {
  readonly memory: SharedArrayBuffer;
  /** The depth of calls inside each other, then the tasks that are in them. */
  readonly callStack: Int32Array;
  private readonly words: Int32Array;

  /**
   * @param depthMax - calls inside calls at most
   * @param memory - what the supervisor made for the same depth; left out: new memory
   */
  constructor(depthMax: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer((CALLS + depthMax + 2) * Int32Array.BYTES_PER_ELEMENT);
    this.words = new Int32Array(this.memory);
    this.callStack = this.words.subarray(CALLS);
    if (memory !== undefined) return;
    this.words[SUBJECT] = NO_TASK;
    this.callStack[1] = NO_TASK;
  }

  // --- the worker ---------------------------------------------------------------------------------------------------

  /** Its loop has turned. */
  beat(externalBytes: number): void {
    Atomics.store(this.words, EXTERNAL_KB, Math.min(externalBytes / KB, 0x7fffffff));
    Atomics.add(this.words, BEATS, 1);
  }

  /** It stands still until somebody takes what it said. */
  holdUp(isHeldUp: boolean): void {
    Atomics.store(this.words, HELD_UP, isHeldUp ? 1 : 0);
  }

  /** It calls user code outside of slices; null when that has returned. */
  enter(stage: Stage | null, task = NO_TASK): void {
    this.words[SUBJECT] = task;
    Atomics.store(this.words, STAGE, STAGES.indexOf(stage));
  }

  /** A slice of that task begins, or, with NO_TASK, has ended. */
  slice(task: number): void {
    this.callStack[0] = 0;
    this.callStack[1] = task;
  }

  // --- the supervisor -----------------------------------------------------------------------------------------------

  /** How often its loop has turned; 0 before it did. */
  get beats(): number {
    return Atomics.load(this.words, BEATS);
  }

  get isHeldUp(): boolean {
    return Atomics.load(this.words, HELD_UP) === 1;
  }

  /** What its thread held outside of its heap at the last beat. */
  get externalBytes(): number {
    return Atomics.load(this.words, EXTERNAL_KB) * KB;
  }

  /** What it does now, or did when it died. */
  get doing(): Doing {
    const depth = Atomics.load(this.callStack, 0) % TIMED_DEPTH;
    const running = Atomics.load(this.callStack, 1 + depth);
    if (running !== NO_TASK) return { task: running, stage: null };
    const stage = STAGES[Atomics.load(this.words, STAGE)] ?? null;
    const task = Atomics.load(this.words, SUBJECT);
    return { task: stage === null || task === NO_TASK ? null : task, stage };
  }
}
