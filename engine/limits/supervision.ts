// The bounds of supervision, part of engine/limits.ts: when a worker counts as spinning, how much memory it may take,
// how often its parts are started again, and when a topology is given up.

/** A worker whose loop has not turned for so long is replaced: far above a long call, far below a message timeout. */
export const STALL_TIMEOUT_MS = 10_000;

/** … or for so long once it was told to stop: a kill should not wait for code that spins. */
export const STOPPING_STALL_MS = 1_000;

/** A worker shows this often that its loop turns, and what memory it holds: costs an idle one nothing to speak of. */
export const BEAT_MS = 100;

/** The supervisor looks this often at its workers: a leak of a gigabyte a second is seen before memory is full. */
export const LOOK_MS = 250;

/** A thread that is asked where it stands answers in some tens of milliseconds, or stands outside of JavaScript. */
export const EXAMINE_TIMEOUT_MS = 2_000;

/** Heap or buffers of one worker: less does not even load a topology, more than a terabyte is a slip of the pen. */
export const WORKER_MB_MIN = 16;
export const WORKER_MB_MAX = 1_048_576;

/** What the workers of a host share of the machine's memory; the rest is for the host itself and the system. */
export const WORKERS_MEMORY_SHARE = 0.8;
/** A worker's share of the heap is at most this much: above, one garbage collection takes seconds. */
export const WORKER_HEAP_MB_MAX = 4096;

/** Worker deaths within `WORKER_DEATHS_WINDOW_MS` that end a topology as failed. */
export const WORKER_DEATHS_MAX = 10;
/**
 * … or within the time that this many stalls take, if that is longer. Long enough that ten replacements with their
 * waits fall into it.
 */
export const WORKER_DEATHS_WINDOW_MS = 600_000;

/** Alike deaths of workers are only counted for this long after one is reported: a log must not fill with them. */
export const DEATHS_BURST_MS = 10_000;

/** A worker that died is replaced at once; the next time within the window after this wait … */
export const REPLACE_WAIT_MIN_MS = 30;
/** … which doubles with each death up to this one. */
export const REPLACE_WAIT_MAX_MS = 30_000;

/** Calls of a task that threw, with none in between that did not, after which it is restarted … */
export const TASK_ERRORS_MAX = 100;
/** … if they went on for so long: a run of bad tuples is over sooner … */
export const TASK_ERRORS_MIN_MS = 10_000;
/** … and came within this time: a few tuples that are replayed for ever restart nothing. */
export const TASK_ERRORS_WINDOW_MS = 30_000;

/** A task that is restarted gets another instance after this wait … */
export const RESTART_WAIT_MIN_MS = 1_000;
/** … which doubles with each restart up to this one. */
export const RESTART_WAIT_MAX_MS = 30_000;
/** Restarts of a task without one call that succeeded, after which its worker is replaced: about two minutes. */
export const TASK_RESTARTS_MAX = 6;
/**
 * Workers that were replaced in a row for the same task, without one success of it in the last ones, after which its
 * topology is ended: what it needs may be away for ten minutes and more.
 */
export const HOPELESS_WORKERS_MAX = 5;
