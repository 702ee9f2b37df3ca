// One file that is read: opening, reading and what can go wrong with either, named. Every error is fatal, because a
// file that is missing or broken does not mend by replay. Invariant: the file is a regular one, and a read that ends
// before the size that the file had when it was opened is an error. Of a file that is followed (`growing`), nothing is
// read beyond the size that was last looked at, and to become shorter is no error. On the worker's thread.

import { failure, isMillraceError, reasonOf, type MillraceError } from '../../errors.js';
import { codeOf, type FileKind, type FileSystem } from './file-system.js';

const NEWLINE = 10;

/** Above this many bytes an error does not say which line it is about: counting lines would hold up the worker. */
const LINES_COUNTED_BYTES_MAX = 256 * 1024 * 1024;

/** A regular file, open for reading. */
export class SourceFile {
  readonly path: string;
  /** Which file it is: its inode and device do not change while it is open. */
  readonly kind: FileKind;
  private readonly system: FileSystem;
  private readonly growing: boolean;
  private size = 0;
  private file: number | null;

  /**
   * Opens it.
   *
   * @throws MILLRACE_FILE_MISSING, MILLRACE_FILE_NOT_REGULAR, MILLRACE_FILE_UNREADABLE
   */
  constructor(system: FileSystem, path: string, growing = false) {
    this.system = system;
    this.path = path;
    this.growing = growing;
    this.file = openOrThrow(system, path);
    try {
      const { kind } = (this.kind = system.stat(this.file));
      if (kind !== 'file') throw notRegular(path, kind === 'directory' ? 'a directory' : 'a pipe or a device');
      this.size = this.kind.bytes;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.file !== null;
  }

  /** The size when it was opened; of a growing file, when it was last looked at. */
  get bytes(): number {
    return this.size;
  }

  /** Looks how long it is now. */
  look(): number {
    if (this.file !== null) this.size = this.system.stat(this.file).bytes;
    return this.size;
  }

  /**
   * Reads some bytes at that position; 0 at the end of the file.
   *
   * @throws MILLRACE_FILE_READ, MILLRACE_FILE_TRUNCATED
   */
  read(buffer: Uint8Array, from: number, bytes: number, position: number): number {
    let read: number;
    if (this.growing && position >= this.size) return 0;
    const wanted = this.growing ? Math.min(bytes, this.size - position) : bytes;
    try {
      if (this.file === null) throw new Error('the file is closed');
      read = this.system.read(this.file, buffer, from, wanted, position);
    } catch (error) {
      const details = { path: this.path, offset: position, line: this.lineText(position), reason: reasonOf(error) };
      throw failure('MILLRACE_FILE_READ', details, { cause: error, fatal: true });
    }
    if (read === 0 && position < this.size && !this.growing) throw this.truncated();
    return read;
  }

  /** Reads exactly those bytes. */
  readAll(buffer: Uint8Array, bytes: number, position: number): void {
    for (let done = 0; done < bytes;) {
      const read = this.read(buffer, done, bytes - done, position + done);
      if (read === 0) throw this.truncated(Math.max(this.size, position + bytes));
      done += read;
    }
  }

  /** The error of a line that starts there and is too long. */
  lineTooLong(offset: number, bytesMax: number, ceiling: number): MillraceError {
    const details = { path: this.path, offset, line: this.lineText(offset), bytesMax, ceiling };
    return failure('MILLRACE_FILE_LINE_TOO_LONG', details, { fatal: true });
  }

  /** The error of a file that is now shorter than it was known to be. */
  truncated(knownBytes = this.size): MillraceError {
    let offset = 0;
    try {
      if (this.file !== null) offset = this.system.stat(this.file).bytes;
    } catch {
      // Only the place is missing in the message then.
    }
    const details = { path: this.path, offset, line: this.lineText(offset), bytes: knownBytes };
    return failure('MILLRACE_FILE_TRUNCATED', details, { fatal: true });
  }

  close(): void {
    if (this.file === null) return;
    const file = this.file;
    this.file = null;
    this.system.close(file);
  }

  /** ` (line 12)` for what is at that offset; empty when it cannot be told in good time. */
  private lineText(offset: number): string {
    if (this.file === null || offset > LINES_COUNTED_BYTES_MAX) return '';
    const buffer = Buffer.allocUnsafe(64 * 1024);
    let line = 1;
    try {
      for (let position = 0; position < offset;) {
        const read = this.system.read(this.file, buffer, 0, Math.min(buffer.length, offset - position), position);
        if (read === 0) return '';
        for (let at = 0; at < read; at++) if (buffer[at] === NEWLINE) line++;
        position += read;
      }
    } catch {
      // It is the error at the place itself that is told; this one only said in which line.
      return '';
    }
    return ` (line ${line})`;
  }
}

function openOrThrow(system: FileSystem, path: string): number {
  try {
    return system.openToRead(path);
  } catch (error) {
    if (isMillraceError(error)) throw error;
    const code = codeOf(error);
    const options = { cause: error, fatal: true };
    if (code === 'ENOENT') throw failure('MILLRACE_FILE_MISSING', { path, resolved: system.whole(path) }, options);
    if (code === 'EISDIR') throw notRegular(path, 'a directory');
    if (code === 'ENXIO') throw notRegular(path, 'a pipe or a device');
    const details = { path, resolved: system.whole(path), reason: reasonOf(error) };
    throw failure('MILLRACE_FILE_UNREADABLE', details, options);
  }
}

function notRegular(path: string, what: string): MillraceError {
  return failure('MILLRACE_FILE_NOT_REGULAR', { path, what }, { fatal: true });
}
