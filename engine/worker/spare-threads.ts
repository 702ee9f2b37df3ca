// Threads that stand by, with the engine read and nothing else: a host of a cluster that has to go on with what another
// one ran begins with them, and not with some hundred modules. Few, because each takes memory for nothing. What is
// taken is replaced once there has been peace for a while, for then the processors are needed elsewhere.
//
//   none ── peace for SPARE_THREADS_REST_MS ──► made ── taken ──► a worker's, ended with it
//
// On the main thread.

import type { Clock, Timer } from '../clock.js';
import { SPARE_THREADS_REST_MS } from '../limits.js';
import { makeThread, type ThreadOfOne } from './thread-of-one.js';

export interface SpareThreadsOptions {
  /** How many stand by. */
  readonly count: number;
  /** The bound of the heap that they are made with: only a worker that has the same one may take them. */
  readonly heapMbMax: number;
  readonly clock: Clock;
}

export class SpareThreads {
  private readonly options: SpareThreadsOptions;
  private readonly threads: ThreadOfOne[] = [];
  private resting: Timer | null = null;
  private isClosed = false;

  constructor(options: SpareThreadsOptions) {
    this.options = options;
    this.restore();
  }

  /** How many there are at present. */
  get size(): number {
    return this.threads.length;
  }

  /** One of them, which is the caller's from then on; null when there is none that fits. */
  take(heapMbMax: number | undefined): ThreadOfOne | null {
    const thread = heapMbMax === this.options.heapMbMax ? this.threads.pop() : undefined;
    if (!this.isClosed) this.restore();
    return thread ?? null;
  }

  /** Ends them. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.resting?.cancel();
    await Promise.all(this.threads.splice(0).map((thread) => thread.destroy()));
  }

  /** Each worker that starts puts it off. */
  private restore(): void {
    const { clock, count, heapMbMax } = this.options;
    this.resting?.cancel();
    this.resting = clock.after(SPARE_THREADS_REST_MS, () => {
      while (this.threads.length < count) this.threads.push(makeThread(heapMbMax));
    });
  }
}
