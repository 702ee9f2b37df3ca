// Who waits for a topology to run here: between a wish and its run lie some milliseconds, and a record that is given in
// them is not refused. Bounded in number and time. Main thread.

import type { Clock } from '../../engine/clock.js';
import { ARRIVALS_AWAITED_MAX, ARRIVAL_WAIT_MS } from '../../engine/limits.js';

export class Arrivals {
  private readonly clock: Clock;
  private readonly waiting = new Map<string, Set<() => void>>();
  private count = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A topology of that name runs now, or will not. */
  arrived(name: string): void {
    for (const wake of this.waiting.get(name) ?? []) wake();
  }

  /**
   * Resolves at the next arrival of that name, or when it was waited for long enough; at once when too many wait.
   *
   * @throws the reason of the signal
   */
  async next(name: string, signal: AbortSignal): Promise<void> {
    if (this.count >= ARRIVALS_AWAITED_MAX) return;
    const waiting = this.waiting.get(name) ?? new Set();
    this.waiting.set(name, waiting);
    this.count++;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0) this.waiting.delete(name);
        this.count--;
        resolve();
      };
      const timer = this.clock.after(ARRIVAL_WAIT_MS, wake);
      waiting.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
    signal.throwIfAborted();
  }
}
