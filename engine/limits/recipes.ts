// The bounds of the recipes of coordination, part of engine/limits.ts: how many may wait, how long, and how much is
// kept of what they hold together.

/** Who waits for a lock, a lease or a command in one line: each is a node, and each look reads all their names. */
export const LINE_MAX = 1000;

/** A wait that names no time ends after this one: longer than any outage that a caller would sit through. */
export const RECIPE_WAIT_MS = 60_000;

/**
 * A step that the store did not take is tried again after `STORE_RETRY_MIN_MS`, doubling up to this: a lock moves on.
 */
export const RECIPE_RETRY_MAX_MS = 1_000;

/** Members of a group: each is a node that every other one reads. */
export const GROUP_MEMBERS_MAX = 1000;

/** What a member says about itself, as JSON: all members of a full group stay below the store's megabytes. */
export const MEMBER_DATA_BYTES_MAX = 16 * 1024;

/** Commands in one queue, taken ones included: each look reads all their names. */
export const COMMANDS_MAX = 1000;

/** Leases of one semaphore: each is a node in a list that every newcomer reads. */
export const LEASES_MAX = 1000;

/** Members of one round of a double barrier: each of them follows all others. */
export const BARRIER_MEMBERS_MAX = 200;

/** Shards of one group: each is a node, and a watch of every member that wants it. */
export const SHARDS_MAX = 1024;

/** Members that come and go within this time after the first of them move shards once. */
export const SHARDS_GATHER_MS = 300;

/** A shard whose work failed is begun again after `STORE_RETRY_MIN_MS`, doubling up to this. */
export const SHARD_RESTART_MAX_MS = 30_000;

/** Ids in one block: at a block a second, numbers below 2^53 last for three centuries. */
export const ID_BLOCK_MAX = 1_000_000;

/** Writes of one counter, configuration or queue that wait for the one before them in this process. */
export const WITNESSED_MAX = 1000;
