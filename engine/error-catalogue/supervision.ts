// Errors of supervision: tasks that are restarted because they do nothing but fail, and what follows when that does not
// help. Part of the catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const supervisionErrors = {
  MILLRACE_TASK_RESTARTED: {
    status: 500,
    message: 'task {task} of component "{component}" is restarted, for it does nothing but fail: {reason}',
    hint: 'its instance is closed and another one is made after {waitMs} ms; its input waits, what it held is replayed',
  },
  MILLRACE_TASK_HOPELESS: {
    status: 500,
    message: 'task {task} of component "{component}" does nothing but fail, after {restarts} restarts: {reason}',
    hint: 'its worker is replaced; should that not help either, the topology is ended',
  },
  MILLRACE_TASK_UNSETTLED: {
    status: 500,
    message: 'task {task} of component "{component}" is to be restarted and has calls that do not settle',
    hint: 'have asynchronous calls end when `emit.signal` is aborted',
  },
  MILLRACE_TASK_FAILING: {
    status: 500,
    message:
      'task {task} of component "{component}" did nothing but fail, in {workers} workers one after the other: {reason}',
    hint: 'the topology was ended, because restarts do not help; mend what the reason names and submit it again',
  },
} as const satisfies Record<string, Entry>;
