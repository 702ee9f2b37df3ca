// Why the spouts of a topology are not opened, or do not stand aside, when one version of it takes the place of another
// one. Part of the catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const spoutErrors = {
  MILLRACE_SPOUTS_STATE: {
    status: 409,
    message: 'topology "{topology}" is {state}: its spouts cannot {what} now',
    hint: 'spouts are opened once, by a run that stands by; those of an active or inactive one stand aside',
  },
  MILLRACE_SPOUTS_CALLED_OFF: {
    status: 409,
    message: 'the spouts of topology "{topology}" were asked to come back before they stood aside',
    hint: 'it goes on as before; nothing is lost',
  },
  MILLRACE_SPOUTS_WORKER_DIED: {
    status: 503,
    message: 'worker {worker} of topology "{topology}" died while its spouts were being opened: {reason}',
    hint: 'this version has ended and the one before it goes on; see what the worker died of, and submit it again',
  },
} as const satisfies Record<string, Entry>;
