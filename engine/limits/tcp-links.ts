// The bounds of TCP links between workers, part of engine/limits.ts. What travels is bounded by credit; these bound
// what credit does not: strangers, what is kept to be sent again, and how long a broken link is waited for.

/** Bounds of the TCP links of one worker, overridable so that tests can reach them. */
export interface TcpLinkLimits {
  /** Connections that have not proved yet who they are; the oldest one makes room. Each holds a few hundred bytes. */
  readonly halfOpenMax: number;
  /** Who connects must have proved itself by then: two round trips, to a thread that may be busy for a while. */
  readonly handshakeMs: number;
  /**
   * Frames of one lane that were sent and not confirmed: some 50,000 channels with their reserves in frames of their
   * own. Beyond it the link is given up.
   */
  readonly keptFramesMax: number;
  /** … and their bytes: all that credit lets be under way, packed to three times its estimate, and as much again. */
  readonly keptBytesMax: number;
  /** Bytes handed to a socket and not taken by the system: enough to fill a pipe, the rest waits where it is kept. */
  readonly socketBytesMax: number;
  /** Received frames are confirmed when they are this many … */
  readonly confirmFrames: number;
  /** … or have this many bytes; below that with the next frame that leaves, or the next beat. */
  readonly confirmBytes: number;
  /** A lane that sends nothing else says this often that it is there. */
  readonly beatMs: number;
  /**
   * After so many of its own beats without a sign of the other end, a worker takes the socket for broken. A component
   * may keep the other thread for seconds; that a whole host is cut off, main threads notice sooner.
   */
  readonly silentBeatsMax: number;
  /** A broken socket is connected again after this time … */
  readonly retryMinMs: number;
  /** … which doubles up to this one. */
  readonly retryMaxMs: number;
  /**
   * A link that is broken for so long is lost: its open trees fail and are replayed, which the message timeout would
   * do.
   */
  readonly resumeMs: number;
}

export const tcpLinkLimits: TcpLinkLimits = {
  halfOpenMax: 64,
  handshakeMs: 5_000,
  keptFramesMax: 131_072,
  keptBytesMax: 128 * 1024 * 1024,
  socketBytesMax: 1024 * 1024,
  confirmFrames: 32,
  confirmBytes: 256 * 1024,
  beatMs: 1_000,
  silentBeatsMax: 10,
  retryMinMs: 10,
  retryMaxMs: 1_000,
  resumeMs: 20_000,
};

/** Connections that have not shown their certificate yet: each holds the buffers of a handshake for some seconds. */
export const TLS_STRANGERS_MAX = 64;

/** Memory that a frame may take before more of it has come than was announced: a usual batch needs no second piece. */
export const FRAME_BYTES_FIRST = 64 * 1024;
