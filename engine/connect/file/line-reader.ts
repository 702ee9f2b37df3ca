// The lines of one file that belong to one task, read in chunks into one reused buffer. A file is dealt to the tasks in
// blocks of a fixed size, and a line belongs to the block in which it starts: so the tasks agree on who reads what
// without talking, also when the file has grown between their starts, and every line is read exactly once.
// Invariant: never more than one chunk is held, or twice the longest allowed line. On the worker's thread.
//
//   blocks    |0            |1            |2            |3   …    owner of block b: task (b + shift) mod tasks
//   lines     aaaaaa bbbbbbbbbbb ccc ddddddddddddddddddd eee      b and c, d belong to blocks 0 and 1; none starts in 2
//                            │ a task that owns block 1 finds its first line start by looking for a line end from
//                            └ the last byte of block 0 on, and reads its last line to the end, into block 3

import { READ_BLOCK_BYTES, READ_CHUNK_BYTES } from '../../limits.js';
import type { SourceFile } from './source-file.js';

const NEWLINE = 10;
const RETURN = 13;
const OVER_READ_BYTES = 16 * 1024;

/** Which blocks of a file are this task's. */
export interface Share {
  /** Which task: 0 to `tasks - 1`. */
  readonly index: number;
  readonly tasks: number;
  /** Spreads small files: the number of the file in the list. */
  readonly shift: number;
  readonly blockBytes?: number;
}

/** A buffer that readers use one after the other; it grows with the longest line. */
export interface Scratch {
  buffer: Buffer;
}

/** How a reader reads. */
export interface LineReaderOptions {
  readonly lineBytesMax: number;
  /** What `lineBytesMax` can be raised to, for the message. */
  readonly lineBytesCeiling: number;
  /** For tests that want tiny ones. */
  readonly chunkBytes?: number;
  /** Used by no other reader as long as this one reads. Default one of its own. */
  readonly scratch?: Scratch;
  /** A last line without a line end is not given: the rest of it is still to come. */
  readonly partialWaits?: boolean;
}

/** Reads line by line; after `next` gave a line, `offset`, `bytes` and `nextOffset` tell where it is. */
export class LineReader {
  /** Where the line starts. */
  offset = 0;
  /** Its length without its line end. */
  bytes = 0;
  /** Where the next line starts. */
  nextOffset = 0;

  private readonly file: SourceFile;
  private readonly share: Share;
  private readonly blockBytes: number;
  private readonly options: LineReaderOptions;
  private buffer: Buffer;
  /** The position in the file of the buffer's first byte. */
  private base: number;
  private from = 0;
  private filled = 0;
  /** Lines that start here or later are not of this block. */
  private blockEnd: number;

  /** @param start - a line start: 0, or what is left of an earlier run */
  constructor(file: SourceFile, share: Share, start: number, options: LineReaderOptions) {
    this.file = file;
    this.share = share;
    this.blockBytes = share.blockBytes ?? READ_BLOCK_BYTES;
    this.options = options;
    this.buffer = options.scratch?.buffer ?? newBuffer(options.chunkBytes);
    this.base = start;
    this.blockEnd = share.tasks === 1 ? Infinity : 0;
  }

  /** Up to here everything was given: where the next line starts, or the part of one that is there. */
  get position(): number {
    return this.base + this.from;
  }

  /**
   * The next line of this task, or null when there is none.
   *
   * @throws MILLRACE_FILE_READ, MILLRACE_FILE_TRUNCATED, MILLRACE_FILE_LINE_TOO_LONG
   */
  next(): string | null {
    while (this.base + this.from >= this.blockEnd) {
      if (!this.enterBlock(this.base + this.from)) return null;
    }
    let searched = this.from;
    for (;;) {
      const found = this.buffer.indexOf(NEWLINE, searched);
      if (found !== -1 && found < this.filled) return this.take(found, found + 1);
      // One byte more may be the carriage return of the line end, three the mark at the start of the file.
      if (this.filled - this.from > this.options.lineBytesMax + 4) throw this.tooLong();
      searched = this.filled - this.from;
      const atEnd = !this.fill(this.blockEnd);
      if (!atEnd) continue;
      if (this.from === this.filled || this.options.partialWaits === true) return null;
      return this.take(this.filled, this.filled);
    }
  }

  private take(end: number, next: number): string | null {
    const { buffer, from } = this;
    const last = next > end && end > from && buffer[end - 1] === RETURN ? end - 1 : end;
    this.offset = this.base + from;
    this.bytes = last - from;
    const textFrom = from + markBytes(buffer, from, last, this.offset);
    if (last - textFrom > this.options.lineBytesMax) throw this.tooLong();
    this.nextOffset = this.base + next;
    this.from = next;
    // A file of nothing but a byte order mark has no line.
    if (textFrom === end && textFrom > from && next === end) return null;
    return buffer.toString('utf8', textFrom, last);
  }

  private tooLong(): Error {
    const { lineBytesMax, lineBytesCeiling } = this.options;
    return this.file.lineTooLong(this.base + this.from, lineBytesMax, lineBytesCeiling);
  }

  /** Goes to this task's next block with a line in it, given a line start; false when the file has no such block. */
  private enterBlock(lineStart: number): boolean {
    const { index, tasks, shift } = this.share;
    let block = Math.floor(lineStart / this.blockBytes);
    const ahead = (((index - block - shift) % tasks) + tasks) % tasks;
    if (ahead === 0) {
      this.blockEnd = (block + 1) * this.blockBytes;
      return true;
    }
    for (block += ahead; ; block += tasks) {
      const position = block * this.blockBytes;
      this.blockEnd = position + this.blockBytes;
      if (position > this.file.bytes) return false;
      this.base = position - 1;
      this.from = this.filled = 0;
      if (this.skipLine()) return true;
    }
  }

  /** Skips to the first line start of the block; false when no line starts in it. */
  private skipLine(): boolean {
    while (this.base + this.filled < this.blockEnd - 1 && this.fill(this.blockEnd)) {
      const found = this.buffer.indexOf(NEWLINE, this.from);
      if (found !== -1 && found < this.filled) {
        this.from = found + 1;
        return this.base + this.from < this.blockEnd;
      }
      this.from = this.filled;
    }
    return false;
  }

  /** Reads on, up to the end of the block and a little more where a line goes on; false at the end of the file. */
  private fill(blockEnd: number): boolean {
    if (this.from > 0) {
      this.buffer.copyWithin(0, this.from, this.filled);
      this.base += this.from;
      this.filled -= this.from;
      this.from = 0;
    }
    if (this.filled === this.buffer.length) {
      const larger = Buffer.allocUnsafe(this.buffer.length * 2);
      this.buffer.copy(larger, 0, 0, this.filled);
      this.buffer = larger;
      if (this.options.scratch !== undefined) this.options.scratch.buffer = larger;
    }
    const position = this.base + this.filled;
    const room = this.buffer.length - this.filled;
    const wanted = Math.max(blockEnd - position, OVER_READ_BYTES);
    const read = this.file.read(this.buffer, this.filled, Math.min(room, wanted), position);
    this.filled += read;
    return read > 0;
  }
}

/** A buffer to read into. */
export function newBuffer(chunkBytes = READ_CHUNK_BYTES): Buffer {
  return Buffer.allocUnsafe(Math.max(8, chunkBytes));
}

/** Reads a line again: its text, from where it starts and how long it is without its line end. */
export function readLine(file: SourceFile, offset: number, bytes: number): string {
  const buffer = Buffer.allocUnsafe(bytes);
  file.readAll(buffer, bytes, offset);
  return buffer.toString('utf8', markBytes(buffer, 0, bytes, offset), bytes);
}

/** How many bytes of a byte order mark are there; it is no part of the first line. */
function markBytes(buffer: Buffer, from: number, end: number, offset: number): number {
  if (offset !== 0 || end - from < 3) return 0;
  return buffer[from] === 0xef && buffer[from + 1] === 0xbb && buffer[from + 2] === 0xbf ? 3 : 0;
}
