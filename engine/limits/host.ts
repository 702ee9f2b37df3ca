// The bounds of a host, part of engine/limits.ts: its HTTP interface, its store, and what it keeps for topologies.
// Overridable ones are handed in, the others imported.

import { DOCUMENT_BYTES_MAX } from './documents.js';

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

/**
 * Requests that are under way when the host closes may take this long before its topologies are stopped: what waits for
 * a record is then still answered, before `closeMs` cuts it off.
 */
export const HOST_GRACE_MS = 2_000;

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

/**
 * After a host came, or went without a word, the master waits this long for others that do so too: hosts that start
 * together come within it, and a failure is not answered much later.
 */
export const HOSTS_GATHER_MS = 300;
/** … and no longer than this, however many follow each other. */
export const HOSTS_GATHER_MAX_MS = 3000;

/**
 * A run that could not be spread as there are slots for it tries that again after so long: what kept it, such as a task
 * that could not be opened, may pass.
 */
export const RESIZE_RETRY_MS = 5_000;

/**
 * One version of a topology that is to replace another one has this long to be ready, and again to be open: starting
 * takes seconds, and what waits for ever is to be seen.
 */
export const REPLACE_STEP_MAX_MS = 60_000;
/** … and the one before then has this long for what its bolts still have to do. */
export const REPLACE_DRAIN_MS = 30_000;
/**
 * Whoever waits for that looks this often for a version that is not to be seen: a host that was started again may be
 * behind what another one was told, for moments.
 */
export const REPLACE_LOOKS_MAX = 10;

/** Topologies that have not ended: each takes nodes of the store and a place in every list. */
export const TOPOLOGIES_MAX = 1000;

/** Ended topologies whose final status stays readable; the oldest goes first. */
export const HISTORY_MAX = 100;

/** What is kept of an ended topology beside its summary, in one node; larger counts are left out. */
export const FINAL_BYTES_MAX = 128 * 1024;

/** Characters kept of the reason that somebody gives for a kill: a sentence or two, which stand in every list. */
export const KILL_REASON_TEXT_MAX = 1_000;

/** Characters kept of the message, hint and stack of an error that ended a topology: enough to find the place. */
export const REPORT_TEXT_MAX = 8_000;

/** Characters kept of each other text of such an error: all of them, escaped, fit into a node beside its counts. */
export const REPORT_DETAIL_TEXT_MAX = 400;

/** Problems kept of an error that ended a topology: more are not read at once. */
export const REPORT_PROBLEMS_MAX = 20;

/** Errors of a component that stay readable when its topology has ended: the last ones say most. */
export const ERRORS_OF_ENDED = 3;

/** Characters kept of the message of such an error: a hundred components of them stay below `FINAL_BYTES_MAX`. */
export const FINAL_TEXT_MAX = 500;

/**
 * Tasks that the page for Prometheus tells one by one: 25 series each, so that a page stays below 4 MB. Topologies
 * beyond it are told by component.
 */
export const PROMETHEUS_TASKS_MAX = 1000;

/** Runs that ended and whose counts stay at hand: their master writes them into the history within moments. */
export const RUNS_REMEMBERED = 16;

/** Definition and description of a topology in the store: a document of the largest size, described and escaped. */
export const WISH_BYTES_MAX = 8 * 1024 * 1024;

/** Large values are split over nodes of this size, so that two fit into one transaction. */
export const STORE_PIECE_BYTES = 400 * 1024;

/** Progress of spouts is kept in so many nodes a topology; a write replaces those that changed. */
export const CHECKPOINT_PIECES = 16;

/** Progress in one write, of several topologies: leaves room for their paths in `STORE_TRANSACTION_BYTES_MAX`. */
export const CHECKPOINT_WRITE_BYTES_MAX = 900_000;

/** Progress is gathered for this long before it is written: one write a second and host. */
export const CHECKPOINT_GATHER_MS = 1000;

/** A host that could not join its cluster for this long says so: longer than a change of the store's leader. */
export const HOST_START_MAX_MS = 30_000;

/** A kill without a wait lets bolts go on for this long where messages have no timeout: as the default one. */
export const KILL_WAIT_DEFAULT_MS = 30_000;

/** Asked to end before it has started, a host process waits this long for the start: what it writes is safe anyway. */
export const HOST_START_GRACE_MS = 5_000;

/** What a submission left behind that never became a wish is deleted after two looks this far apart. */
export const ORPHAN_LOOK_MS = 600_000;

/** A failed connection or write of the coordination is tried again after this time … */
export const STORE_RETRY_MIN_MS = 50;
/** … which doubles up to this one. */
export const STORE_RETRY_MAX_MS = 5_000;

/** Slots of one host: threads beyond the cores gain nothing, and each takes some megabytes. */
export const SLOTS_MAX = 256;

/** Labels of one host: they stand in its record and are compared with what each component asks for. */
export const LABELS_MAX = 32;

/** Hosts that the cluster refused and that are kept to be shown: each is a small node, and the last ones say most. */
export const REFUSALS_MAX = 16;
/** … for so long: a day, because each has the time of its own clock, and clocks may be hours apart. */
export const REFUSALS_KEPT_MS = 86_400_000;

/** Strangers at the door of a host that are told apart, by address and reason; the one not seen for longest goes. */
export const STRANGERS_KEPT = 16;

/** Hosts named in one sentence: more are not read at once. */
export const HOSTS_NAMED_MAX = 10;

/** How often a command that waits for something asks the host. */
export const HOST_LOOK_MS = 500;
/** How often a host may not be there, one after the other: half a minute, in which it is started again. */
export const HOST_MISSES_MAX = 60;

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

/** Crashes of a host process one after the other at which a topology ran that is then held back … */
export const HOST_CRASHES_MAX = 3;
/** … if they came within this time: three starts and what a topology needs until it crashes again. */
export const HOST_CRASHES_WINDOW_MS = 600_000;

/**
 * Spouts that could not stand aside, because a rebalance went on or a worker died, are asked again after this time: a
 * worker is replaced in some tenths of a second …
 */
export const STAND_ASIDE_RETRY_MIN_MS = 250;
/** … which doubles up to this one: the version that waits for them holds its slots meanwhile. */
export const STAND_ASIDE_RETRY_MAX_MS = 5_000;

/** A record for a topology that was just submitted waits this long for it to run: loading it takes some tenths. */
export const ARRIVAL_WAIT_MS = 10_000;
/** … and so many of them: each holds its record and the promise of its caller. */
export const ARRIVALS_AWAITED_MAX = 1024;

/** Nodes that are read at once to be shown to people: their data at its largest stays below 10 MB. */
export const INSPECT_CHILDREN_AT_ONCE = 16;

/**
 * What another host may take for what this one can answer as well, or for taking code: a stopped one holds nobody up.
 */
export const FORWARD_TIMEOUT_MS = 5_000;

/** How often a record that waits for its topology to run somewhere has the store asked where. */
export const OWNER_LOOK_MS = 100;
