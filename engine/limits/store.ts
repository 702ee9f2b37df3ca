// The bounds of who may do what in the store, and of the simulated store, part of engine/limits.ts. Apart, because they
// matter to who builds on the coordination alone.

/** Lines of access rules of one node: a few users with a line each. */
export const STORE_ACCESS_RULES_MAX = 64;

/** Users for whom one session speaks: each is proven again on every connection, and looked for in every rule. */
export const STORE_CREDENTIALS_MAX = 16;

/** Characters of the name of a user of the store, and of its password. */
export const STORE_USER_LENGTH_MAX = 256;

/** Servers of a simulated store: more shows nothing that these do not, and each holds the whole tree. */
export const SIMULATED_SERVERS_MAX = 9;

/**
 * How long a simulated server that is cut off from the others still answers: ZooKeeper's `syncLimit`, as we ship it.
 */
export const SIMULATED_SYNC_LIMIT_MS = 2_000;

/** Silence after which a simulated store ends a session, as hosts ask a real one for it. */
export const SIMULATED_SESSION_TIMEOUT_MS = 6_000;

/** A simulated server that does not greet a client by then is given up for the next one. */
export const SIMULATED_DIAL_MS = 1_000;

/** Nodes of one cached subtree, unless it is given another bound: each is followed twice, and held with its data. */
export const TREE_CACHE_NODES_MAX = 10_000;
