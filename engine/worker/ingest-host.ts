// What the desk of records from outside knows of the run that it stands in front of. On the main thread.
// The state is looked up each time: a desk outlives many of them.

import type { Clock } from '../clock.js';
import type { IngestHost } from './ingest-desk.js';
import type { RunReport, RunState } from './run-report.js';
import type { Seats } from './seats.js';

/** How far the run is. */
export interface IngestRun {
  /** It has come to its end, and only closes what is left. */
  isOver(): boolean;
  /** Its spouts stand aside. */
  isAside(): boolean;
}

export function ingestHostOf(seats: Seats, report: RunReport, clock: Clock, run: IngestRun): IngestHost {
  return {
    get state() {
      return run.isOver() ? 'ending' : stateOf(report.state, run.isAside());
    },
    isStarted: (worker) => seats.all[worker]?.state === 'active',
    post: (worker, records) => seats.post(seats.all[worker]!, { type: 'ingest', records }),
    now: () => clock.now(),
    errorBelow: (spout, sinceMs) => report.errorBelow(spout, sinceMs),
  };
}

function stateOf(state: RunState, isAside: boolean): IngestHost['state'] {
  switch (state) {
    case 'starting':
    case 'inactive':
      return state;
    case 'active':
      return isAside ? 'inactive' : state;
    case 'standby':
    case 'aside':
      return 'inactive';
    default:
      return 'ending';
  }
}
