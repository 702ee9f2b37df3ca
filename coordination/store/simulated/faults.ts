// What may go wrong by chance in a simulated store, and how long things take there. All of it is drawn from one seed in
// the order of events, so the same seed and the same calls give the same run. Pure, any thread.

import type { Random } from '../../../engine/random.js';

/** A time in milliseconds, drawn evenly from the first to the second. */
export type Between = readonly [fromMs: number, toMs: number];

/** What happens by chance; shares are from 0 to 1. */
export interface SimulatedFaults {
  /** How long a message is under way between a client and its server, and between a server and the leader. */
  readonly delayMs: Between;
  /** How far a server is behind the leader: so long after a change its reads still show what was before. */
  readonly lagMs: Between;
  /** How late a server says that something changed: states that follow quickly are then skipped, but for the last. */
  readonly watchDelayMs: Between;
  /** Calls that are refused before they are made: MILLRACE_STORE_UNAVAILABLE. */
  readonly refusedShare: number;
  /** Calls whose connection breaks while they are under way: a write may be carried out, MILLRACE_STORE_UNCERTAIN. */
  readonly brokenShare: number;
}

/** Everything at once, and nothing goes wrong. */
export const NO_FAULTS: SimulatedFaults = {
  delayMs: [0, 0],
  lagMs: [0, 0],
  watchDelayMs: [0, 0],
  refusedShare: 0,
  brokenShare: 0,
};

/** Draws what happens. */
export class Chance {
  faults: SimulatedFaults;
  private readonly random: Random;

  constructor(random: Random, faults: SimulatedFaults) {
    this.random = random;
    this.faults = faults;
  }

  ms(kind: 'delayMs' | 'lagMs' | 'watchDelayMs'): number {
    const [from, to] = this.faults[kind];
    return from === to ? from : from + this.random.nextFloat() * (to - from);
  }

  happens(kind: 'refusedShare' | 'brokenShare'): boolean {
    const share = this.faults[kind];
    return share > 0 && this.random.nextFloat() < share;
  }

  /** One of two ways, each as likely. */
  coin(): boolean {
    return this.random.nextInt32() < 0;
  }

  below(bound: number): number {
    return this.random.nextBelow(bound);
  }
}
