// The bounds of parameters, part of engine/limits.ts: how large they may be, and how long a task waits for its
// component to take them over.

/**
 * Parameters of the cluster, or of one topology, as JSON: each change of them goes whole to every worker that sees
 * them, and is kept in one node of the store. What is larger is data, and belongs into a stream.
 */
export const PARAMETERS_BYTES_MAX = 64 * 1024;

/** Objects and lists inside of each other in a parameter: what people write is below ten. */
export const PARAMETERS_DEPTH_MAX = 32;

/**
 * How long a bolt's calls under way are waited for before it is told of new parameters, and how long it may then take:
 * as long as a `close`, because its task takes nothing meanwhile.
 */
export const PARAMETERS_CHANGED_MAX_MS = 5_000;

/** How often the command line begins anew when somebody else sets the same parameters at the same time. */
export const PARAMETERS_TRIES_MAX = 10;
