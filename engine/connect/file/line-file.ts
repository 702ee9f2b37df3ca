// A file of complete lines that grows: what a sink writes. Invariant: between two calls the file ends with a line end
// (or is empty), whatever failed: a write that stopped half-way is cut off again, and so is a line that a crash left
// torn when the file is opened to be appended to. Devices and pipes have no length to cut, and get their bytes in
// order. On the worker's thread.

import { failure, reasonOf, type MillraceError } from '../../errors.js';
import { TUPLE_BYTES_MAX } from '../../limits.js';
import { codeOf, resolved, type FileSystem } from './file-system.js';

const NEWLINE = 10;

/**
 * A line that was torn is at most as long as a tuple is in JSON; a longer rest without a line end is something else.
 */
const REST_BYTES_MAX = 4 * TUPLE_BYTES_MAX;

/** What was cut off when a file was opened: nothing, or a torn line. */
export interface Repair {
  readonly cutBytes: number;
}

/** A file to append lines to. */
export class LineFile {
  readonly path: string;
  private readonly system: FileSystem;
  private file: number | null;
  private readonly regular: boolean;
  /** Up to here the file holds complete lines. */
  private bytes: number;
  private broken: MillraceError | null = null;

  /**
   * Opens it, made when it is missing. What it holds stays until `empty` is called.
   *
   * @param alsoRead - it will be appended to: `repair` needs to read it
   * @throws MILLRACE_FILE_DIRECTORY_MISSING, MILLRACE_FILE_UNWRITABLE, MILLRACE_FILE_NOT_REGULAR
   */
  constructor(system: FileSystem, path: string, alsoRead: boolean) {
    this.system = system;
    this.path = path;
    this.file = openOrThrow(system, path, alsoRead);
    const stat = system.stat(this.file);
    this.regular = stat.kind === 'file';
    this.bytes = stat.bytes;
  }

  /** Drops what the file holds. */
  empty(): void {
    if (!this.regular || this.file === null) return;
    try {
      this.system.truncate(this.file, 0);
    } catch (error) {
      throw this.failed(error);
    }
    this.bytes = 0;
  }

  /**
   * Makes the file end with a complete line: a last line that is whole JSON only lacks its line end and gets it, any
   * other is torn and is cut off.
   *
   * @throws MILLRACE_FILE_NOT_LINES when the file is none of lines; it is left as it is
   */
  repair(): Repair {
    if (!this.regular || this.file === null || this.bytes === 0) return { cutBytes: 0 };
    const rest = this.restAfterLastLine();
    if (rest.length === 0) return { cutBytes: 0 };
    if (isJson(rest)) {
      this.write(Buffer.from('\n'));
      return { cutBytes: 0 };
    }
    try {
      this.system.truncate(this.file, this.bytes - rest.length);
    } catch (error) {
      throw this.failed(error);
    }
    this.bytes -= rest.length;
    return { cutBytes: rest.length };
  }

  /**
   * Appends all of it, or nothing.
   *
   * @throws MILLRACE_FILE_WRITE, now and at every later call
   */
  write(lines: Uint8Array): void {
    if (this.broken !== null) throw this.broken;
    if (this.file === null) throw this.failed(new Error('the file is closed'));
    let done = 0;
    try {
      while (done < lines.length) {
        const position = this.regular ? this.bytes + done : null;
        const written = this.system.write(this.file, lines, done, lines.length - done, position);
        if (written === 0) throw new Error('nothing could be written');
        done += written;
      }
    } catch (error) {
      this.broken = this.failed(error);
      this.cutBack();
      throw this.broken;
    }
    this.bytes += done;
  }

  /** Forces what was written to the disk. */
  sync(): void {
    if (this.broken !== null) throw this.broken;
    if (this.file === null || !this.regular) return;
    try {
      this.system.sync(this.file);
    } catch (error) {
      // What of it is on the disk is not known, and asking again would wrongly say that all is.
      this.broken = this.failed(error);
      throw this.broken;
    }
  }

  /** @throws MILLRACE_FILE_WRITE: some file systems tell only now that the disk is full */
  close(): void {
    if (this.file === null) return;
    const file = this.file;
    this.file = null;
    try {
      this.system.close(file);
    } catch (error) {
      throw this.failed(error);
    }
  }

  private cutBack(): void {
    if (!this.regular || this.file === null) return;
    try {
      this.system.truncate(this.file, this.bytes);
    } catch {
      // The error of the write is the one to tell; the next start cuts the torn line off.
    }
  }

  private restAfterLastLine(): Uint8Array {
    if (this.file === null) return new Uint8Array(0);
    const chunk = Buffer.allocUnsafe(64 * 1024);
    let start = this.bytes;
    while (start > 0 && this.bytes - start < REST_BYTES_MAX) {
      const from = Math.max(0, start - chunk.length);
      this.readAll(this.file, chunk, start - from, from);
      const newline = chunk.subarray(0, start - from).lastIndexOf(NEWLINE);
      if (newline !== -1) return this.restFrom(this.file, from + newline + 1);
      start = from;
    }
    if (start === 0) return this.restFrom(this.file, 0);
    throw failure('MILLRACE_FILE_NOT_LINES', { path: this.path, bytes: this.bytes - start }, { fatal: true });
  }

  private restFrom(file: number, from: number): Uint8Array {
    const rest = Buffer.allocUnsafe(this.bytes - from);
    this.readAll(file, rest, rest.length, from);
    return rest;
  }

  private readAll(file: number, buffer: Uint8Array, bytes: number, position: number): void {
    for (let done = 0; done < bytes;) {
      let read: number;
      try {
        read = this.system.read(file, buffer, done, bytes - done, position + done);
        if (read === 0) throw new Error('the file became shorter while it was read');
      } catch (error) {
        throw unwritable(this.path, error);
      }
      done += read;
    }
  }

  private failed(error: unknown): MillraceError {
    const details = { path: this.path, bytes: this.bytes, reason: reasonOf(error) };
    return failure('MILLRACE_FILE_WRITE', details, { cause: error, fatal: true });
  }
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function openOrThrow(system: FileSystem, path: string, alsoRead: boolean): number {
  try {
    return system.openToWrite(path, alsoRead);
  } catch (error) {
    const code = codeOf(error);
    const options = { cause: error, fatal: true };
    if (code === 'EISDIR') throw failure('MILLRACE_FILE_NOT_REGULAR', { path, what: 'a directory' }, options);
    if (code === 'ENOENT') {
      throw failure('MILLRACE_FILE_DIRECTORY_MISSING', { path, resolved: resolved(path) }, options);
    }
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): MillraceError {
  const details = { path, resolved: resolved(path), reason: reasonOf(error) };
  return failure('MILLRACE_FILE_UNWRITABLE', details, { cause: error, fatal: true });
}
