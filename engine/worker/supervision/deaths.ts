// What follows from the death of a worker: it is told, once for a burst of alike ones, and counted, and it is decided
// whether replacing workers still helps. On the main thread.
//
//   first of its kind ─► a warning ─► ten seconds in which alike ones are only counted ─► a warning with their number

import type { Clock, Timer } from '../../clock.js';
import { failure, toWire, type WireError } from '../../errors.js';
import { DEATHS_BURST_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { RunReport } from '../run-report.js';
import type { Cause } from './cause.js';
import { DeathWatch } from './death-watch.js';

export class Deaths {
  private readonly topology: string;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly report: RunReport;
  private readonly watch: DeathWatch;
  private lastMessage: string | null = null;
  private untold = 0;
  private burst: Timer | null = null;

  /** @param stallMs - how long a worker may stall before it is ended; null: for ever */
  constructor(topology: string, clock: Clock, logger: Logger, report: RunReport, stallMs: number | null) {
    this.topology = topology;
    this.clock = clock;
    this.logger = logger;
    this.report = report;
    this.watch = new DeathWatch(stallMs);
  }

  /** Tells of a death, and gives the error that it ends the topology with, or null. */
  add(cause: Cause): WireError | null {
    const { worker, error, suspect, counts } = cause;
    const { topology } = this;
    const alike = this.burst !== null && error.message === this.lastMessage;
    this.report.addDeath(error, suspect, alike);
    if (alike) {
      this.untold++;
    } else {
      this.end();
      this.logger.warn(error.message);
      this.lastMessage = error.message;
      this.startBurst();
    }
    if (!counts) return null;
    if (this.report.state === 'starting') return error;
    this.watch.add(worker, this.clock.now());
    if (!this.watch.tooMany) return null;
    const details = {
      topology,
      deaths: this.watch.count,
      seconds: this.watch.windowMs / 1000,
      reason: error.message,
    };
    return { ...toWire(failure('MILLRACE_WORKER_FAILING', details)), stack: error.stack };
  }

  /** How long to wait before a worker that died of that is replaced. */
  waitMs({ worker, counts }: Cause): number {
    return counts ? this.watch.waitMs(worker) : 0;
  }

  /** Tells what was only counted until now. */
  end(): void {
    this.burst?.cancel();
    this.burst = null;
    if (this.untold === 0) return;
    this.logger.warn(
      `${this.untold} more worker(s) of topology "${this.topology}" died alike: ${this.lastMessage ?? ''}`,
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
