// Every bound of the engine, with its reason: nothing grows without one. Sizes in bytes and times in milliseconds, as
// the end of each name says. A test may run with tiny bounds: what is in `RuntimeLimits` is handed to a worker, not
// imported. The areas with many of their own have a file each in limits/, and all are imported from here.

export * from './limits/connectors.js';
export * from './limits/documents.js';
export * from './limits/ensemble.js';
export * from './limits/groupings.js';
export * from './limits/host.js';
export * from './limits/local-cluster.js';
export * from './limits/parameters.js';
export * from './limits/processes.js';
export * from './limits/store.js';
export * from './limits/recipes.js';
export * from './limits/supervision.js';
export * from './limits/tcp-links.js';
export * from './limits/zookeeper.js';

/** Bounds of one worker, overridable so that tests can reach them. */
export interface RuntimeLimits {
  /** A batch leaves when it holds this many tuples: above 1,024 packing gains nothing more and latency grows. */
  readonly batchTuplesMax: number;
  /** … or this many bytes: keeps a frame well below `frameBytesMax` and in the second-level cache. */
  readonly batchBytesMax: number;
  /** Tuples in the mailbox of a task from its own thread before their senders rest: a few slices of work. */
  readonly mailboxTuplesMax: number;
  /** Bytes in the mailbox of a task from its own thread before their senders rest. */
  readonly mailboxBytesMax: number;
  /** Tuples that each channel between workers may always have under way, however busy the others are. */
  readonly channelReserveTuples: number;
  /** Bytes that each channel between workers may always have under way. */
  readonly channelReserveBytes: number;
  /** Tuples under way on one link beyond the reserves of its channels, shared by all of them. */
  readonly linkSharedTuples: number;
  /** Bytes under way on one link beyond the reserves of its channels, shared by all of them. */
  readonly linkSharedBytes: number;
  /** Tuples that one synchronous call may emit into full targets: what it can overrun every bound above by. */
  readonly emitsPerCallMax: number;
  /** … or this many bytes, and one tuple more: a few such calls at once still fit into the heap of a worker. */
  readonly emitBytesPerCallMax: number;
  /** Open trees of one spout task: its ledger then takes 25 MB, and it rests. */
  readonly openRootsMax: number;
  /** Trees that stayed open while a whole ring went by: each then costs a map entry of about 100 bytes. */
  readonly sparseRootsMax: number;
  /** One slice of a task: long enough to fill batches, short enough that other tasks wait under a millisecond. */
  readonly sliceTuplesMax: number;
  /** One turn of a worker, after which it lets its ports and timers run. */
  readonly turnMs: number;
  /** Tuples that wait on one feedback edge: a cycle that makes more of them than it ends fails trees beyond it. */
  readonly feedbackTuplesMax: number;
  /** Bytes that wait on one feedback edge. */
  readonly feedbackBytesMax: number;
  /** Calls inside calls when tuples go directly from task to task: far below the stack's end with big user frames. */
  readonly directDepthMax: number;
}

export const runtimeLimits: RuntimeLimits = {
  batchTuplesMax: 1024,
  batchBytesMax: 256 * 1024,
  mailboxTuplesMax: 1024,
  mailboxBytesMax: 8 * 1024 * 1024,
  channelReserveTuples: 32,
  channelReserveBytes: 32 * 1024,
  linkSharedTuples: 16 * 1024,
  linkSharedBytes: 16 * 1024 * 1024,
  emitsPerCallMax: 65_536,
  emitBytesPerCallMax: 64 * 1024 * 1024,
  openRootsMax: 1_048_576,
  sparseRootsMax: 65_536,
  sliceTuplesMax: 256,
  turnMs: 1,
  feedbackTuplesMax: 16_384,
  feedbackBytesMax: 16 * 1024 * 1024,
  directDepthMax: 32,
};

/** One tuple, as estimated before packing (text can pack to three times that): larger data belongs in a store. */
export const TUPLE_BYTES_MAX = 2 * 1024 * 1024;

/** What a dead letter may hold beyond the tuple that it is of: the error, its code and the names of places. */
export const DEAD_LETTER_BYTES_MAX = 4096;

/**
 * One frame between workers; one tuple above the batch size may make it this large. Checked before anything is decoded.
 */
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;

/** Numbers of users' classes that travel: msgpack has 128 for all, and msgpackr keeps those from 66 up. */
export const EXTENSION_NUMBER_MAX = 63;

/** Values are walked this deep; what is deeper is a mistake or an attack. */
export const VALUE_DEPTH_MAX = 64;

/** Objects in values are walked for the first tuples of each stream of a task; later only when they cross threads. */
export const VALUES_CHECKED_FIRST = 1000;

/** Packed progress of one partition of a spout (design: bigger state never goes to the store). */
export const CHECKPOINT_BYTES_MAX = 1024;

/** Topology, component and stream names. */
export const NAME_LENGTH_MAX = 128;

/** Components of one topology. */
export const COMPONENTS_MAX = 1000;

/** Tasks of one topology, unless the host sets a lower limit. */
export const TASKS_MAX = 10_000;

/** Workers of one topology, unless the host sets a lower limit. */
export const WORKERS_MAX = 256;

/** Labels that one component, one topology or one host has: each is compared with each. */
export const LABELS_MAX = 64;

/** Priorities go from minus this to this: what is more than a handful of steps belongs in a queue. */
export const PRIORITY_MAX = 1000;

/** Key groups: above, moving state by ranges costs more than it balances. */
export const KEY_GROUPS_MAX = 32_768;

/** Fields of one stream: a tuple is handled value by value, and wider data belongs in one object. */
export const FIELDS_MAX = 1024;

/** Streams of one component. */
export const STREAMS_MAX = 256;

/** Asynchronous calls under way in one task: each holds its tuple and a promise. */
export const CONCURRENCY_MAX = 65_536;

/** Timeouts and ticks: the longest delay that a timer of the machine can wait (24.8 days). */
export const DURATION_MAX_MS = 2_147_483_647;

/** Problems of one topology that are listed; the rest is counted. Bounds the work on a hostile document. */
export const PROBLEMS_MAX = 1000;

/** Items of a function spout that are out and not acked: what it keeps for replay, unless its options say otherwise. */
export const ITERABLE_PENDING_MAX = 10_000;

/** A spout that emitted nothing is asked again after this rest … */
export const SPOUT_REST_MIN_MS = 1;
/** … which doubles up to this one: an idle spout then costs far below 2 % of a core. */
export const SPOUT_REST_MAX_MS = 16;

/**
 * Characters that a worker may have said, by `console.log` or its log, and that are not written out: it waits then. A
 * line without an end is broken there.
 */
export const OUTPUT_CHARACTERS_MAX = 1_000_000;

/** A worker that is stopped while it loads may go on with that for so long: some hundred modules take a second. */
export const STOPPED_LOADING_MS = 2_000;

/** `close` of a component may take this long before its thread is ended. */
export const CLOSE_TIMEOUT_MS = 5_000;

/**
 * What a task that hands over still has under way, when the topology is rebalanced, is given up after this time: calls
 * that never settle, tuples that are never acked by hand, and trees, where the topology has no longer message timeout.
 */
export const HAND_OVER_WAIT_MS_MAX = 30_000;

/**
 * A new task may take this long for each of `prepare`, `open` and `activate` before its rebalance is called off: spouts
 * that were asked to let go rest meanwhile.
 */
export const COMING_READY_MS_MAX = 30_000;

/** A rebalance that is called off because a worker died is tried this often: by then it is no accident. */
export const REBALANCE_TRIES_MAX = 5;

/** The definition of a topology must be read within this time: a module that spins must not hold its host. */
export const DEFINITION_TIMEOUT_MS = 10_000;

/** Heap of the thread that reads a definition: enough for any definition, small enough that a leak ends soon. */
export const DEFINITION_HEAP_MEGABYTES_MAX = 512;

/** Errors kept for the operator, the oldest dropped first. */
export const ERRORS_KEPT_MAX = 100;

/** … and of each component, so that a noisy one does not push out the others. */
export const COMPONENT_ERRORS_KEPT_MAX = 10;

/** The message and the stack of an error that a component threw, in characters each; the rest is cut off. */
export const ERROR_TEXT_MAX = 16_384;

/** What an error said, in characters, as it goes to the spout with a failed tree and into a dead letter. */
export const FAILURE_TEXT_MAX = 500;

/** Different failures that one worker tells one spout task in one turn; of further ones only the component is told. */
export const FAILURES_TOLD_MAX = 256;

/** Trees that one tuple may belong to: each costs a row in its frame, and another one when it is acked. */
export const TREES_PER_TUPLE_MAX = 16_384;

/** Errors of one component reported within a second; the rest is counted. */
export const ERRORS_REPORTED_PER_SECOND = 5;

/** Tuples in the batch of a bolt at which it is committed before the end of the turn: they are held until then. */
export const COMMITTED_AT = 4096;

/** Used-up batches at the front of a mailbox, empty by then, at which the list is moved up: rare enough to be free. */
export const BATCHES_DROPPED_AT = 64;

/** Emits of a spout at the front of what waits unsent, sent by then, at which the list is moved up. */
export const UNSENT_DROPPED_AT = 1024;

/**
 * Different texts that a link keeps at both of its ends, to send each of them once: with 64 links of a worker at most
 * 30 MB, usually a small part of that. Those of earlier generations are kept only as far as tuples that wait name them,
 * which credit bounds.
 */
export const DICTIONARY_TEXTS_MAX = 4096;
/** Longer texts are seldom the same twice. */
export const DICTIONARY_TEXT_LENGTH_MAX = 64;

/** Batches that name texts of a link at which those that are used up are dropped from the list of them. */
export const TEXT_USERS_DROPPED_AT = 64;

/** Texts whose task a fields grouping remembers, a power of two: each sending task keeps as many of them in memory. */
export const KEY_SLOTS = 512;

/**
 * A topology of up to so many components has a copy of the classes of tasks for each of them (copies.ts): a hundred of
 * them were twice as slow with copies as without.
 */
export const COMPONENT_COPIES_MAX = 16;

/** Fewer tuples than this in a batch are packed row by row: columns cost about a microsecond each. */
export const COLUMNS_TUPLES_MIN = 12;

/** Room for packed rows that a writer of frames keeps: more is let go after a frame of unusual size. */
export const PAYLOAD_BYTES_KEPT_MAX = 1024 * 1024;

/** A killed worker may take this long to end, its components closed, before its thread is: twice `CLOSE_TIMEOUT_MS`. */
export const STOP_TIMEOUT_MS = 10_000;

/** A topology that fails may take this long to handle what is under way: most does in less, and a user waits for it. */
export const FAILED_DRAIN_MS = 10_000;

/** How old counts in shared memory may be while a worker is busy: what is lost of them when it dies. */
export const COUNTS_PUBLISHED_MS = 10;

/**
 * Tuples of one task that outlived their calls and whose time until they are settled is measured; the oldest go first.
 */
export const HELD_TIMED_MAX = 256;

/** Metrics that the code of one task may have, of all kinds: each histogram takes 5 kB in its worker and outside. */
export const USER_METRICS_MAX = 100;
/** … and the length of their names. */
export const USER_METRIC_NAME_MAX = 64;

/** A spout replays a failed tuple after this time … */
export const REPLAY_WAIT_MIN_MS = 100;
/** … which doubles with each failure up to this one. */
export const REPLAY_WAIT_MAX_MS = 30_000;

/** Retries of a failed tuple before it is given up: with waits of 30 s, a month of them. */
export const RETRIES_MAX = 100_000;

/** Failed tuples of one spout task that are not acked yet, at which it brings nothing new. */
export const REPLAYS_MAX = 65_536;

/** A built-in spout keeps its progress at most this often while tuples are open. */
export const CHECKPOINT_MIN_MS = 100;

/** A spout that cannot go on waits this long for its open tuples before it ends the topology. */
export const FAIL_GRACE_MS = 30_000;

/** Records given to one ingest spout and not answered yet: each holds its values and the promise of its caller. */
export const INGEST_PENDING_MAX = 16_384;
/** … and their bytes, packed. */
export const INGEST_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Lines printed by a worker's components and not yet written out, before `print` makes them wait. */
export const PRINTS_PENDING_MAX = 1024;
