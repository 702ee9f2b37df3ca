// Where workers run. The threads are Piscina's: one endless task a thread, started again by it when one dies. Each has
// a pool of its own (thread-of-one.ts), because the number of workers changes while they run and a pool of Piscina's
// has one size. Known traps of Piscina 5.3 that shape this file: `close()` ends busy threads, so threads are ended one
// by one here; a queued task would wait for ever, so there is no queue; an error thrown across loses its code, so
// nothing is thrown across.
//
// On the main thread. A worker that ends its run is followed by the end of its thread: no module of a topology survives
// it.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { reasonOf } from '../errors.js';
import type { PeerLink, WorkerInit } from './messages.js';
import type { SpareThreads } from './spare-threads.js';
import { OUT_OF_HEAP, type Ended } from './supervision/cause.js';
import { makeThread, type ThreadOfOne } from './thread-of-one.js';

/** A worker that was started. */
export interface WorkerHandle {
  /** Resolves when it is over: null after it was stopped, else what it died of. */
  readonly ended: Promise<string | null>;
  /** Its thread's number, once it said hello. */
  threadId: number | null;
  /** Where the pool itself watches workers: why it ended this one, or lost it; known when `ended` resolves. */
  readonly endedBy?: Ended | null;
  /** Ends its thread at once. */
  kill(): Promise<void>;
}

/** Where workers of a topology are, as far as their links depend on it. */
export interface WorkerPlaces {
  /** How two workers are linked. Default `ports`: all of them are threads of this process. */
  linkKind?(first: number, second: number): PeerLink['kind'];
  /** Links may lead over TCP, if not now then to workers that come later. Default false. */
  readonly usesTcp?: boolean;
  /** It is about to be started, where it is to be from now on: links to it are made next. */
  enter?(worker: number): void;
}

/** Starts workers. */
export interface WorkerPool extends WorkerPlaces {
  /** How many workers it has places for. Default: as many as are asked for. */
  readonly workersMax?: number;
  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle;
  /** The link between those two, which are both there, was lost; it is made anew. */
  linkLost?(first: number, second: number): void;
  /** No task or worker of now counts in that memory. */
  forget?(memory: SharedArrayBuffer): void;
  /** Ends all threads; every worker must have ended or been killed. */
  destroy(): Promise<void>;
}

export interface ThreadPoolOptions {
  /** Threads to start with; more are made when more workers are started. */
  readonly threads: number;
  /** Heap of each worker in MB before it is ended; Node's own default when left out. */
  readonly heapMbMax?: number;
  /** Threads that stand by. Default: none do. */
  readonly spares?: SpareThreads | null;
}

export class ThreadPool implements WorkerPool {
  private readonly options: ThreadPoolOptions;
  /** Those that have no worker. */
  private readonly idle: ThreadOfOne[];
  private readonly all = new Set<ThreadOfOne>();
  private isOver = false;

  constructor(options: ThreadPoolOptions) {
    this.options = options;
    this.idle = Array.from({ length: options.threads }, () => this.make());
  }

  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle {
    const piscina = this.idle.pop() ?? this.make();
    const run = this.run(piscina, init, transfer);
    const handle: WorkerHandle = {
      ended: run.then(
        () => null,
        (error: unknown) => (isOutOfHeap(error) ? OUT_OF_HEAP : reasonOf(error)),
      ),
      threadId: null,
      kill: async () => {
        const thread = piscina.threads.find((each) => each.threadId === handle.threadId);
        await thread?.terminate();
      },
    };
    return handle;
  }

  async destroy(): Promise<void> {
    this.isOver = true;
    await Promise.all([...this.all].map((piscina) => piscina.destroy()));
  }

  /**
   * Hands the init over by a port of its own: while its thread starts, another worker may die and close a port of the
   * list, and a closed port cannot be transferred any more.
   */
  private async run(piscina: ThreadOfOne, init: WorkerInit, transfer: readonly MessagePort[]): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(init, transfer);
      await piscina.run(port2, { transferList: [port2] });
    } catch (error) {
      // Its thread has died, and it starts another one: that is for who takes the place of this worker.
      if (!this.isOver) this.idle.push(piscina);
      throw error;
    } finally {
      port1.close();
    }
    // It was stopped. No module of its topology may survive it, and maybe no other worker comes.
    this.all.delete(piscina);
    if (!this.isOver) void piscina.destroy();
  }

  private make(): ThreadOfOne {
    const { heapMbMax, spares } = this.options;
    const thread = spares?.take(heapMbMax) ?? makeThread(heapMbMax);
    this.all.add(thread);
    return thread;
  }
}

function isOutOfHeap(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
