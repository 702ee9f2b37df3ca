// Counts the times that a user asks a run to end: the first time it drains, the second it stops, the third the
// process leaves at once. One Ctrl-C may arrive twice, from the terminal and passed on by a parent such as npm, so
// what comes within a moment of another is the same one; only when that moment is over is the user told what happened
// and may ask again.

import type { Clock, Timer } from '../../engine/clock.js';
import type { EndSignal } from './exit.js';

const SAME_WITHIN_MS = 100;

/** What to do at each time; `tell` says afterwards what was done. */
export interface InterruptStages {
  first(signal: EndSignal): void;
  second(signal: EndSignal): void;
  third(signal: EndSignal): void;
  tell(time: 1 | 2): void;
}

export class Interrupts {
  private readonly clock: Clock;
  private readonly stages: InterruptStages;
  private times: 0 | 1 | 2 = 0;
  private telling: Timer | null = null;

  constructor(clock: Clock, stages: InterruptStages) {
    this.clock = clock;
    this.stages = stages;
  }

  receive(signal: EndSignal): void {
    if (this.telling !== null) return;
    if (this.times === 2) {
      this.stages.third(signal);
      return;
    }
    this.telling = this.clock.after(SAME_WITHIN_MS, () => this.tellNow());
    if (this.times === 0) {
      this.times = 1;
      this.stages.first(signal);
    } else {
      this.times = 2;
      this.stages.second(signal);
    }
  }

  /** Tells now what is still to be told. */
  tellNow(): void {
    if (this.telling === null) return;
    this.telling.cancel();
    this.telling = null;
    if (this.times !== 0) this.stages.tell(this.times);
  }
}
