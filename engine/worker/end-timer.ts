// When a wait for what is in flight is over: of several waits that were asked for the one that ends first holds. On the
// main thread.

import type { Clock, Timer } from '../clock.js';
import { DURATION_MAX_MS } from '../limits.js';

export class EndTimer {
  private readonly clock: Clock;
  private readonly over: () => void;
  private endsAtMs = Infinity;
  private timer: Timer | null = null;

  /** @param over - called once, when it is */
  constructor(clock: Clock, over: () => void) {
    this.clock = clock;
    this.over = over;
  }

  /** It is over no later than after that time. */
  within(waitMs: number): void {
    const nowMs = this.clock.now();
    const endsAtMs = nowMs + Math.min(waitMs, DURATION_MAX_MS);
    if (endsAtMs >= this.endsAtMs) return;
    this.endsAtMs = endsAtMs;
    this.timer?.cancel();
    this.timer = this.clock.after(endsAtMs - nowMs, this.over);
  }

  /** It is not waited for any more. */
  cancel(): void {
    this.timer?.cancel();
  }
}
