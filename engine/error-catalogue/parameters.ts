// What can go wrong with parameters: values that cannot be kept, two who set them at once, a component that does not
// take them over. Part of the catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const parameterErrors = {
  MILLRACE_PARAMETERS_INVALID: {
    status: 400,
    message: 'the parameters of {owner} are refused: {reason}',
    hint: 'they are one object of JSON values by key; what was set before still holds',
  },
  MILLRACE_PARAMETERS_VERSION: {
    status: 409,
    message: 'the parameters of {owner} are at version {version} by now, and not at {expected}',
    hint: 'somebody else set them meanwhile: read them again and decide anew',
  },
  MILLRACE_PARAMETERS_ENDED: {
    status: 409,
    message: 'topology "{name}" has ended as {state}, and its parameters with it',
    hint: 'submit it again; a new submission begins without parameters of its own',
  },
  MILLRACE_PARAMETERS_LATE: {
    status: 500,
    message: 'component "{component}" did not take new parameters over within {timeoutMs} ms, in task {task}',
    hint: 'parametersChanged has to return soon, because its task waits for it; the old parameters hold in that task',
  },
} as const satisfies Record<string, Entry>;
