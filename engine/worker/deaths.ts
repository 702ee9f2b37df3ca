// What follows from the death of a worker: it is told, once for a burst of alike ones, and counted, and it is decided
// whether replacing workers still helps. On the main thread.
//
//   first of its kind ─► a warning ─► ten seconds in which alike ones are only counted ─► a warning with their number

import type { Clock, Timer } from '../clock.js';
import { failure, toWire, type WireError } from '../errors.js';
import { DEATHS_BURST_MS, WORKER_DEATHS_WINDOW_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { DeathWatch } from './death-watch.js';
import type { RunReport } from './run-report.js';

/** One death. */
export interface Death {
  readonly worker: number;
  readonly reason: string;
  /** Where in the user's code, if the thread could say so. */
  readonly stack: string | null;
}

export class Deaths {
  private readonly topology: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly report: RunReport;
  private readonly watch = new DeathWatch();
  private lastReason: string | null = null;
  private untold = 0;
  private burst: Timer | null = null;

  constructor(topology: string, clock: Clock, logger: Logger, report: RunReport) {
    this.topology = topology;
    this.clock = clock;
    this.logger = logger;
    this.report = report;
  }

  /** Tells of a death, and gives the error that it ends the topology with, or null. */
  add(death: Death): WireError | null {
    const { worker, reason, stack } = death;
    const { topology } = this;
    const error = withStack(toWire(failure('MILLRACE_WORKER_DIED', { worker, topology, reason })), stack);
    const alike = this.burst !== null && reason === this.lastReason;
    this.report.addDeath(error, alike);
    if (alike) {
      this.untold++;
    } else {
      this.end();
      this.logger.warn(error.message);
      this.lastReason = reason;
      this.startBurst();
    }
    if (this.report.state === 'starting') return error;
    this.watch.add(this.clock.now());
    if (!this.watch.tooMany) return null;
    const details = { topology, deaths: this.watch.count, seconds: WORKER_DEATHS_WINDOW_MS / 1000, reason };
    return withStack(toWire(failure('MILLRACE_WORKER_FAILING', details)), stack);
  }

  /** Tells what was only counted until now. */
  end(): void {
    this.burst?.cancel();
    this.burst = null;
    if (this.untold === 0) return;
    this.logger.warn(
      `${this.untold} more worker(s) of topology "${this.topology}" died alike: ${this.lastReason ?? ''}`,
    );
    this.untold = 0;
  }

  private startBurst(): void {
    this.burst = this.clock.after(DEATHS_BURST_MS, () => {
      const goesOn = this.untold > 0;
      this.end();
      if (goesOn) this.startBurst();
    });
  }
}

function withStack(error: WireError, stack: string | null): WireError {
  return { ...error, stack: stack ?? error.stack };
}
