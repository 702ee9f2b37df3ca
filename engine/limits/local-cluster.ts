// The bounds of a cluster for trying things out on one machine (`millrace cluster up`), part of engine/limits.ts: how
// many hosts it may have, and how long is waited for them.

/** Hosts of such a cluster: each is two processes of Node, some 150 MB together. */
export const CLUSTER_HOSTS_MAX = 16;

/** Hosts take requests within this time: they need a second or two, on a machine that is busy ten times that. */
export const CLUSTER_START_MAX_MS = 60_000;

/** A host that was asked to end is killed after this time: requests under way and topologies have ended before. */
export const CLUSTER_STOP_MS = 20_000;

/** … and one that has not even started after this, for nothing runs in it. */
export const CLUSTER_UNDO_MS = 3_000;

/** A killed process is gone after some milliseconds; one that the kernel cannot end for this long is told of. */
export const CLUSTER_KILL_MS = 10_000;

/** How often processes that start or end are looked at. */
export const CLUSTER_LOOK_MS = 50;

/** A host that takes requests says so within this time, or it hangs. */
export const CLUSTER_ANSWER_MS = 2_000;

/** The file that describes such a cluster: sixteen hosts are two kilobytes. */
export const CLUSTER_STATE_BYTES_MAX = 64 * 1024;

/** Ports found free may be taken by another program before a host has them: then others are looked for. */
export const CLUSTER_PORT_TRIES = 3;

/** The log of a host that is longer is kept as the old one and begun anew: two of them are some 200,000 lines. */
export const CLUSTER_LOG_BYTES_MAX = 16 * 1024 * 1024;
/** How often its length is looked at: a host that says nothing but errors writes some megabytes meanwhile. */
export const CLUSTER_LOG_LOOK_MS = 1_000;
