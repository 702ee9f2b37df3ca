// Every bound of the engine, with its reason: nothing grows without one. Sizes in bytes and times in milliseconds, as
// the end of each name says. A test may run with tiny bounds: what is in `RuntimeLimits` is handed to a worker, not
// imported.

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
  /** Open trees of one spout task: its ledger then takes 25 MB, and it rests. */
  readonly openRootsMax: number;
  /** Trees that stayed open while a whole ring went by: each then costs a map entry of about 100 bytes. */
  readonly sparseRootsMax: number;
  /** One slice of a task: long enough to fill batches, short enough that other tasks wait under a millisecond. */
  readonly sliceTuplesMax: number;
  /** One turn of a worker, after which it lets its ports and timers run. */
  readonly turnMs: number;
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
  openRootsMax: 1_048_576,
  sparseRootsMax: 65_536,
  sliceTuplesMax: 256,
  turnMs: 1,
  directDepthMax: 32,
};

/** One tuple, as estimated before packing (text can pack to three times that): larger data belongs in a store. */
export const TUPLE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * One frame between workers; one tuple above the batch size may make it this large. Checked before anything is decoded.
 */
export const FRAME_BYTES_MAX = 8 * 1024 * 1024;

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

/** A topology document, before it is parsed. */
export const DOCUMENT_BYTES_MAX = 1024 * 1024;

/** A spout that emitted nothing is asked again after this rest … */
export const SPOUT_REST_MIN_MS = 1;
/** … which doubles up to this one: an idle spout then costs far below 2 % of a core. */
export const SPOUT_REST_MAX_MS = 16;

/** `close` of a component may take this long before its thread is ended. */
export const CLOSE_TIMEOUT_MS = 5_000;

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

/** Errors of one component reported within a second; the rest is counted. */
export const ERRORS_REPORTED_PER_SECOND = 5;

/** Worker deaths within `WORKER_DEATHS_WINDOW_MS` that end a topology as failed. */
export const WORKER_DEATHS_MAX = 10;
export const WORKER_DEATHS_WINDOW_MS = 60_000;

/** A line of text that a connector reads, at most: `file-lines` and its like refuse longer ones by name. */
export const LINE_BYTES_MAX = 1024 * 1024;

/** One read of a file: some thousand lines for one system call, and short from the page cache (under 0.1 ms). */
export const READ_CHUNK_BYTES = 256 * 1024;

/** A file is dealt to the tasks of a spout in blocks of this size: one read each, and small files still spread. */
export const READ_BLOCK_BYTES = 256 * 1024;

/** Files that one pattern matches: each costs some hundred bytes, and a look now and then when it is followed. */
export const FILES_MATCHED_MAX = 100_000;

/** What is hashed of a file's start, and in front of where it was read to, to know it again. */
export const FINGERPRINT_BYTES = 256;

/** Followed files are looked at this often, more rarely when they are more than `FOLLOW_LOOKS_PER_SECOND / 10`. */
export const FOLLOW_POLL_MS = 100;

/** Followed files that are looked at within a second: each look is a system call of some microseconds. */
export const FOLLOW_LOOKS_PER_SECOND = 5000;

/** Followed files that are looked at in one call: under half a millisecond. */
export const FOLLOW_LOOKS_PER_CALL = 64;

/** Patterns are searched for new files this often, more rarely when a search takes long. */
export const FOLLOW_SEARCH_MS = 1000;
/** … but at least this often, however long that was. */
export const FOLLOW_SEARCH_MAX_MS = 60_000;

/** Followed files of one task that are open at once: many systems allow a process 1,024. */
export const FOLLOW_OPEN_MAX = 256;

/** Read from one followed file before others that have grown get their turn. */
export const FOLLOW_TURN_BYTES = 4 * 1024 * 1024;

/** A followed file that was renamed or removed is let go when nothing was added to it for this long. */
export const FOLLOW_QUIET_MS = 30_000;

/**
 * Text of open lines that a task keeps for replays, because a followed file may be cut off: newer lines then go
 * without.
 */
export const FOLLOW_TEXT_BYTES = 16 * 1024 * 1024;

/** Names of a directory that are looked at to find where a file was renamed to. */
export const FOLLOW_NAMES_MAX = 10_000;

/** A sink writes in the middle of a slice when it has gathered this much. */
export const WRITE_BUFFER_BYTES = 1024 * 1024;

/** Files that a sink keeps beside the one that it writes, at most: their directory is read at each rotation. */
export const ROTATED_KEPT_MAX = 10_000;

/** A sink begins a new file at this size at the least: below, it would do nothing else. */
export const ROTATE_BYTES_MIN = 1024;

/** A spout replays a failed tuple after this time … */
export const REPLAY_WAIT_MIN_MS = 100;
/** … which doubles with each failure up to this one. */
export const REPLAY_WAIT_MAX_MS = 30_000;

/** Failed tuples of one spout task that are not acked yet, at which it brings nothing new. */
export const REPLAYS_MAX = 65_536;

/** A built-in spout keeps its progress at most this often while tuples are open. */
export const CHECKPOINT_MIN_MS = 100;

/** A spout that cannot go on waits this long for its open tuples before it ends the topology. */
export const FAIL_GRACE_MS = 30_000;

/** Keys of one `count` task: a Map ends at 16.7 million entries, and these take about a gigabyte. */
export const COUNT_KEYS_MAX = 10_000_000;

/** Records given to one ingest spout and not answered yet: each holds its values and the promise of its caller. */
export const INGEST_PENDING_MAX = 16_384;
/** … and their bytes, packed. */
export const INGEST_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Lines printed by a worker's components and not yet written out, before `print` makes them wait. */
export const PRINTS_PENDING_MAX = 1024;

/** Bounds of the HTTP interface of one host, overridable so that tests can reach them. */
export interface HttpLimits {
  /** A JSON body: a topology document with its settings is the largest that there is. */
  readonly bodyBytesMax: number;
  /** All header lines of a request: browsers and tools send 1 to 4 kB, and each connection may hold this much. */
  readonly headerBytesMax: number;
  /** The header lines must be here by then: who drips them holds a connection. */
  readonly headersTimeoutMs: number;
  /** The whole request must be here by then: the largest artifact takes a second over loopback. */
  readonly requestTimeoutMs: number;
  /** How often both are looked at: how much later than its time a slow request ends. */
  readonly timeoutCheckMs: number;
  /** A connection on which nothing moves although one end has something to send: a reader that does not read. */
  readonly stalledMs: number;
  /** A connection without a request is kept this long for the next one: longer than a client pauses in a loop. */
  readonly keepAliveMs: number;
  /** Connections at a time: each costs some 50 kB with its headers; further ones are closed as they come. */
  readonly connectionsMax: number;
  /** Requests that are under way when the host closes may take this long to end before they are cut off. */
  readonly closeMs: number;
}

export const httpLimits: HttpLimits = {
  bodyBytesMax: DOCUMENT_BYTES_MAX,
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  timeoutCheckMs: 1_000,
  stalledMs: 60_000,
  keepAliveMs: 15_000,
  connectionsMax: 1_024,
  closeMs: 5_000,
};

/** One bundle of user code: bundles with large dependencies are some ten megabytes; data belongs elsewhere. */
export const ARTIFACT_BYTES_MAX = 64 * 1024 * 1024;

/** A client waits this long for a host that says nothing, unless its options say otherwise. */
export const CLIENT_TIMEOUT_MS = 30_000;

/** A client waits this long for the tree of a record that it gave: no topology should keep a caller longer. */
export const CLIENT_INGEST_TIMEOUT_MS = 300_000;

/** A reply that a client reads: the details of a topology of `TASKS_MAX` tasks and their errors are below it. */
export const CLIENT_REPLY_BYTES_MAX = 64 * 1024 * 1024;

/** Data of one node of the store: half of what ZooKeeper takes in one packet. */
export const STORE_NODE_BYTES_MAX = 512 * 1024;

/** Paths and data of one transaction of the store: below the megabyte that ZooKeeper takes in one packet. */
export const STORE_TRANSACTION_BYTES_MAX = 1_000_000;

/** Characters of the path of a node: a few names of `NAME_LENGTH_MAX`. */
export const STORE_PATH_LENGTH_MAX = 1024;

/** A call to the store fails after this time, unless it was given another: longer than any change of a leader. */
export const STORE_CALL_TIMEOUT_MS = 10_000;

/** Calls to the store that wait for their turn: each holds its data. */
export const STORE_CALLS_MAX = 10_000;

/** Nodes that are watched in one store: far above what a host follows, far below what memory feels. */
export const STORE_WATCHES_MAX = 50_000;

/** Paths and data of the whole embedded store, which is kept in memory: a control plane needs a few megabytes. */
export const EMBEDDED_STORE_BYTES_MAX = 128 * 1024 * 1024;

/** What the embedded store writes with one fsync: more gains nothing, and holds the calls behind it up. */
export const EMBEDDED_GROUP_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The log of the embedded store is replaced by a snapshot at this length, or at that of the last snapshot if longer.
 */
export const EMBEDDED_LOG_BYTES_MAX = 16 * 1024 * 1024;

/** Topologies that have not ended: each takes nodes of the store and a place in every list. */
export const TOPOLOGIES_MAX = 1000;

/** Ended topologies whose final status stays readable; the oldest goes first. */
export const HISTORY_MAX = 100;

/** What is kept of an ended topology beside its summary, in one node; larger counts are left out. */
export const FINAL_BYTES_MAX = 128 * 1024;

/** Definition and description of a topology in the store: a document of the largest size, described and escaped. */
export const WISH_BYTES_MAX = 8 * 1024 * 1024;

/** Large values are split over nodes of this size, so that two fit into one transaction. */
export const STORE_PIECE_BYTES = 400 * 1024;

/** Progress of spouts is kept in so many nodes a topology; a write replaces those that changed. */
export const CHECKPOINT_PIECES = 16;

/** Progress is gathered for this long before it is written: one write a second and host. */
export const CHECKPOINT_GATHER_MS = 1000;

/** What a submission left behind that never became a wish is deleted after two looks this far apart. */
export const ORPHAN_LOOK_MS = 600_000;

/** A failed connection or write of the coordination is tried again after this time … */
export const STORE_RETRY_MIN_MS = 50;
/** … which doubles up to this one. */
export const STORE_RETRY_MAX_MS = 5_000;

/** Slots of one host: threads beyond the cores gain nothing, and each takes some megabytes. */
export const SLOTS_MAX = 256;

/** Incarnations that the tasks of one revision of a topology may use up: workers that died would take it months. */
export const INCARNATIONS_PER_REVISION = 65_536;

/** Definitions of submitted topologies read at a time: each takes a thread with its heap. */
export const DEFINITIONS_AT_ONCE = 2;

/**
 * How often artifacts that no topology needs are looked for: what is put and not submitted is kept this long at least.
 */
export const ARTIFACTS_LOOK_MS = 600_000;

/** A host process that died is started again after this long … */
export const HOST_RESTART_MIN_MS = 100;
/** … and after twice as long each time that it died soon again, up to this. */
export const HOST_RESTART_MAX_MS = 10_000;
/** One that listened for this long did not die of its start. */
export const HOST_STABLE_MS = 30_000;
/** One expression of `filter` and `map`, in characters: what is longer belongs in a bolt of its own. */
export const EXPRESSION_LENGTH_MAX = 4096;

/**
 * Parts of one expression: a thousand are worked out in about 50 µs, and their nesting stays far from the stack's end.
 */
export const EXPRESSION_NODES_MAX = 1000;

/** Brackets, calls and conditions inside one another in an expression. */
export const EXPRESSION_DEPTH_MAX = 50;

/** Steps and sizes of what they gave, for one expression and tuple: about a quarter of a second of one worker. */
export const EXPRESSION_COST_MAX = 5_000_000;

/** Lists and objects inside one another in what an operator is given: the library keeps a type for each shape. */
export const EXPRESSION_SHAPE_DEPTH_MAX = 8;

/** Connections of one `tcp-lines` task, unless its settings say otherwise: far below the files a process may open. */
export const TCP_CONNECTIONS = 256;
/** … which they can raise up to this. */
export const TCP_CONNECTIONS_MAX = 10_000;

/** Lines of one `tcp-lines` task that are out and not done, unless its settings say otherwise. */
export const TCP_PENDING = 10_000;
/** … which they can raise up to this: then each costs some hundred bytes beside its text. */
export const TCP_PENDING_MAX = 1_000_000;

/** Bytes of lines that are out and not done, at which a `tcp-lines` task reads no further: they are kept for replay. */
export const TCP_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of lines that have not ended yet, over all connections: who goes beyond is closed. */
export const TCP_BUFFER_BYTES_MAX = 64 * 1024 * 1024;

/** How often a line is replayed before it is given up: with the waits of `Replay` that is about a minute and a half. */
export const TCP_RETRIES = 10;
/** … which settings can raise up to this: then a line is given up after a month. */
export const TCP_RETRIES_MAX = 100_000;

/** A peer has this long to take the last answers and to let go, then its connection is cut. */
export const TCP_LINGER_MS = 1000;

/** An answer that `http-poll` reads, unless its settings say otherwise: it is held as text and as data at once. */
export const POLL_BODY_BYTES = 8 * 1024 * 1024;
/** … which they can raise up to this. */
export const POLL_BODY_BYTES_MAX = 64 * 1024 * 1024;

/** A request of `http-poll` may take this long, its body included, unless its settings say otherwise. */
export const POLL_TIMEOUT_MS = 30_000;

/** Redirects that one request follows, unless its settings say otherwise. */
export const POLL_REDIRECTS = 5;
/** … which they can raise up to this: what browsers allow. */
export const POLL_REDIRECTS_MAX = 20;

/** After a failed request `http-poll` waits this long, less some at random … */
export const POLL_BACKOFF_MIN_MS = 1000;
/** … which doubles with each further failure up to this one. */
export const POLL_BACKOFF_MAX_MS = 300_000;

/** A server may ask for this much patience (Retry-After); what is longer is cut. */
export const POLL_RETRY_AFTER_MAX_MS = 3_600_000;

/** Records of `http-poll` that are out and not done, unless its settings say otherwise: they are kept for replay. */
export const POLL_PENDING = 10_000;
/** … which they can raise up to this. */
export const POLL_PENDING_MAX = 1_000_000;

/** Bytes of answers whose records are out and not done, at which no more are emitted. */
export const POLL_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Ids of records that `http-poll` remembers, unless its settings say otherwise: about 100 bytes each. */
export const POLL_SEEN = 100_000;
/** … which they can raise up to this: then they take some hundred megabytes. */
export const POLL_SEEN_MAX = 5_000_000;

/** An id that is longer is remembered by its hash. */
export const POLL_ID_LENGTH_MAX = 128;

/** An ETag or date of a server that is longer is not kept: a checkpoint holds 1 kB. */
export const POLL_VALIDATOR_LENGTH_MAX = 256;

/** Headers and URL that `http-poll` takes. */
export const POLL_HEADERS_MAX = 64;
export const POLL_URL_LENGTH_MAX = 2048;
