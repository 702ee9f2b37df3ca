// A peer cannot be run here; says what is to be installed.

export class PeerMissing extends Error {
  override readonly name = 'PeerMissing';
}
