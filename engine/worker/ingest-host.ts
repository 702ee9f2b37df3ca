// What the desk of records from outside knows of the run that it stands in front of. On the main thread.
// The state is looked up each time: a desk outlives many of them.

import type { Clock } from '../clock.js';
import type { IngestHost } from './ingest-desk.js';
import type { RunReport } from './run-report.js';
import type { Seats } from './seats.js';

/** @param isOver - the run has come to its end, and only closes what is left */
export function ingestHostOf(seats: Seats, report: RunReport, clock: Clock, isOver: () => boolean): IngestHost {
  return {
    get state() {
      const { state } = report;
      return !isOver() && (state === 'starting' || state === 'active' || state === 'inactive') ? state : 'ending';
    },
    isStarted: (worker) => seats.all[worker]?.state === 'active',
    post: (worker, records) => seats.post(seats.all[worker]!, { type: 'ingest', records }),
    now: () => clock.now(),
    errorBelow: (spout, sinceMs) => report.errorBelow(spout, sinceMs),
  };
}
