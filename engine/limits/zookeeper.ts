// The bounds of the store on ZooKeeper, part of engine/limits.ts: times that let a session outlive the loss of a
// server, and sizes below those at which a server drops a connection with everything that is on its way.

/** Silence after which the ensemble ends a session, unless asked otherwise: longer than two changes of its leader. */
export const ZOOKEEPER_SESSION_TIMEOUT_MS = 8_000;

/** The longest silence that may be asked for: ZooKeeper itself stops at twenty ticks unless it was told otherwise. */
export const ZOOKEEPER_SESSION_TIMEOUT_MAX_MS = 600_000;

/** Servers in one connection string: no ensemble has more, observers included. */
export const ZOOKEEPER_SERVERS_MAX = 64;

/** A server has this long for taking a connection and answering for a session; a paused one is left after it. */
export const ZOOKEEPER_GREETING_FIRST_MS = 1_500;
/**
 * For a session that exists it is less, so that it outlives silent servers, but no less than a loaded server needs …
 */
export const ZOOKEEPER_GREETING_MIN_MS = 250;
/** … and doubles with each round over all servers up to this one: a busy ensemble is slow to open a session. */
export const ZOOKEEPER_GREETING_MAX_MS = 10_000;

/** Pause after a round over all servers: an election takes 400 ms, and each try costs the machine next to nothing … */
export const ZOOKEEPER_DIAL_PAUSE_MIN_MS = 50;
/** … which doubles up to this one. */
export const ZOOKEEPER_DIAL_PAUSE_MAX_MS = 1_000;

/** Ending a session may take this long; after that the ensemble ends it by itself when its time is over. */
export const ZOOKEEPER_CLOSE_TIMEOUT_MS = 5_000;

/** A request as it goes over the wire: below the 1,048,575 bytes at which a server drops the whole connection. */
export const ZOOKEEPER_PACKET_BYTES_MAX = 1_040_000;

/** A reply: 60,000 names of children take 2.2 MB, so this is no list that anybody should have. */
export const ZOOKEEPER_REPLY_BYTES_MAX = 64 * 1024 * 1024;

/** The reply that opens a session has 41 bytes; who answers with more does not speak this protocol. */
export const ZOOKEEPER_GREETING_BYTES_MAX = 1024;

/** Requests without a reply, in bytes: beside their number, because each may hold a node of the largest size. */
export const ZOOKEEPER_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Paths of watches told to a server in one packet: a server drops who sends it more than a megabyte. */
export const ZOOKEEPER_WATCHES_BYTES = 100_000;

/** Reads under way for watches of one session: a change of a thousand nodes must not crowd out the calls. */
export const ZOOKEEPER_WATCH_READS_MAX = 32;

/** Requests are numbered up to here and then from 1 again: negative numbers belong to the protocol. */
export const ZOOKEEPER_XID_MAX = 2 ** 30;

/**
 * One followed path of a session is looked at this often, one after the other: servers say nothing of a node that a
 * session may not read any more, not even that it is gone. Costs one small read a second.
 */
export const ZOOKEEPER_LOOK_MS = 1_000;
