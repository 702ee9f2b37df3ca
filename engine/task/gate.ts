// Why a task takes no input now, as bits of its `gate`: the gate is 0 exactly when it may. Read for each tuple, so
// these are plain numbers. On the worker's thread.

/** Its topology is not started yet, or it is over. */
export const NOT_ACTIVE = 1;
/** A call of its component is under way. */
export const RUNNING = 2;
/** A target of it is full. */
export const BLOCKED = 4;
/** As many asynchronous calls are under way as may be. */
export const CALLS_FULL = 8;
/** `endBatch` is under way. */
export const COMMITTING = 16;
/** Its component has given up. */
export const BROKEN = 32;
/** A spout that is asked no more, until the topology is activated again. */
export const INACTIVE = 64;
/**
 * A bolt task that holds input back (hand-over.ts): it takes from its mailbox what may be taken, and nothing directly.
 */
export const HOLDING = 128;
/** Its instance is being replaced by another one (worker/supervision/task-restarts.ts). */
export const RESTARTING = 256;
/** Its component is being told of new parameters (worker/parameters.ts). */
export const TAKING_OVER = 512;
