// What can go wrong with the store and with what is built on it: sessions, masters, assignments, artifacts. Part of the
// catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const coordinationErrors = {
  MILLRACE_STORE_NO_NODE: {
    status: 404,
    message: 'there is no node "{path}" in the store',
    hint: 'it was deleted, or never created; create its parents first',
  },
  MILLRACE_STORE_NODE_EXISTS: {
    status: 409,
    message: 'node "{path}" is in the store already',
    hint: 'set it instead, or delete it first',
  },
  MILLRACE_STORE_BAD_VERSION: {
    status: 409,
    message: 'node "{path}" has version {actual}, not {expected}',
    hint: 'somebody else changed it: read it again and decide anew',
  },
  MILLRACE_STORE_NOT_EMPTY: {
    status: 409,
    message: 'node "{path}" has children, so it cannot be deleted',
    hint: 'delete its children first',
  },
  MILLRACE_STORE_EPHEMERAL_PARENT: {
    status: 409,
    message: 'node "{path}" cannot be created: its parent is ephemeral',
    hint: 'ephemeral nodes have no children; create it beside its parent',
  },
  MILLRACE_STORE_PATH: {
    status: 400,
    message: 'path "{path}" is not one of the store: {reason}',
    hint: 'write it like "/one/two"',
  },
  MILLRACE_STORE_TOO_LARGE: {
    status: 413,
    message: 'node "{path}" cannot hold {bytes} bytes; the limit is {bytesMax}',
    hint: 'the store is for small facts: keep the data in a file or an artifact, and its name here',
  },
  MILLRACE_STORE_TOO_MANY: {
    status: 503,
    message: 'the store has {count} {what} under way already, which is its limit',
    hint: 'wait for some of them to end',
  },
  MILLRACE_STORE_SESSION_LOST: {
    status: 503,
    message: 'session "{session}" of the store is lost',
    hint: 'what was ephemeral in it is gone: open a new session and register again',
  },
  MILLRACE_STORE_CLOSED: {
    status: 503,
    message: 'session "{session}" of the store was closed before the call',
    hint: 'open a new session',
  },
  MILLRACE_STORE_UNAVAILABLE: {
    status: 503,
    message: 'the store could not carry out {what}: {reason}',
    hint: 'nothing was changed; try again later',
  },
  MILLRACE_STORE_UNCERTAIN: {
    status: 503,
    message: 'the store did not say whether it carried out {what}: {reason}',
    hint: 'it may have changed something: read before you try again',
  },
  MILLRACE_STORE_FULL: {
    status: 507,
    message: 'the store has no space left for {what}: {reason}',
    hint: 'nothing was changed; make room, then try again',
  },
  MILLRACE_STORE_DIRECTORY: {
    status: 500,
    message: 'the data directory "{directory}" cannot be used: {reason}',
    hint: 'name a directory that this process may write to',
  },
  MILLRACE_STORE_IN_USE: {
    status: 409,
    message: 'the data directory "{directory}" is in use by process {pid}',
    hint: 'stop that process, or name another directory',
  },
  MILLRACE_STORE_NEWER: {
    status: 500,
    message: 'the data directory "{directory}" has format {format}; this version reads up to format {formatMax}',
    hint: 'it was left untouched: use the newer version that wrote it, or name another directory',
  },
  MILLRACE_STORE_CORRUPT: {
    status: 500,
    message: 'file "{file}" of the store is damaged at byte {offset}: {reason}',
    hint: 'it was left untouched: restore the data directory from a copy, or name another one',
  },
  MILLRACE_STORE_CONTENT: {
    status: 500,
    message: 'node "{path}" of the store holds what cannot be read: {reason}',
    hint: 'somebody else wrote it; delete the node, or put back what was there',
  },
} as const satisfies Record<string, Entry>;
