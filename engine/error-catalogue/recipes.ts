// What can go wrong with the recipes of coordination: elections, groups, locks, queues, counters, configurations,
// shards. Part of the catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const recipeErrors = {
  MILLRACE_ELECTION_DEPOSED: {
    status: 503,
    message: 'member "{member}" no longer leads "{path}": its epoch {epoch} is over',
    hint: 'nothing was changed; whoever leads now goes on',
  },
  MILLRACE_LOCK_LOST: {
    status: 503,
    message: 'what was held by node "{path}" with token {token} is lost: {reason}',
    hint: 'stop what it guarded; what was written with this token from now on is refused',
  },
  MILLRACE_RECIPE_TIMEOUT: {
    status: 504,
    message: '{what} "{path}" was not to be had within {timeoutMs} ms',
    hint: 'nothing of the attempt is left behind; wait longer, or find out who holds it',
  },
  MILLRACE_RECIPE_TOO_MANY: {
    status: 503,
    message: '{what} "{path}" is full: {count} are the limit',
    hint: 'wait until some of them have gone, or spread them over several paths',
  },
  MILLRACE_RECIPE_OPTION: {
    status: 400,
    message: '{what} "{path}" cannot have {option} {value}: {reason}',
    hint: 'give another value',
  },
  MILLRACE_RECIPE_DIFFERS: {
    status: 409,
    message: '{what} "{path}" has {theirs}, not {ours}',
    hint: 'all who share it give the same; to change it, end all of them and delete the node',
  },
  MILLRACE_COUNTER_RANGE: {
    status: 409,
    message: 'counter "{path}" stands at {value} and cannot go on by {by}',
    hint: 'counts are whole numbers between -2^53 and 2^53',
  },
  MILLRACE_SHARED_CONFIG_INVALID: {
    status: 400,
    message: 'configuration "{path}" refuses the value: {reason}',
    hint: 'nothing was changed; give a value that passes its check',
  },
  MILLRACE_SHARED_CONFIG_MISSING: {
    status: 404,
    message: 'configuration "{path}" has no value yet',
    hint: 'set one, or give the configuration a default',
  },
} as const satisfies Record<string, Entry>;
