// Where workers run. The pool of threads is Piscina's: one endless task a thread, started again by it when one dies.
// Known traps of Piscina 5.3 that shape this file: `close()` ends busy threads, so threads are ended one by one here; a
// queued task would wait for ever, so there is no queue; an error thrown across loses its code, so nothing is thrown
// across.
//
// On the main thread. A worker that ends its run is followed by the end of its thread: no module of a topology survives
// it.

import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { reasonOf } from '../errors.js';
import type { PeerLink, WorkerInit } from './messages.js';
import { OUT_OF_HEAP, type Ended } from './supervision/cause.js';

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
  /** The address of the machine that a worker runs on. Default: loopback. */
  addressOf?(worker: number): string;
}

/** Starts workers. */
export interface WorkerPool extends WorkerPlaces {
  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle;
  /** Ends all threads; every worker must have ended or been killed. */
  destroy(): Promise<void>;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  /** Heap of each worker in MB before it is ended; Node's own default when left out. */
  readonly heapMbMax?: number;
}

export class ThreadPool implements WorkerPool {
  private readonly piscina: Piscina<MessagePort, void>;

  constructor(options: ThreadPoolOptions) {
    this.piscina = new Piscina<MessagePort, void>({
      filename: fileURLToPath(new URL('./thread.js', import.meta.url)),
      minThreads: options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      maxQueue: 0,
      idleTimeout: Infinity,
      atomics: 'disabled',
      recordTiming: false,
      ...(options.heapMbMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: options.heapMbMax } }),
    });
    // The promise of the worker's run says the same; without a listener the event would end the process.
    this.piscina.on('error', () => undefined);
  }

  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle {
    const run = this.run(init, transfer);
    const handle: WorkerHandle = {
      ended: run.then(
        () => null,
        (error: unknown) => (isOutOfHeap(error) ? OUT_OF_HEAP : reasonOf(error)),
      ),
      threadId: null,
      kill: async () => {
        const thread = this.piscina.threads.find((each) => each.threadId === handle.threadId);
        await thread?.terminate();
      },
    };
    return handle;
  }

  /**
   * Hands the init over by a port of its own: while its thread starts, another worker may die and close a port of the
   * list, and a closed port cannot be transferred any more.
   */
  private async run(init: WorkerInit, transfer: readonly MessagePort[]): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(init, transfer);
      await this.piscina.run(port2, { transferList: [port2] });
    } finally {
      port1.close();
    }
  }

  async destroy(): Promise<void> {
    await this.piscina.destroy();
  }
}

function isOutOfHeap(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
