// Why one version of a topology does not replace another one. Part of the catalogue in errors.ts, which says how an
// entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const replaceErrors = {
  MILLRACE_REPLACE_BUSY: {
    status: 409,
    message: 'topology "{topology}" is being replaced by a new version',
    hint: 'one change is carried out after the other: see with `millrace describe {topology}` how far it is',
  },
  MILLRACE_REPLACE_STATE: {
    status: 409,
    message: 'topology "{topology}" is {state} and cannot be replaced',
    hint: 'submit the new version without replacing, when the name is free',
  },
  MILLRACE_REPLACE_PROTOCOLS: {
    status: 409,
    message: 'topology "{topology}" is not replaced while hosts speak different protocols: {hosts}',
    hint: 'older ones know nothing of versions that replace each other: bring all hosts to one version of Millrace first',
  },
  MILLRACE_REPLACE_UNKNOWN: {
    status: 404,
    message: 'there is no topology "{topology}" to be replaced',
    hint: 'submit it without replacing, or see with `millrace list` how the one is called that is meant',
  },
  MILLRACE_REPLACE_ROOM: {
    status: 409,
    message: 'topology "{topology}" is not replaced: {reason}',
    hint: 'both versions run for a moment, so there have to be slots for both: end another topology, add a host, or give the new version fewer workers',
  },
  MILLRACE_REPLACE_HOST_LOST: {
    status: 503,
    message: 'topology "{topology}" is not replaced: a host of the new version was lost before it was open',
    hint: 'the version before goes on; submit the new one again',
  },
  MILLRACE_REPLACE_LATE: {
    status: 504,
    message: 'topology "{topology}" is not replaced: {what} took longer than {seconds} s',
    hint: 'the version before goes on; see in the logs of the hosts of both what they wait for',
  },
  MILLRACE_REPLACE_FAILED: {
    status: 409,
    message: 'topology "{topology}" is not replaced: the new version does not start: {reason}',
    hint: 'the version before goes on; mend the new one and submit it again',
  },
  MILLRACE_REPLACE_ACTIVE: {
    status: 400,
    message: 'a submission that replaces a topology says that it is to be {wanted}',
    hint: 'the new version is what the one before is: leave it out, and activate or deactivate the topology afterwards',
  },
  MILLRACE_REPLACE_ENDED: {
    status: 409,
    message: 'topology "{topology}" was not replaced: it is {state}',
    hint: 'the new version was dropped; submit it without replacing, when the name is free',
  },
} as const satisfies Record<string, Entry>;
