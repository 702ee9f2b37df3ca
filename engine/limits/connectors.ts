// The bounds of built-in components, part of engine/limits.ts: what they read, hold and wait for. Where settings can
// raise one, the next one says how far.

/** A line of text that a connector reads, at most: `file-lines` and its like refuse longer ones by name. */
export const LINE_BYTES_MAX = 1024 * 1024;

/** One read of a file: some thousand lines for one system call, and short from the page cache (under 0.1 ms). */
export const READ_CHUNK_BYTES = 256 * 1024;

/** A file is dealt to the tasks of a spout in blocks of this size: one read each, and small files still spread. */
export const READ_BLOCK_BYTES = 256 * 1024;

/** Files that one pattern matches: each costs some hundred bytes, and a look now and then when it is followed. */
export const FILES_MATCHED_MAX = 100_000;

/** What is hashed of a file's start, and in front of where it was read to, to know it again. */
export const FINGERPRINT_BYTES = 256;

/** Followed files are looked at this often, more rarely when they are more than `FOLLOW_LOOKS_PER_SECOND / 10`. */
export const FOLLOW_POLL_MS = 100;

/** Followed files that are looked at within a second: each look is a system call of some microseconds. */
export const FOLLOW_LOOKS_PER_SECOND = 5000;

/** Followed files that are looked at in one call: under half a millisecond. */
export const FOLLOW_LOOKS_PER_CALL = 64;

/** Patterns are searched for new files this often, more rarely when a search takes long. */
export const FOLLOW_SEARCH_MS = 1000;
/** … but at least this often, however long that was. */
export const FOLLOW_SEARCH_MAX_MS = 60_000;

/** Followed files of one task that are open at once: many systems allow a process 1,024. */
export const FOLLOW_OPEN_MAX = 256;

/** Read from one followed file before others that have grown get their turn. */
export const FOLLOW_TURN_BYTES = 4 * 1024 * 1024;

/** A followed file that was renamed or removed is let go when nothing was added to it for this long. */
export const FOLLOW_QUIET_MS = 30_000;

/**
 * Text of open lines that a task keeps for replays, because a followed file may be cut off: newer lines then go
 * without.
 */
export const FOLLOW_TEXT_BYTES = 16 * 1024 * 1024;

/** Names of a directory that are looked at to find where a file was renamed to. */
export const FOLLOW_NAMES_MAX = 10_000;

/** A sink writes in the middle of a slice when it has gathered this much. */
export const WRITE_BUFFER_BYTES = 1024 * 1024;

/** Files that a sink keeps beside the one that it writes, at most: their directory is read at each rotation. */
export const ROTATED_KEPT_MAX = 10_000;

/** A sink begins a new file at this size at the least: below, it would do nothing else. */
export const ROTATE_BYTES_MIN = 1024;

/** Keys of one `count` task: a Map ends at 16.7 million entries, and these take about a gigabyte. */
export const COUNT_KEYS_MAX = 10_000_000;

/** One expression of `filter` and `map`, in characters: what is longer belongs in a bolt of its own. */
export const EXPRESSION_LENGTH_MAX = 4096;

/**
 * Parts of one expression: a thousand are worked out in about 50 µs, and their nesting stays far from the stack's end.
 */
export const EXPRESSION_NODES_MAX = 1000;

/** Brackets, calls and conditions inside one another in an expression. */
export const EXPRESSION_DEPTH_MAX = 50;

/** Steps and sizes of what they gave, for one expression and tuple: about a quarter of a second of one worker. */
export const EXPRESSION_COST_MAX = 5_000_000;

/** Lists and objects inside one another in what an operator is given: the library keeps a type for each shape. */
export const EXPRESSION_SHAPE_DEPTH_MAX = 8;

/** Connections of one `tcp-lines` task, unless its settings say otherwise: far below the files a process may open. */
export const TCP_CONNECTIONS = 256;
/** … which they can raise up to this. */
export const TCP_CONNECTIONS_MAX = 10_000;

/** Lines of one `tcp-lines` task that are out and not done, unless its settings say otherwise. */
export const TCP_PENDING = 10_000;
/** … which they can raise up to this: then each costs some hundred bytes beside its text. */
export const TCP_PENDING_MAX = 1_000_000;

/** Bytes of lines that are out and not done, at which a `tcp-lines` task reads no further: they are kept for replay. */
export const TCP_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of lines that have not ended yet, over all connections: who goes beyond is closed. */
export const TCP_BUFFER_BYTES_MAX = 64 * 1024 * 1024;

/** How often a line is replayed before it is given up: with the waits of `Replay` that is about a minute and a half. */
export const TCP_RETRIES = 10;

/** A peer has this long to take the last answers and to let go, then its connection is cut. */
export const TCP_LINGER_MS = 1000;

/** An answer that `http-poll` reads, unless its settings say otherwise: it is held as text and as data at once. */
export const POLL_BODY_BYTES = 8 * 1024 * 1024;
/** … which they can raise up to this. */
export const POLL_BODY_BYTES_MAX = 64 * 1024 * 1024;

/** A request of `http-poll` may take this long, its body included, unless its settings say otherwise. */
export const POLL_TIMEOUT_MS = 30_000;

/** Redirects that one request follows, unless its settings say otherwise. */
export const POLL_REDIRECTS = 5;
/** … which they can raise up to this: what browsers allow. */
export const POLL_REDIRECTS_MAX = 20;

/** After a failed request `http-poll` waits this long, less some at random … */
export const POLL_BACKOFF_MIN_MS = 1000;
/** … which doubles with each further failure up to this one. */
export const POLL_BACKOFF_MAX_MS = 300_000;

/** A server may ask for this much patience (Retry-After); what is longer is cut. */
export const POLL_RETRY_AFTER_MAX_MS = 3_600_000;

/** Records of `http-poll` that are out and not done, unless its settings say otherwise: they are kept for replay. */
export const POLL_PENDING = 10_000;
/** … which they can raise up to this. */
export const POLL_PENDING_MAX = 1_000_000;

/** Bytes of answers whose records are out and not done, at which no more are emitted. */
export const POLL_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Ids of records that `http-poll` remembers, unless its settings say otherwise: about 100 bytes each. */
export const POLL_SEEN = 100_000;
/** … which they can raise up to this: then they take some hundred megabytes. */
export const POLL_SEEN_MAX = 5_000_000;

/** An id that is longer is remembered by its hash. */
export const POLL_ID_LENGTH_MAX = 128;

/** An ETag or date of a server that is longer is not kept: a checkpoint holds 1 kB. */
export const POLL_VALIDATOR_LENGTH_MAX = 256;

/** Headers and URL that `http-poll` takes. */
export const POLL_HEADERS_MAX = 64;
export const POLL_URL_LENGTH_MAX = 2048;

/**
 * Answers of `http-poll` that are remembered until their records are done: one record that fails for ever would let
 * them gather.
 */
export const POLL_PAGES_KEPT_MAX = 16;

/** Nodes that `zookeeper-changes` follows where nothing else is said: each takes two watches and about a kilobyte. */
export const CHANGES_NODES = 10_000;
/** … and at most: half of `STORE_WATCHES_MAX`. */
export const CHANGES_NODES_MAX = 25_000;

/** Changes of `zookeeper-changes` that are out and not done: a slow topology then gets the last state of each node. */
export const CHANGES_PENDING = 1_000;
/** … and what that can be raised to. */
export const CHANGES_PENDING_MAX = 25_000;

/** Data of changes that wait to be emitted; what is beyond is read again when its turn comes. */
export const CHANGES_HELD_BYTES_MAX = 16 * 1024 * 1024;

/** Data of changes that are out and not done, before no more are emitted. */
export const CHANGES_OUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Writes of one `zookeeper-writer` under way: a round trip takes a millisecond, and a server some thousand a second.
 */
export const WRITER_CONCURRENCY = 32;

/** A write that could not be done for this long fails its tuple, which is then emitted again. */
export const WRITER_TIMEOUT_MS = 10_000;

/** Users that a connection may speak for: more are a mistake. */
export const ZOOKEEPER_USERS_MAX = 16;
