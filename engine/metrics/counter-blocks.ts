// The counters of a topology whose tasks change: a block of shared memory for those of the first plan, and one more for
// those that each change of the plan adds, so that no array in a task's hands ever has to grow. A task and its worker
// have their places in the block that came with their numbers; a block goes when all of its tasks are gone.
//
//   | tasks 0–6, workers 0–1 |   | tasks 7–9, worker 2 |   | tasks 10–11 |

import { Counters } from './counters.js';
import type { Histogram } from './histogram.js';

/** The memory of some tasks and workers that follow each other, as workers are given it. */
export interface CounterBlock {
  readonly firstTask: number;
  readonly tasks: number;
  readonly firstWorker: number;
  readonly workers: number;
  readonly memory: SharedArrayBuffer;
}

/** What is read of tasks and workers, whatever blocks they are in. */
export type TaskCounters = Pick<Counters, 'read' | 'histogram' | 'processing' | 'beats' | 'busyMs'>;

/** Where the row of a task is. */
export interface CounterRow {
  readonly words: Float64Array;
  readonly row: number;
}

interface Part {
  readonly block: CounterBlock;
  readonly counters: Counters;
}

export class CounterBlocks implements TaskCounters {
  private parts: readonly Part[];

  constructor(blocks: readonly CounterBlock[] = []) {
    this.parts = blocks.map(partOf);
  }

  /** All of them, for a worker that starts. */
  get blocks(): readonly CounterBlock[] {
    return this.parts.map(({ block }) => block);
  }

  /** How many workers it has room for. */
  get workers(): number {
    return Math.max(0, ...this.parts.map(({ block }) => block.firstWorker + block.workers));
  }

  /** Makes room for tasks and workers with numbers from these on. */
  grow(numbers: Omit<CounterBlock, 'memory'>): CounterBlock {
    const { memory } = new Counters(numbers.tasks, numbers.workers);
    const block = { ...numbers, memory };
    this.take(block);
    return block;
  }

  /** Another thread made it. */
  take(block: CounterBlock): void {
    this.parts = [...this.parts, partOf(block)];
  }

  /**
   * Lets go of what holds neither one of those tasks nor a worker with a number below that one.
   *
   * @returns those blocks
   */
  keep(tasks: ReadonlySet<number>, workers: number): readonly CounterBlock[] {
    const { blocks } = this;
    this.parts = this.parts.filter(({ block }) => {
      if (block.workers > 0 && block.firstWorker < workers) return true;
      for (let at = 0; at < block.tasks; at++) if (tasks.has(block.firstTask + at)) return true;
      return false;
    });
    return blocks.filter((block) => !this.parts.some((part) => part.block === block));
  }

  /** Where that task counts. */
  rowOf(task: number): CounterRow {
    const { block, counters } = this.partOfTask(task)!;
    return { words: counters.words, row: counters.row(task - block.firstTask) };
  }

  /** Adds to a counter of that task, if it is known. */
  add(task: number, counter: number, by: number): void {
    const part = this.partOfTask(task);
    if (part === undefined) return;
    part.counters.words[part.counters.row(task - part.block.firstTask) + counter]! += by;
  }

  read(task: number, counter: number): number {
    const part = this.partOfTask(task);
    return part === undefined ? 0 : part.counters.read(task - part.block.firstTask, counter);
  }

  histogram(task: number): Histogram {
    const { block, counters } = this.partOfTask(task)!;
    return counters.histogram(task - block.firstTask);
  }

  processing(task: number): Histogram {
    const { block, counters } = this.partOfTask(task)!;
    return counters.processing(task - block.firstTask);
  }

  addBusy(worker: number, milliseconds: number): void {
    const part = this.partOfWorker(worker);
    part?.counters.addBusy(worker - part.block.firstWorker, milliseconds);
  }

  busyMs(worker: number): number {
    const part = this.partOfWorker(worker);
    return part === undefined ? 0 : part.counters.busyMs(worker - part.block.firstWorker);
  }

  beat(worker: number): void {
    const part = this.partOfWorker(worker);
    part?.counters.beat(worker - part.block.firstWorker);
  }

  beats(worker: number): number {
    const part = this.partOfWorker(worker);
    return part === undefined ? 0 : part.counters.beats(worker - part.block.firstWorker);
  }

  private partOfTask(task: number): Part | undefined {
    return this.parts.find(({ block }) => task >= block.firstTask && task < block.firstTask + block.tasks);
  }

  private partOfWorker(worker: number): Part | undefined {
    return this.parts.find(({ block }) => worker >= block.firstWorker && worker < block.firstWorker + block.workers);
  }
}

function partOf(block: CounterBlock): Part {
  return { block, counters: new Counters(block.tasks, block.workers, block.memory) };
}
