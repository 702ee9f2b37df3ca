// Tells whoever runs a topology of workers that have nothing to do: tasks that are placed together may need fewer
// workers than it was given. Each is told of once, until it has a task again. On the main thread.

import { failure } from '../errors.js';
import type { Logger } from '../log.js';
import { idleWorkers, type Plan } from '../plan/plan.js';

/** Workers that are named; the others are counted. */
const NAMED_MAX = 10;

export class IdleWorkers {
  private readonly topology: string;
  private readonly logger: Logger;
  private told: ReadonlySet<number> = new Set();

  constructor(topology: string, logger: Logger) {
    this.topology = topology;
    this.logger = logger;
  }

  /** That plan holds now. */
  tell(plan: Plan): void {
    const idle = idleWorkers(plan);
    const untold = idle.filter((worker) => !this.told.has(worker));
    this.told = new Set(idle);
    if (untold.length === 0) return;
    const { message, hint } = failure('MILLRACE_WORKER_IDLE', { topology: this.topology, idle: named(untold) });
    this.logger.warn(`${message}; ${hint}`);
  }
}

function named(workers: readonly number[]): string {
  const more = workers.length - NAMED_MAX;
  const names = workers.slice(0, NAMED_MAX).join(', ');
  return `worker${workers.length === 1 ? '' : 's'} ${names}${more > 0 ? ` and ${more} more` : ''}`;
}
