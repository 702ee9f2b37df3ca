// The one catalogue of errors: every failure that a user can meet has a code here, with its message, a hint and an HTTP
// status. Errors cross threads as data (`toWire`, `fromWire`), because a thrown error loses its name and code there, and
// are known by a registered symbol, never by `instanceof`, because a bundle carries a copy of this module of its own.
//
// Adding one: `MILLRACE_<AREA>_<WHAT>`; the message names the thing in quotes; `{name}` marks what the thrower fills in.

interface Entry {
  /** HTTP status when this error answers a request. */
  readonly status: number;
  readonly message: string;
  readonly hint: string;
}

/** Every error of Millrace, by code. */
export const catalogue = {
  // --- model: what is wrong with a topology as it was written -------------------------------------------------------
  MILLRACE_TOPOLOGY_INVALID: {
    status: 400,
    message: 'topology "{topology}" has {count} problem(s):{list}',
    hint: 'every problem is listed with its path; nothing was started',
  },
  MILLRACE_TOPOLOGY_MORE_PROBLEMS: {
    status: 400,
    message: '{count} further problem(s) are not listed',
    hint: 'mend the listed ones first',
  },
  MILLRACE_TOPOLOGY_NAME: {
    status: 400,
    message: '{what} "{name}" is not a valid name',
    hint: 'a name begins with a letter or a digit and goes on with letters, digits, ".", "_" and "-", at most {lengthMax} in all',
  },
  MILLRACE_TOPOLOGY_VERSION: {
    status: 400,
    message: 'the version must be text of 1 to {lengthMax} characters, not {actual}',
    hint: 'write it in quotes, such as "1.4.0", or leave it out',
  },
  MILLRACE_TOPOLOGY_FIELD_NAME: {
    status: 400,
    message: '{name} is not a valid field name, in stream "{stream}" of "{component}"',
    hint: 'a field name is text of 1 to {lengthMax} characters without control characters, and does not begin with "__"',
  },
  MILLRACE_TOPOLOGY_DUPLICATE_COMPONENT: {
    status: 400,
    message: 'two components have the id "{component}"',
    hint: 'spouts and bolts share their ids: give each one of its own',
  },
  MILLRACE_TOPOLOGY_DUPLICATE_FIELD: {
    status: 400,
    message: 'stream "{stream}" of "{component}" has the field "{field}" twice',
    hint: 'give each value a name of its own',
  },
  MILLRACE_TOPOLOGY_EMPTY_STREAM: {
    status: 400,
    message: 'stream "{stream}" of "{component}" has no fields',
    hint: 'name its fields, or leave the stream out: a stream that is not declared emits nothing',
  },
  MILLRACE_TOPOLOGY_OUTPUTS: {
    status: 400,
    message: 'the outputs of "{component}" are not field names: {what}',
    hint: "write a list such as ['word'] for the default stream, or an object with such a list for each stream",
  },
  MILLRACE_TOPOLOGY_NO_SPOUT: {
    status: 400,
    message: 'topology "{topology}" has no spout',
    hint: 'a spout brings the tuples in: define at least one',
  },
  MILLRACE_TOPOLOGY_SPOUT_WITH_INPUTS: {
    status: 400,
    message: 'spout "{component}" has inputs',
    hint: 'only bolts take tuples: make it a bolt, or remove its inputs',
  },
  MILLRACE_TOPOLOGY_BOLT_WITHOUT_INPUTS: {
    status: 400,
    message: 'bolt "{component}" has no inputs',
    hint: 'subscribe it to a stream (.shuffle(source), or "inputs" in a document), or remove it',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_COMPONENT: {
    status: 400,
    message: 'bolt "{component}" takes tuples of "{source}", which does not exist',
    hint: 'known components: {known}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_STREAM: {
    status: 400,
    message: 'bolt "{component}" takes stream "{stream}" of "{source}", which does not declare it',
    hint: 'declared streams of "{source}": {known}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_FIELD: {
    status: 400,
    message: 'bolt "{component}" groups by field "{field}", which stream "{stream}" of "{source}" does not have',
    hint: 'its fields: {known}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_GROUPING: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the grouping {grouping}, which does not exist',
    hint: 'known groupings: {known}',
  },
  MILLRACE_TOPOLOGY_GROUPING_WITHOUT_FIELDS: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by fields grouping, but names no field',
    hint: 'name the fields whose values are the key; the stream has: {known}',
  },
  MILLRACE_TOPOLOGY_GROUPING_WITH_FIELDS: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the grouping {grouping}, which has no fields, but names some',
    hint: 'use the grouping "fields", or remove the field names',
  },
  MILLRACE_TOPOLOGY_REPEATED_KEY: {
    status: 400,
    message: 'bolt "{component}" groups "{source}" by the field "{field}" twice',
    hint: 'name each field of the key once',
  },
  MILLRACE_TOPOLOGY_DUPLICATE_INPUT: {
    status: 400,
    message: 'bolt "{component}" takes stream "{stream}" of "{source}" twice',
    hint: 'it would get each tuple twice: keep one of the two subscriptions',
  },
  MILLRACE_TOPOLOGY_CYCLE: {
    status: 400,
    message: 'the components form a cycle: {cycle}',
    hint: 'tuples would go round for ever: remove the subscription that closes it',
  },
  MILLRACE_TOPOLOGY_NUMBER: {
    status: 400,
    message: '{what} must be a whole number from {min} to {max}, not {actual}',
    hint: 'choose a number within these bounds, or leave it out for the default',
  },
  MILLRACE_TOPOLOGY_DURATION: {
    status: 400,
    message: '{what} must be a duration from 1 ms to {maxMs} ms{orOff}, not {actual}',
    hint: 'write whole milliseconds as a number, or text such as "500ms", "30s", "5m" or "1h"',
  },
  MILLRACE_TOPOLOGY_FLAG: {
    status: 400,
    message: '{what} must be true or false, not {actual}',
    hint: 'write it without quotes',
  },
  MILLRACE_TOPOLOGY_KEY_GROUPS: {
    status: 400,
    message: 'bolt "{component}" has {parallelism} tasks, but keys fall into only {keyGroups} groups',
    hint: 'raise keyGroups in the config of the topology, or lower the parallelism: further tasks would get nothing',
  },
  MILLRACE_TOPOLOGY_TOO_LARGE: {
    status: 400,
    message: 'the topology has {count} {what}; the limit is {max}',
    hint: 'split it into several topologies, or have the limit raised',
  },
  MILLRACE_TOPOLOGY_COMPONENT: {
    status: 400,
    message: '"{component}" cannot be used as a {kind}: {what}',
    hint: '{expected}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_OPTION: {
    status: 400,
    message: '{owner} has no option "{option}"',
    hint: 'known options: {known}',
  },
  MILLRACE_TOPOLOGY_SOURCE: {
    status: 400,
    message: 'bolt "{component}" takes tuples of something that is not a component or stream of this topology: {actual}',
    hint: 'give what t.spout or t.bolt of the same topology returned, or its .stream(name)',
  },
  MILLRACE_TOPOLOGY_DEFINITION: {
    status: 400,
    message: 'the definition of topology "{topology}" {what}',
    hint: 'topology(name, define, options) takes a synchronous function that defines all components before it returns',
  },
  MILLRACE_CONFIG_UNKNOWN_KEY: {
    status: 400,
    message: '{owner} has no setting "{key}"',
    hint: 'known settings: {known}',
  },
  MILLRACE_CONFIG_MISSING_KEY: {
    status: 400,
    message: '{owner} needs the setting "{key}"',
    hint: 'add it: {expected}',
  },
  MILLRACE_CONFIG_VALUE: {
    status: 400,
    message: 'setting "{key}" of {owner} must be {expected}, not {actual}',
    hint: 'change the value: {description}',
  },
  MILLRACE_CONFIG_SYNTAX: {
    status: 400,
    message: '"{text}" is not a setting',
    hint: 'write key=value, such as messageTimeout=10s, or component.key=value, such as lines.path=book.txt',
  },
  MILLRACE_DOCUMENT_SYNTAX: {
    status: 400,
    message: '{file}:{line}:{column}: {what}',
    hint: 'the file is not valid JSON: mend it at that place',
  },
  MILLRACE_DOCUMENT_TOO_LARGE: {
    status: 413,
    message: '{file} has {bytes} bytes; a topology document may have {bytesMax}',
    hint: 'keep data in files of its own and name them in the settings of the components',
  },
  MILLRACE_DOCUMENT_VALUE: {
    status: 400,
    message: '{what} must be {expected}, not {actual}',
    hint: 'change the value: {description}',
  },
  MILLRACE_DOCUMENT_UNKNOWN_KEY: {
    status: 400,
    message: '{what} has no key "{key}"',
    hint: 'known keys: {known}',
  },
  MILLRACE_DOCUMENT_MISSING_KEY: {
    status: 400,
    message: '{what} needs the key "{key}"',
    hint: 'add it: {expected}',
  },
  MILLRACE_DOCUMENT_UNKNOWN_TYPE: {
    status: 400,
    message: '{kind} "{component}" has the type "{type}", which does not exist',
    hint: 'known types of {kind}s: {known}',
  },
  MILLRACE_DOCUMENT_TYPE_KIND: {
    status: 400,
    message: '"{component}" stands among the {kind}s, but its type "{type}" is a {actual}',
    hint: 'move it to the {actual}s, or choose another type; types of {kind}s: {known}',
  },
  MILLRACE_DOCUMENT_ARTIFACT: {
    status: 400,
    message: 'the artifact "{artifact}" cannot be used: there is no artifact store here',
    hint: 'remove the key and use the built-in types, or define the topology in a module and run that',
  },

  // --- component: what a spout that is one function did wrong -------------------------------------------------------
  MILLRACE_SPOUT_NOT_ITERABLE: {
    status: 500,
    message: 'the function of spout "{component}" returned {actual}, which cannot be iterated',
    hint: 'return an array, a generator or an async generator of lists of values, or write it as `function*` / `async function*`',
  },
  MILLRACE_SPOUT_ITEM: {
    status: 500,
    message: 'spout "{component}" was given {actual} to emit, which is not a list of values',
    hint: 'yield a list, one value a field: `yield [word]`',
  },
  MILLRACE_SPOUT_ITERATION: {
    status: 500,
    message: 'the iteration of spout "{component}" failed: {reason}',
    hint: 'an iterator that threw is at its end, so the topology was ended; catch in it what it can go on after',
  },

  // --- engine: what user code did wrong while it ran ----------------------------------------------------------------
  MILLRACE_EMIT_UNKNOWN_STREAM: {
    status: 500,
    message: 'component "{component}" emitted on stream "{stream}", which it does not declare',
    hint: 'declared streams: {streams}; add it to the outputs of the component',
  },
  MILLRACE_EMIT_ARITY: {
    status: 500,
    message: 'component "{component}" emitted {actual} value(s) on stream "{stream}", which has {expected} field(s): {fields}',
    hint: 'emit one value a field, in the order in which the fields are declared',
  },
  MILLRACE_EMIT_VALUE: {
    status: 500,
    message: 'component "{component}" emitted a value that cannot travel on stream "{stream}", at {path}: {what}',
    hint: 'values are plain data: null, booleans, numbers, bigints, strings, dates, binary data, and arrays and objects of them',
  },
  MILLRACE_EMIT_TOO_LARGE: {
    status: 500,
    message: 'component "{component}" emitted a tuple of about {bytes} bytes on stream "{stream}"; the limit is {bytesMax}',
    hint: 'send a reference (a path, a key) and let the receiver fetch the data',
  },
  MILLRACE_EMIT_LATE: {
    status: 500,
    message: 'component "{component}" emitted after the call that was given this emit had ended',
    hint: 'await what the call started before it returns, so that the tuple stays open until its children are out',
  },
  MILLRACE_EMIT_TOO_MANY: {
    status: 500,
    message: 'one call of component "{component}" emitted more than {emitsMax} tuples while its targets were full',
    hint: 'make the call asynchronous and `await emit.ready()` every few hundred emits',
  },
  MILLRACE_EMIT_ID_IN_BOLT: {
    status: 500,
    message: 'bolt "{component}" emitted with an id; only a spout opens trees',
    hint: 'leave the id out: what a bolt emits is anchored to its input by itself',
  },
  MILLRACE_EMIT_ANCHOR: {
    status: 500,
    message: 'component "{component}" anchored a tuple to one that is already acked or failed',
    hint: 'anchor before you ack, or emit with `anchor: null`',
  },
  MILLRACE_TASK_MANUAL_ACK: {
    status: 500,
    message: 'bolt "{component}" called {call}() but does not acknowledge by hand',
    hint: 'set `manualAck: true` in the options of the bolt, or let its calls return and throw',
  },
  MILLRACE_TASK_FAILED_TUPLE: {
    status: 500,
    message: 'bolt "{component}" failed a tuple: {reason}',
    hint: 'the spout is told by fail(id) and decides whether to replay',
  },
  MILLRACE_TASK_THREW: {
    status: 500,
    message: '{call} of component "{component}" (task {task}) threw: {reason}',
    hint: 'see the stack; the tuple failed and its spout was told',
  },
  MILLRACE_TASK_CHECKPOINT_TOO_LARGE: {
    status: 500,
    message: 'spout "{component}" gave a checkpoint of {bytes} bytes for partition "{partition}"; the limit is {bytesMax}',
    hint: 'keep an offset in it, not data',
  },
  MILLRACE_WORKER_DIED: {
    status: 500,
    message: 'worker {worker} of topology "{topology}" died: {reason}',
    hint: 'it is replaced; trees that were open are replayed',
  },
  MILLRACE_WORKER_FAILING: {
    status: 500,
    message: 'topology "{topology}" lost {deaths} workers within {seconds} s; the last one: {reason}',
    hint: 'the topology was ended, because replacing workers does not help',
  },
  MILLRACE_WORKER_DEFINITION: {
    status: 500,
    message: 'worker {worker} read another definition of topology "{topology}" than the one that was submitted',
    hint: 'the module must define the same topology each time it is imported: no clock, no randomness, no environment',
  },
  MILLRACE_WORKER_START: {
    status: 500,
    message: '{call} of component "{component}" failed: {reason}',
    hint: 'the topology was ended before its first tuple; mend what the message names and start it again',
  },
  MILLRACE_WORKER_MODULE: {
    status: 400,
    message: 'the module of topology "{topology}" failed to load in a worker: {reason}',
    hint: 'it loaded once before; look for code that depends on the thread that it runs in',
  },
  MILLRACE_RUN_KILLED: {
    status: 409,
    message: 'topology "{topology}" was ended before all of its tasks were prepared',
    hint: 'nothing was emitted; start it again',
  },
  MILLRACE_FRAME_INVALID: {
    status: 500,
    message: 'a frame was refused: {reason}',
    hint: 'both ends must run the same protocol version; the frame was dropped and open trees fail',
  },

  // --- connect: what the built-in components meet outside -----------------------------------------------------------
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
  MILLRACE_FILE_NOT_REGULAR: {
    status: 400,
    message: '"{path}" is {what}, not a file',
    hint: 'name a file; for all files of a directory give a list of their paths',
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
    message: 'file "{path}" cannot be appended to: its last {bytes} bytes hold no line end, so it is not a file of lines',
    hint: 'name another file, or leave out "append" to start it anew',
  },
  MILLRACE_FILE_WRITE: {
    status: 500,
    message: 'writing file "{path}" failed after {bytes} bytes: {reason}',
    hint: 'the file ends with its last complete line; what was not written is not acked and comes again after a restart',
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

  // --- bundle, definition, run, cli: a topology file that cannot be used, and a command line that cannot be understood --
  MILLRACE_BUNDLE_SYNTAX: {
    status: 400,
    message: '"{file}" does not compile, at {where}: {reason}{frame}',
    hint: 'mend that place and start it again; nothing was started',
  },
  MILLRACE_BUNDLE_IMPORT: {
    status: 400,
    message: '"{file}" needs "{specifier}", which cannot be found; it is imported at {where}{frame}',
    hint: '{advice}',
  },
  MILLRACE_BUNDLE_FAILED: {
    status: 500,
    message: '"{file}" could not be bundled: {reason}',
    hint: 'the bundler or its temporary directory failed, not the topology; check the installation and the free disk space',
  },
  MILLRACE_RUN_FILE_MISSING: {
    status: 404,
    message: 'there is no topology file "{file}"',
    hint: '{advice}',
  },
  MILLRACE_RUN_FILE_UNREADABLE: {
    status: 400,
    message: 'the topology file "{file}" cannot be read: {reason}',
    hint: 'give a regular file that this user may read',
  },
  MILLRACE_RUN_FILE_KIND: {
    status: 400,
    message: '"{file}" is not a kind of file that holds a topology',
    hint: 'give a module (.ts, .mts, .js, .mjs) that default-exports a topology, or a JSON document (.json)',
  },
  MILLRACE_RUN_FILE_TOO_LARGE: {
    status: 400,
    message: 'the document "{file}" has {bytes} bytes; the limit is {bytesMax}',
    hint: 'a document describes a topology; keep data in files of its own',
  },
  MILLRACE_RUN_FILE_SYNTAX: {
    status: 400,
    message: '"{file}" is not valid JSON, at {where}: {reason}{frame}',
    hint: 'mend that place and start it again; nothing was started',
  },
  MILLRACE_RUN_INTERRUPTED: {
    status: 400,
    message: '{signal} came while the topology was being {phase}',
    hint: 'no tuple was handled; start it again when you like',
  },
  MILLRACE_DEFINITION_THREW: {
    status: 400,
    message: '"{file}" threw while it was loading{where}: {reason}',
    hint: 'a topology module only defines; open files and connections in the open or prepare of a component',
  },
  MILLRACE_DEFINITION_REJECTED: {
    status: 400,
    message: '"{file}" left a promise rejected while it was loading{where}: {reason}',
    hint: 'await the promise or catch its rejection; better, move that work into the open or prepare of a component',
  },
  MILLRACE_DEFINITION_EXITED: {
    status: 400,
    message: '"{file}" ended its process while it was loading{where}: process.exit({exitCode})',
    hint: 'a topology module only defines; throw an error where it cannot, and never call process.exit()',
  },
  MILLRACE_DEFINITION_TIMEOUT: {
    status: 400,
    message: '"{file}" was not loaded within {seconds} s',
    hint: 'look for an endless loop, or for a top-level await on something slow; move that work into the open or prepare of a component',
  },
  MILLRACE_DEFINITION_UNSETTLED: {
    status: 400,
    message: '"{file}" never finished loading: it awaits a promise at its top level that nothing settles',
    hint: 'settle that promise, or move the await into the open or prepare of a component',
  },
  MILLRACE_DEFINITION_MEMORY: {
    status: 400,
    message: '"{file}" needed more than {heapMegabytes} MB of heap while it was loading',
    hint: 'load data in the open or prepare of a component, not while the topology is defined',
  },
  MILLRACE_DEFINITION_EXPORT: {
    status: 400,
    message: '"{file}" default-exports {found} instead of a topology',
    hint: '{advice}',
  },
  MILLRACE_DEFINITION_THREAD: {
    status: 500,
    message: 'the definition of "{file}" could not be read: {reason}',
    hint: 'the thread that reads it ended by itself; this is not a fault that the module reported',
  },
  MILLRACE_CLI_USAGE: {
    status: 400,
    message: '{reason}',
    hint: '{advice}',
  },
  MILLRACE_CLI_OUTPUT: {
    status: 500,
    message: 'standard output could not be written: {reason}',
    hint: 'the topology was drained and stopped, because what its components print would be lost; check where the output goes',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof catalogue;

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** What the message and the hint of an error need to be filled in. */
export type ErrorDetails<C extends ErrorCode> = Readonly<
  Record<Names<(typeof catalogue)[C]['message'] | (typeof catalogue)[C]['hint']>, string | number>
>;

/** One thing that is wrong with a topology: which rule, where in it, what, and what to do. */
export interface Problem {
  readonly code: string;
  /** Where: `bolts.count.inputs[0].fields[0]`. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** An error as plain data, for ports, files and HTTP. */
export interface WireError {
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  readonly hint: string | null;
  readonly stack: string | null;
  readonly fatal: boolean;
  readonly problems: readonly Problem[];
}

const BRAND = Symbol.for('millrace.error');

/** An error from the catalogue. Test for it with {@link isMillraceError}. */
export class MillraceError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly status: number;
  readonly problems: readonly Problem[];
  /** Thrown by a component, it ends the topology instead of failing one tuple: no replay can help. */
  readonly fatal: boolean;

  constructor(code: ErrorCode, message: string, hint: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MillraceError';
    this.code = code;
    this.hint = hint;
    this.status = catalogue[code].status;
    this.problems = options.problems ?? [];
    this.fatal = options.fatal ?? false;
  }
}

export interface FailureOptions {
  readonly cause?: unknown;
  readonly problems?: readonly Problem[];
  readonly fatal?: boolean;
}

/** Makes the error of that code, with its message and hint filled in. */
export function failure<C extends ErrorCode>(
  code: C,
  details: ErrorDetails<C>,
  options: FailureOptions = {},
): MillraceError {
  const entry = catalogue[code];
  return new MillraceError(code, fill(entry.message, details), fill(entry.hint, details), options);
}

/** Makes the problem of that code at that path, with its message and hint filled in. */
export function problem<C extends ErrorCode>(code: C, path: string, details: ErrorDetails<C>, hint?: string): Problem {
  const entry = catalogue[code];
  return { code, path, message: fill(entry.message, details), hint: hint ?? fill(entry.hint, details) };
}

function fill(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}

export function isMillraceError(value: unknown): value is MillraceError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** The message of whatever was thrown. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}

/** Whatever was thrown, as plain data. */
export function toWire(thrown: unknown): WireError {
  const error = thrown as Partial<MillraceError> | null | undefined;
  const ours = isMillraceError(thrown);
  return {
    name: typeof error?.name === 'string' ? error.name : 'Error',
    code: typeof error?.code === 'string' ? error.code : null,
    message: reasonOf(thrown),
    hint: ours ? thrown.hint : null,
    stack: typeof error?.stack === 'string' ? error.stack : null,
    fatal: ours && thrown.fatal,
    problems: ours ? thrown.problems : [],
  };
}

/** The error that `toWire` took apart: one of the catalogue where its code is in it, else a plain one. */
export function fromWire(wire: WireError): Error {
  if (wire.code !== null && Object.hasOwn(catalogue, wire.code)) {
    const error = new MillraceError(wire.code as ErrorCode, wire.message, wire.hint ?? '', {
      problems: wire.problems,
      fatal: wire.fatal,
    });
    if (wire.stack !== null) error.stack = wire.stack;
    return error;
  }
  const error: Error & { code?: string } = new Error(wire.message);
  error.name = wire.name;
  if (wire.code !== null) error.code = wire.code;
  if (wire.stack !== null) error.stack = wire.stack;
  return error;
}
