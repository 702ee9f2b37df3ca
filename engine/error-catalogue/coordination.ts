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
    message: 'node "{path}" does not have version {expected}',
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
  MILLRACE_STORE_MODE: {
    status: 400,
    message: 'node "{path}" of the store cannot be created in mode "{mode}"',
    hint: 'the mode is "persistent", "ephemeral", "persistent-sequential" or "ephemeral-sequential"',
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
  MILLRACE_STORE_FORBIDDEN: {
    status: 403,
    message: 'the session may not {what} node "{path}" of the store',
    hint: 'its access rules, or those of its parent, name others: connect with the credentials of one of them',
  },
  MILLRACE_STORE_ACCESS: {
    status: 400,
    message: 'the access rules for node "{path}" cannot be: {reason}',
    hint: 'each names who ("anyone", "creator" or a user with its digest) and what it may; see the message',
  },
  MILLRACE_STORE_CREDENTIALS: {
    status: 401,
    message: 'the store does not take the credentials of user "{user}": {reason}',
    hint: 'check the name and password that the session is opened with',
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
    hint: 'stop the host that it belongs to, or name another directory',
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
  MILLRACE_STORE_SUBTREE: {
    status: 507,
    message: 'the subtree "{path}" of the store has more than {nodesMax} nodes, so it is not cached any more',
    hint: 'cache a part of it, or give the cache a greater bound',
  },
  MILLRACE_MASTER_DEPOSED: {
    status: 503,
    message: 'host "{host}" is no longer the master of epoch {epoch}',
    hint: 'the next master goes on where it stopped; nothing was changed',
  },
  MILLRACE_HOST_NAME_TAKEN: {
    status: 409,
    message: 'another host of the cluster is called "{host}" (its process is {boot})',
    hint: 'give each host a name of its own (--name); one that was killed keeps its name for its session timeout',
  },
  MILLRACE_HOST_CLOSED: {
    status: 503,
    message: 'host "{host}" is closed',
    hint: 'what was wished is kept: start the host again, or ask another one',
  },
  MILLRACE_HOST_UNREACHED: {
    status: 503,
    message: 'host "{host}", which leads topology "{topology}", cannot be reached by other hosts',
    hint: 'it is gone, or was started alone; the master places the topology anew when it is gone',
  },
  MILLRACE_HOST_PART_ENDED: {
    status: 503,
    message: 'this host takes no part in topology "{topology}" any more',
    hint: 'its workers run elsewhere, or it has ended: look at its status',
  },
  MILLRACE_TOPOLOGY_EXISTS: {
    status: 409,
    message: 'topology "{name}" exists already and is {state}',
    hint: 'kill it and wait until it has ended, or submit under another name',
  },
  MILLRACE_TOPOLOGY_UNKNOWN: {
    status: 404,
    message: 'there is no topology "{name}"',
    hint: 'list the topologies to see their names; of ended ones only the last are kept',
  },
  MILLRACE_TOPOLOGY_ENDED: {
    status: 409,
    message: 'topology "{name}" cannot be {wanted}: it is {state}',
    hint: 'what is killed or has ended does not come back: submit it again, when it has ended',
  },
  MILLRACE_WISH_TOO_LARGE: {
    status: 413,
    message: 'topology "{name}" takes {bytes} bytes with its definition and description; the limit is {bytesMax}',
    hint: 'keep data out of the definition: name a file or an address in it',
  },
  MILLRACE_WISH_TOO_MANY: {
    status: 503,
    message: 'topology "{name}" is one too many: there are {count} already, which is the limit',
    hint: 'kill one that is not needed',
  },
  MILLRACE_CHECKPOINT_NO_ROOM: {
    status: 507,
    message: 'the progress of topology "{topology}" takes more than {bytesMax} bytes in one of its {pieces} pieces',
    hint: 'keep offsets only, and fewer partitions; what was kept before stays',
  },
  MILLRACE_ARTIFACT_HASH: {
    status: 400,
    message: 'the content that was put as artifact "{sha256}" hashes to "{actual}"',
    hint: 'name it by the SHA-256 of its bytes, in lower-case hex',
  },
  MILLRACE_ARTIFACT_NAME: {
    status: 400,
    message: '"{sha256}" is not the name of an artifact',
    hint: 'name it by the SHA-256 of its bytes: 64 digits in lower-case hex',
  },
  MILLRACE_ARTIFACT_TOO_LARGE: {
    status: 413,
    message: 'artifact "{sha256}" has more than {bytesMax} bytes, which is the limit',
    hint: 'leave data and unused dependencies out of the bundle',
  },
  MILLRACE_ARTIFACT_UNKNOWN: {
    status: 404,
    message: 'there is no artifact "{sha256}"',
    hint: 'put it first',
  },
  MILLRACE_ARTIFACT_WRITE: {
    status: 507,
    message: 'artifact "{sha256}" could not be written: {reason}',
    hint: 'nothing of it was kept; make room, then put it again',
  },
} as const satisfies Record<string, Entry>;
