// Lines out of chunks of bytes, however these are cut. Invariants: the lines are the same for every way to cut the
// bytes; what it holds is at most one line and the chunks that were pushed and not taken yet. Any thread.

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const EMPTY = Buffer.alloc(0);

/** Takes chunks, gives lines without their ends (`\n` or `\r\n`), as UTF-8. */
export class LineSplitter {
  private readonly lineBytesMax: number;
  private readonly chunks: Buffer[] = [];
  private position = 0;
  /** The beginning of a line whose end has not come. */
  private partial = EMPTY;
  private partialLength = 0;

  constructor(lineBytesMax: number) {
    this.lineBytesMax = lineBytesMax;
  }

  /** Bytes of a line that has not ended. */
  get partialBytes(): number {
    return this.partialLength;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.chunks.push(chunk);
  }

  /** Forgets everything. */
  clear(): void {
    this.chunks.length = 0;
    this.position = this.partialLength = 0;
    this.partial = EMPTY;
  }

  /**
   * The next line, or null when there is no complete one.
   *
   * @returns `'too long'` when one is longer than it may be, whether it has ended or not; then it is of no further use
   */
  next(): { readonly line: string; readonly bytes: number } | 'too long' | null {
    for (let chunk = this.chunks[0]; chunk !== undefined; chunk = this.chunks[0]) {
      const end = chunk.indexOf(LINE_FEED, this.position);
      if (end === -1) {
        if (!this.keep(chunk.subarray(this.position))) return 'too long';
        this.chunks.shift();
        this.position = 0;
        continue;
      }
      let bytes: Buffer = chunk.subarray(this.position, end);
      if (this.partialLength > 0) {
        bytes = Buffer.concat([this.partial.subarray(0, this.partialLength), bytes]);
        this.partial = EMPTY;
        this.partialLength = 0;
      }
      this.position = end + 1;
      if (this.position === chunk.length) {
        this.chunks.shift();
        this.position = 0;
      }
      const length = bytes.length - (bytes.at(-1) === CARRIAGE_RETURN ? 1 : 0);
      if (length > this.lineBytesMax) return 'too long';
      return { line: bytes.toString('utf8', 0, length), bytes: length };
    }
    return null;
  }

  /** Copies, so that a few bytes never hold a whole chunk; the room doubles, so that single bytes stay cheap. */
  private keep(bytes: Buffer): boolean {
    const length = this.partialLength + bytes.length;
    // One more may be the \r of the line's end.
    if (length > this.lineBytesMax + 1) return false;
    if (length > this.partial.length) {
      const room = Buffer.allocUnsafe(Math.max(length, Math.min(this.partial.length * 2, this.lineBytesMax + 1)));
      this.partial.copy(room, 0, 0, this.partialLength);
      this.partial = room;
    }
    bytes.copy(this.partial, this.partialLength);
    this.partialLength = length;
    return true;
  }
}
