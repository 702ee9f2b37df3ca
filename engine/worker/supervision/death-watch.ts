// Counts the deaths of a topology's workers within a window of time: a worker that dies now and then is replaced, one
// that dies over and over ends its topology instead of turning into a hot loop. Says too how long to wait before a
// worker is replaced.

import { REPLACE_WAIT_MAX_MS, REPLACE_WAIT_MIN_MS, WORKER_DEATHS_MAX, WORKER_DEATHS_WINDOW_MS } from '../../limits.js';

export class DeathWatch {
  readonly windowMs: number;
  private deaths: { readonly atMs: number; readonly worker: number }[] = [];

  /** @param stallMs - how long a worker may stall before it is ended; null: for ever */
  constructor(stallMs: number | null = null) {
    // So that workers which do nothing but stall end their topology too.
    this.windowMs = Math.max(WORKER_DEATHS_WINDOW_MS, 2 * WORKER_DEATHS_MAX * (stallMs ?? 0));
  }

  /** Deaths within the window that ended with the last one. */
  get count(): number {
    return this.deaths.length;
  }

  /** Replacing workers does not help. */
  get tooMany(): boolean {
    return this.deaths.length > WORKER_DEATHS_MAX;
  }

  add(worker: number, nowMs: number): void {
    this.deaths.push({ atMs: nowMs, worker });
    this.deaths = this.deaths.filter(({ atMs }) => atMs >= nowMs - this.windowMs);
  }

  /** How long to wait before that worker, which has just died, is replaced: it doubles with each death. */
  waitMs(worker: number): number {
    const before = this.deaths.filter((death) => death.worker === worker).length - 1;
    return before < 1 ? 0 : Math.min(REPLACE_WAIT_MIN_MS * 2 ** (before - 1), REPLACE_WAIT_MAX_MS);
  }
}
