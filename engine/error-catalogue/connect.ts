// What the built-in components meet outside: settings that are not what they must be, files that cannot be read or
// written, counts without bounds, expressions. Nearly all are fatal: no replay mends them. Part of the catalogue in
// errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const connectErrors = {
  MILLRACE_CONNECT_SETTING: {
    status: 400,
    message: 'setting "{key}" of a component of type "{type}" {what}',
    hint: 'mend it in the topology, or in the settings that were given to override it',
  },
  MILLRACE_FILE_MISSING: {
    status: 400,
    message: 'file "{path}" does not exist',
    hint: 'it was looked for at {resolved}; a relative path starts in the directory that the topology is run from',
  },
  MILLRACE_FILE_NO_MATCH: {
    status: 400,
    message: 'no file matches "{pattern}"',
    hint: 'it was searched at {resolved}; with "follow" it waits for such files instead',
  },
  MILLRACE_FILE_TOO_MANY: {
    status: 400,
    message: '{files} files match "{pattern}", and one pattern takes at most {filesMax}',
    hint: 'make the pattern narrower, or split it over several components',
  },
  MILLRACE_FILE_OUTSIDE: {
    status: 400,
    message: '"{path}" is not inside "{root}", where the files of this host\'s topologies have to be',
    hint: 'name a file in that directory, without ".." and not by a link that leads out of it',
  },
  MILLRACE_FILE_NOT_REGULAR: {
    status: 400,
    message: '"{path}" is {what}, not a file',
    hint: 'name a file; for all files of a directory give a pattern: logs/*.log',
  },
  MILLRACE_FILE_UNREADABLE: {
    status: 400,
    message: 'file "{path}" cannot be opened for reading: {reason}',
    hint: 'the user that runs the topology must be allowed to read {resolved}',
  },
  MILLRACE_FILE_READ: {
    status: 500,
    message: 'reading file "{path}" failed at byte {offset}{line}: {reason}',
    hint: 'every line before that place was handled; check the disk, then start again',
  },
  MILLRACE_FILE_TRUNCATED: {
    status: 500,
    message: 'file "{path}" ended at byte {offset}{line}, but it had {bytes} bytes: it was cut off while it was read',
    hint: 'every line before that place was handled; read files that are complete and no longer changed',
  },
  MILLRACE_FILE_LINE_TOO_LONG: {
    status: 400,
    message: 'the line that starts at byte {offset}{line} of file "{path}" is longer than {bytesMax} bytes',
    hint: 'every line before it was handled; mend the file, or raise "lineBytesMax" of the component (at most {ceiling})',
  },
  MILLRACE_FILE_DIRECTORY_MISSING: {
    status: 400,
    message: 'file "{path}" cannot be made: its directory does not exist',
    hint: 'make the directory of {resolved} first, or mend the path',
  },
  MILLRACE_FILE_UNWRITABLE: {
    status: 400,
    message: 'file "{path}" cannot be opened for writing: {reason}',
    hint: 'the user that runs the topology must be allowed to write {resolved}',
  },
  MILLRACE_FILE_NOT_LINES: {
    status: 400,
    message:
      'file "{path}" cannot be appended to: its last {bytes} bytes hold no line end, so it is not a file of lines',
    hint: 'name another file, or leave out "append" to start it anew',
  },
  MILLRACE_FILE_WRITE: {
    status: 500,
    message: 'writing file "{path}" failed after {bytes} bytes: {reason}',
    hint: 'the file ends with its last complete line; what was not written is not acked and comes again',
  },
  MILLRACE_FILE_ROTATE: {
    status: 500,
    message: 'file "{path}" could not be put aside as "{to}" to begin a new one: {reason}',
    hint: 'the user that runs the topology must be allowed to make and rename files in that directory',
  },
  MILLRACE_COUNT_KEYS: {
    status: 500,
    message: 'a count of component "{component}" has {keysMax} different keys, which is as many as one task takes',
    hint: 'raise its parallelism, or count by a key with fewer values',
  },
  MILLRACE_COUNT_KEY: {
    status: 400,
    message: 'a count cannot tell its key: {what}',
    hint: 'give all inputs of a count the same grouping: fields, with the same fields in the same order',
  },
  MILLRACE_EXPRESSION_INVALID: {
    status: 400,
    message:
      'setting "{key}" of component "{component}" is no valid expression: line {line}, column {column}: {what}{frame}',
    hint: 'expressions are written in CEL over the fields of the input{known}',
  },
  MILLRACE_EXPRESSION_FAILED: {
    status: 500,
    message:
      'setting "{key}" of component "{component}" failed for a tuple of "{source}": line {line}, column {column}: {what}{frame}',
    hint: 'guard it, with has(field.key), field != null or type(field) == string; the tuple is not lost but failed',
  },
  MILLRACE_EXPRESSION_INPUTS: {
    status: 400,
    message: 'component "{component}" passes on what it takes, but its inputs have different fields: {what}',
    hint: 'give each input a filter of its own, or bring them to the same fields with a map first',
  },
  MILLRACE_TCP_PORT_IN_USE: {
    status: 409,
    message: 'port {port} of {host} is in use: component "{component}" cannot listen there',
    hint: 'stop what listens there, choose another "port", or 0 for one that is free; with a parallelism of n a task takes each of n ports',
  },
  MILLRACE_TCP_LISTEN: {
    status: 400,
    message: 'component "{component}" cannot listen on port {port} of "{host}": {reason}',
    hint: '"host" must be an address of this machine, and ports below 1024 need a privileged user',
  },
  MILLRACE_HTTP_REQUEST: {
    status: 502,
    message: 'GET {url} failed: {reason}',
    hint: 'it is asked again after a while; nothing was lost',
  },
  MILLRACE_HTTP_STATUS: {
    status: 502,
    message: 'GET {url} was answered with status {status}',
    hint: 'it is asked again after a while; 401 and 403 need other "headers", 404 another "url"',
  },
  MILLRACE_HTTP_ANSWER: {
    status: 502,
    message: 'the answer to GET {url} cannot be used: {what}',
    hint: 'it is asked again after a while; see what the server sends, then mend "url", "items", "fields" or "bodyBytesMax"',
  },
  MILLRACE_CHANGES_TOO_MANY: {
    status: 400,
    message: 'there are more than {nodesMax} nodes at "{path}" and below, which is what "nodesMax" allows',
    hint: 'follow a smaller part of the tree, or raise "nodesMax" (at most {ceiling})',
  },
  MILLRACE_WRITER_TUPLE: {
    status: 400,
    message: 'field "{field}" of a tuple of "{source}" {what}',
    hint: 'mend what emits it, or name another field in the settings of the writer',
  },
} as const satisfies Record<string, Entry>;
