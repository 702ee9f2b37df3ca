// The bounds of an ensemble of ZooKeeper servers on this machine, part of engine/limits.ts: how long is waited for its
// processes, and how much of what they write is read and kept.

/** Servers of an ensemble start within this time: three take two seconds, on a machine that is busy ten times that. */
export const ENSEMBLE_START_MAX_MS = 60_000;

/** A server that was asked to end is killed after this time: what it has acknowledged is on disk already. */
export const ENSEMBLE_STOP_MS = 3_000;

/** A killed server is gone after some milliseconds; one that the kernel cannot end for this long is told of. */
export const ENSEMBLE_KILL_MS = 10_000;

/** How often servers that start or end are looked at. */
export const ENSEMBLE_LOOK_MS = 30;

/** A server answers a question about itself within this time, or it is paused or hangs. */
export const ENSEMBLE_ANSWER_MS = 2_000;

/** … in so many bytes: the longest answers list every connection. */
export const ENSEMBLE_ANSWER_BYTES_MAX = 1024 * 1024;

/** The file that describes an ensemble: five servers and some settings are a few kilobytes. */
export const ENSEMBLE_STATE_BYTES_MAX = 256 * 1024;

/** A log of a server that is longer when the server starts is kept as the old one, and a new one is begun. */
export const ENSEMBLE_LOG_BYTES_MAX = 16 * 1024 * 1024;

/** How much of the end of a log is read for what a server died of. */
export const ENSEMBLE_LOG_TAIL_BYTES = 64 * 1024;

/** Ports found free may be taken by another program before the server has them: then others are looked for. */
export const ENSEMBLE_PORT_TRIES = 3;

/** The ports of a server that was just killed are free some milliseconds after it is gone; others are told of then. */
export const ENSEMBLE_PORT_WAIT_MS = 2_000;
