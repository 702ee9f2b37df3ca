// The bounds of a topology that runs in several processes, part of engine/limits.ts: what a lead and its members say to
// each other, and how long they wait for one another.

/** Members of one lead: each holds a connection. */
export const MEMBERS_MAX = 64;

/** Of a secret that all processes know: what can be guessed is none. */
export const SECRET_LENGTH_MIN = 16;

/** A secret, a key, or certificates in a file: a chain of some. */
export const LINK_FILE_BYTES_MAX = 256 * 1024;

/** A file that says which processes there are: a thousand bytes a member is plenty. */
export const PROCESSES_BYTES_MAX = 64 * 1024;

/**
 * One message between a lead and a member, packed, and all that waits to be sent: the counters of the largest topology,
 * or all records that an ingest desk may hold.
 */
export const MEMBER_MESSAGE_BYTES_MAX = 96 * 1024 * 1024;

/** A member sends what changed in its counters this often: what status shows is never older. */
export const MEMBER_COUNTERS_MS = 200;

/** Both say this often that they are there … */
export const MEMBER_BEAT_MS = 250;
/**
 * … and after so many own beats without a sign of the other one the connection is taken for broken: 2 s. They come from
 * main threads, which never run components, so a second without one is a machine under load or a large collection of
 * garbage, and two are a cut. Own beats are counted and not time, which passes for a main thread that is held up too.
 * (Links between workers wait longer, `tcpLinkLimits`: a component may keep its thread for seconds.)
 */
export const MEMBER_SILENT_BEATS_MAX = 8;

/**
 * A member that is to have no workers any more ends them itself, so that they close their components; one of which
 * nothing was heard for so long, several times the time between two of its counts, cannot.
 */
export const MEMBER_LEAVING_SILENT_MS = 1_000;

/** A member tries again after this time to reach the lead … */
export const MEMBER_RETRY_MIN_MS = 50;
/** … which doubles up to this one. */
export const MEMBER_RETRY_MAX_MS = 1_000;

/** A member that was lost may be back within this time before the topology fails: long enough to start it by hand. */
export const MEMBER_RETURN_MS = 60_000;

/**
 * A host that a topology has workers on and that its lead has not heard of for so long is away: they are given to other
 * hosts. It is what a cut takes to be noticed, and a second more, in which a connection that only broke is made anew.
 */
export const HOST_AWAY_MS = 3_000;

/**
 * A link between two of its hosts that is lost twice within so long: three times what a broken link is waited for, so
 * the second one was never there. One of the two counts as away then.
 */
export const UNLINKED_AGAIN_MS = 60_000;

/** One that has just been given workers may take so long to come: it may have to fetch code of some megabytes first. */
export const HOST_COMING_MS = 5_000;

/** … and is not given workers of that topology again for so long, unless it is reached before. */
export const HOST_AWAY_FORGOTTEN_MS = 60_000;

/** A host whose workers are moved away waits so long for their lead to end them: components may take 5 s to close. */
export const MEMBER_LEAVE_MS = 8_000;

/** … and looks this often whether it has. */
export const MEMBER_LEAVE_LOOK_MS = 50;

/** Who connects to a lead must have proved that it knows the secret, and say who it is, by then. */
export const MEMBER_GREETING_MS = 5_000;

/**
 * Threads that stand by on a host of a cluster, so that it begins at once with what another host ran: each takes some
 * fifteen megabytes until a worker takes it, which is then one of those that slots bound.
 */
export const SPARE_THREADS_MAX = 2;
/** They are made when no worker has been started for so long: starting one is half a second of a processor's time. */
export const SPARE_THREADS_REST_MS = 500;
