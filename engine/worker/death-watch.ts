// Counts the deaths of a topology's workers within a window of time: a worker that dies now and then is replaced, one
// that dies over and over ends its topology instead of turning into a hot loop.

import { WORKER_DEATHS_MAX, WORKER_DEATHS_WINDOW_MS } from '../limits.js';

export class DeathWatch {
  private readonly atMs: number[] = [];

  /** Deaths within the window that ended with the last one. */
  get count(): number {
    return this.atMs.length;
  }

  /** Replacing workers does not help. */
  get tooMany(): boolean {
    return this.atMs.length > WORKER_DEATHS_MAX;
  }

  add(nowMs: number): void {
    this.atMs.push(nowMs);
    while (this.atMs[0]! < nowMs - WORKER_DEATHS_WINDOW_MS) this.atMs.shift();
  }
}
