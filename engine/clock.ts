// Time comes in through this interface, so that tests run on virtual time. `now` is monotonic: it never says what
// o'clock it is, so wall clocks that are hours apart or jump disturb nothing.

/** A timer that was asked for; `cancel` may be called at any time. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since some fixed moment, with fractions; never goes back. */
  now(): number;
  /** Calls once after at least that many milliseconds. */
  after(delayMs: number, call: () => void): Timer;
}

/** The machine's monotonic clock, the same in every thread of a process, so that one can date what another saw. */
export class RealClock implements Clock {
  /** Some versions of Node count `performance.now` from the start of the thread, and not of the process. */
  private readonly startedMs = process.uptime() * 1000 - performance.now();

  now(): number {
    return this.startedMs + performance.now();
  }

  after(delayMs: number, call: () => void): Timer {
    const timeout = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  }
}

/** What o'clock it is, in milliseconds since the epoch: only for showing to people, never to measure or wait by. */
export function wallTimeMs(): number {
  return Date.now();
}

interface Waiting {
  readonly atMs: number;
  readonly order: number;
  readonly call: () => void;
}

/** A clock that stands still until `advance` moves it; due calls run in the order of their time. */
export class VirtualClock implements Clock {
  private nowMs: number;
  private nextOrder = 0;
  private readonly waiting = new Set<Waiting>();

  constructor(startMs = 0) {
    this.nowMs = startMs;
  }

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const entry: Waiting = { atMs: this.nowMs + Math.max(0, delayMs), order: this.nextOrder++, call };
    this.waiting.add(entry);
    return { cancel: () => this.waiting.delete(entry) };
  }

  /** When the next call is due, or undefined when none is waiting. */
  nextDueMs(): number | undefined {
    return this.first()?.atMs;
  }

  /** Moves to that moment and runs one call that is due by then; false when there was none. */
  step(untilMs: number): boolean {
    const entry = this.first();
    if (entry === undefined || entry.atMs > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs);
      return false;
    }
    this.waiting.delete(entry);
    this.nowMs = Math.max(this.nowMs, entry.atMs);
    entry.call();
    return true;
  }

  private first(): Waiting | undefined {
    let first: Waiting | undefined;
    for (const entry of this.waiting) {
      if (first === undefined || entry.atMs < first.atMs || (entry.atMs === first.atMs && entry.order < first.order)) {
        first = entry;
      }
    }
    return first;
  }
}
