// Cuts what comes from a server into packets, in whatever pieces it comes. Made anew for each connection, so that half
// a packet of one never meets the next. Pure, the thread of the session.
//
//   ┌ int length ┬ body … ┐ ┌ int length ┬ bo      what is left over waits in `parts` until `wantedBytes` are there:
//   └────────────┴────────┘ └────────────┴──       each byte is copied once at most

import { Unreadable } from './codec.js';

const LENGTH_BYTES = 4;

export class Frames {
  /** Set higher when the server has said who it is. */
  bodyBytesMax: number;
  private parts: Buffer[] = [];
  private partsBytes = 0;
  private wantedBytes = LENGTH_BYTES;

  constructor(bodyBytesMax: number) {
    this.bodyBytesMax = bodyBytesMax;
  }

  /**
   * Takes a piece.
   *
   * @param each - called with the body of each packet that is complete now; false stops for good
   * @throws Unreadable for a length that cannot be
   */
  push(piece: Buffer, each: (body: Buffer) => boolean): void {
    let bytes = piece;
    if (this.partsBytes > 0) {
      this.parts.push(piece);
      this.partsBytes += piece.length;
      if (this.partsBytes < this.wantedBytes) return;
      bytes = Buffer.concat(this.parts, this.partsBytes);
      this.parts = [];
      this.partsBytes = 0;
    }
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      this.wantedBytes = LENGTH_BYTES;
      if (left >= LENGTH_BYTES) this.wantedBytes += this.lengthAt(bytes, at);
      if (left < this.wantedBytes) break;
      const end = at + this.wantedBytes;
      if (!each(bytes.subarray(at + LENGTH_BYTES, end))) return;
      at = end;
    }
    if (at === bytes.length) return;
    this.parts = [bytes.subarray(at)];
    this.partsBytes = bytes.length - at;
  }

  private lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readInt32BE(at);
    if (length < 0 || length > this.bodyBytesMax) {
      throw new Unreadable(`a packet of ${length} bytes, which is none of ZooKeeper's`);
    }
    return length;
  }
}
