// Which of the errors that a topology keeps are to be told now: each report once, when it is first seen. The engine
// limits how many there are, and counts the rest into the next one. Left out is what the user is told anyway: deaths
// of workers, which are logged, and the error that ends the topology. Main thread.

import type { ErrorReport } from '../../engine/worker/topology-run.js';

export class ErrorNews {
  private readonly seen = new WeakSet<ErrorReport>();

  /** Those of the reports that were not there before. */
  next(reports: readonly ErrorReport[]): ErrorReport[] {
    return reports.filter((report) => {
      if (this.seen.has(report)) return false;
      this.seen.add(report);
      return report.task >= 0 && !report.error.fatal;
    });
  }
}
