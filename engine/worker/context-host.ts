// What the contexts of a worker's components reach of their worker: its time, its plan, and what it reports. On the
// worker's thread.

import type { Clock } from '../clock.js';
import type { ParameterValues } from '../model/parameters.js';
import { tasksOf, type Plan } from '../plan/plan.js';
import type { ContextHost } from './contexts.js';
import type { FromWorker } from './messages.js';
import type { Reports } from './reports.js';

export interface ContextHostParts {
  readonly topology: string;
  readonly filesRoot: string | null;
  readonly clock: Clock;
  /** The one of now. */
  readonly plan: () => Plan;
  readonly reports: Reports;
  /** The newest ones. */
  readonly parameters: () => ParameterValues;
  readonly post: (message: FromWorker) => void;
  /** Told how many characters were logged; may hold the thread up. */
  readonly said: (characters: number) => void;
}

export function contextHostOf({
  topology,
  filesRoot,
  clock,
  plan,
  reports,
  parameters,
  post,
  said,
}: ContextHostParts): ContextHost {
  return {
    topology,
    filesRoot,
    now: () => clock.now(),
    tasksOf: (component) => tasksOf(plan(), component).map(({ task }) => task),
    print: (line) => reports.print(line),
    log: (level, component, message) => {
      post({ type: 'log', level, component, message });
      said(message.length);
    },
    checkpoint: (checkpoint) => reports.checkpoint(checkpoint),
    restored: (component, partition) => reports.restored(component, partition),
    metricsOf: (component, task, incarnation) => reports.metricsOf(component, task, incarnation),
    parameters,
  };
}
