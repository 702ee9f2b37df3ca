// Bounds of groupings and of the edges that lead back, with their reasons. Part of limits.ts. Which of them a test may
// set for a worker stands there.

/**
 * A shuffle looks at its targets once in so many tuples: what it reads is spread over enough of them to cost nothing.
 */
export const SHUFFLE_LOOK_TUPLES = 32;

/** The way to a target that is fuller than this gets less: below, it is a batch that is just being worked on. */
export const FILL_KEPT_UP = 0.25;

/** A shuffle goes beyond its own worker when the tasks there are fuller than this, on average … */
export const FILL_WIDENED = 0.5;
/** … and comes back when they have drained to this: far enough below, so that it does not swing. */
export const FILL_NARROWED = 0.1;

/** Turns in a row that left work behind, at which a worker's thread is saturated: each takes about a millisecond. */
export const SATURATED_TURNS = 32;

/**
 * What a worker said of its load holds for so long: it says so with all that it gives back, and whoever sends nothing
 * there for longer finds out by sending some.
 */
export const LOAD_TOLD_MS = 50;

/** Tuples of feedback that a task takes in a row while others wait: older work goes first, but not for ever. */
export const FEEDBACK_RUN_MAX = 64;
