// Watches a run and tells how it goes: the progress line on a terminal four times a second, a JSON line each second
// with `--json`, and errors of components as they are reported. Main thread.

import type { Clock, Timer } from '../../engine/clock.js';
import type { TopologyStatus } from '../../engine/worker/topology-run.js';
import { formatReport } from './error-text.js';
import type { Output } from './output.js';
import { formatProgress, progressObject, Rate, totalsOf } from './progress.js';
import { ErrorNews } from './reports.js';

const LOOK_EVERY_MS = 250;
const LOOKS_PER_OBJECT = 4;

export class Monitor {
  private readonly output: Output;
  private readonly clock: Clock;
  private readonly status: () => TopologyStatus;
  private readonly rate = new Rate();
  private readonly news = new ErrorNews();
  private looks = 0;
  private timer: Timer | null = null;

  constructor(output: Output, clock: Clock, status: () => TopologyStatus) {
    this.output = output;
    this.clock = clock;
    this.status = status;
  }

  /** Looks now and then until {@link stop}. */
  start(): void {
    this.timer = this.clock.after(LOOK_EVERY_MS, () => {
      this.look();
      this.start();
    });
  }

  /** Tells what is left to tell, and looks no more. */
  stop(): void {
    this.timer?.cancel();
    this.timer = null;
    this.tellErrors(this.status());
    this.output.wipeProgress();
  }

  private look(): void {
    const status = this.status();
    this.tellErrors(status);
    const ratePerSecond = this.rate.next(status.seconds, totalsOf(status).executed);
    const columns = this.output.progressColumns;
    if (columns !== null) this.output.showProgress(formatProgress(status, ratePerSecond, columns));
    this.looks++;
    if (this.looks % LOOKS_PER_OBJECT === 0) void this.output.data(progressObject(status, ratePerSecond));
  }

  private tellErrors({ errors }: TopologyStatus): void {
    for (const report of this.news.next(errors)) {
      this.output.say(formatReport(report));
      const { component, task, count } = report;
      const { name, code, message, hint } = report.error;
      void this.output.data({ type: 'error', component, task, count, error: { name, code, message, hint } });
    }
  }
}
