// What may be wrong with a peer.

/** It cannot be run here; says what is to be installed. */
export class PeerMissing extends Error {
  override readonly name = 'PeerMissing';
}

/** It was run, and failed by itself: what it is compared with is left out, and the other benchmarks go on. */
export class PeerFailed extends Error {
  override readonly name = 'PeerFailed';
}
