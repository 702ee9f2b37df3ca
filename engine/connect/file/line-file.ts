// A file of complete lines that grows: what a sink writes. What is written is committed when it is to stay; until then
// it can be taken back. Invariant: between two calls the file ends with a line end (or is empty), whatever failed: a
// write that stopped half-way is cut off again with all that was not committed, and so is a line that a crash left torn
// when the file is opened to be appended to. Devices and pipes have no length to cut: they get their bytes in order,
// and are given up at the first failure. On the worker's thread.
//
//   |committed lines …|written since …|torn
//   └── rollBack: ────┘ cut off here

import { failure, isMillraceError, reasonOf, type MillraceError } from '../../errors.js';
import { TUPLE_BYTES_MAX } from '../../limits.js';
import { codeOf, type FileKind, type FileSystem } from './file-system.js';

const NEWLINE = 10;

/**
 * A line that was torn is at most as long as a tuple is in JSON; a longer rest without a line end is something else.
 */
const REST_BYTES_MAX = 4 * TUPLE_BYTES_MAX;

/** Failures that no waiting mends; a full disk may have room again. */
const LASTING = new Set(['EFBIG', 'EROFS', 'EBADF', 'EPERM', 'EACCES']);

/** How a file ends: its length, and that of its last line if that is not complete. */
export interface FileEnd {
  readonly bytes: number;
  readonly restBytes: number;
}

/** What was cut off when a file was opened: nothing, or a torn line. */
export interface Repair {
  readonly cutBytes: number;
}

/** A file to append lines to. */
export class LineFile {
  readonly path: string;
  /** What it was when it was opened. */
  readonly kind: FileKind;
  /** It has a length, and can be cut. */
  readonly regular: boolean;
  private readonly system: FileSystem;
  private file: number | null;
  private size: number;
  /** Up to here what was written stays. */
  private committed: number;
  /** Something may stand behind `size`. */
  private torn = false;
  /** What was written here ends no later than this: what stands behind it is another one's. */
  private reach: number;
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
    this.kind = system.stat(this.file);
    this.regular = this.kind.kind === 'file';
    this.size = this.committed = this.reach = this.regular ? this.kind.bytes : 0;
  }

  /** Its length. */
  get bytes(): number {
    return this.size;
  }

  /** Drops what the file holds. */
  empty(): void {
    this.cutTo(0);
  }

  /**
   * Looks whether it can be repaired.
   *
   * @returns how it ends
   * @throws MILLRACE_FILE_NOT_LINES when the file is none of lines
   */
  check(): FileEnd {
    const isReadable = this.regular && this.file !== null && this.size > 0;
    return { bytes: this.size, restBytes: isReadable ? this.restAfterLastLine().length : 0 };
  }

  /**
   * Makes the file end with a complete line: a last line that is whole JSON only lacks its line end and gets it, any
   * other is torn and is cut off.
   *
   * @param seen - how it ended a while ago: when it ends otherwise now, somebody else writes there, or did, and nothing
   * is cut off
   * @throws MILLRACE_FILE_NOT_LINES when the file is none of lines; it is left as it is
   */
  repair(seen: FileEnd): Repair {
    if (!this.regular || this.file === null || this.size === 0) return { cutBytes: 0 };
    const rest = this.restAfterLastLine();
    if (rest.length === 0) return { cutBytes: 0 };
    const isOurs = this.size === seen.bytes && rest.length === seen.restBytes;
    if (!isOurs || isJson(rest)) {
      this.write(Buffer.from('\n'));
      this.commit();
      return { cutBytes: 0 };
    }
    this.cutTo(this.size - rest.length);
    return { cutBytes: rest.length };
  }

  /**
   * Appends all of it. When that fails, `rollBack` is due.
   *
   * @throws MILLRACE_FILE_WRITE; of a device or pipe at every later call, too
   */
  write(lines: Uint8Array): void {
    if (this.broken !== null) throw this.broken;
    if (this.torn) this.cutOwn();
    let done = 0;
    try {
      if (this.file === null) throw new Error('the file is closed');
      if (this.regular) this.growTo(this.system.stat(this.file).bytes);
      this.reach = this.size + lines.length;
      while (done < lines.length) {
        const position = this.regular ? this.size + done : null;
        const written = this.system.write(this.file, lines, done, lines.length - done, position);
        if (written === 0) throw new Error('nothing could be written');
        done += written;
      }
    } catch (error) {
      this.torn = true;
      throw this.failed(error);
    }
    this.size += done;
  }

  /**
   * Forces what was written to the disk. When that fails, `rollBack` is due: what of it is on the disk is not known,
   * and asking again would wrongly say that all is.
   */
  async sync(): Promise<void> {
    if (this.file === null || !this.regular || this.size === this.committed) return;
    try {
      await this.system.sync(this.file);
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** What was written stays. */
  commit(): void {
    this.committed = this.size;
  }

  /** Takes back what was not committed. */
  rollBack(): void {
    if (!this.regular || this.file === null) return;
    this.size = this.committed;
    this.torn = true;
    try {
      this.cutOwn();
    } catch {
      // The error of the write is the one to tell; the next write, or the next start, cuts off what is torn.
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

  /** What another one has written since stays, and what stands before it. */
  private growTo(bytes: number): void {
    if (bytes > this.size) this.size = this.committed = bytes;
  }

  /** Cuts off what stands behind `size`, unless another one has written behind that. */
  private cutOwn(): void {
    if (!this.regular || this.file === null) return;
    const end = this.endOf(this.file);
    if (end <= this.reach) {
      this.cutTo(this.size);
      return;
    }
    this.torn = false;
    this.growTo(end);
  }

  private endOf(file: number): number {
    try {
      return this.system.stat(file).bytes;
    } catch (error) {
      throw this.failed(error);
    }
  }

  private cutTo(bytes: number): void {
    if (!this.regular || this.file === null) return;
    try {
      this.system.truncate(this.file, bytes);
    } catch (error) {
      throw this.failed(error);
    }
    this.torn = false;
    this.size = this.committed = bytes;
  }

  private restAfterLastLine(): Uint8Array {
    if (this.file === null) return new Uint8Array(0);
    const chunk = Buffer.allocUnsafe(64 * 1024);
    let start = this.size;
    while (start > 0 && this.size - start < REST_BYTES_MAX) {
      const from = Math.max(0, start - chunk.length);
      this.readAll(this.file, chunk, start - from, from);
      const newline = chunk.subarray(0, start - from).lastIndexOf(NEWLINE);
      if (newline !== -1) return this.restFrom(this.file, from + newline + 1);
      start = from;
    }
    if (start === 0) return this.restFrom(this.file, 0);
    throw failure('MILLRACE_FILE_NOT_LINES', { path: this.path, bytes: this.size - start }, { fatal: true });
  }

  private restFrom(file: number, from: number): Uint8Array {
    const rest = Buffer.allocUnsafe(this.size - from);
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
        throw unwritable(this.system, this.path, error);
      }
      done += read;
    }
  }

  private failed(error: unknown): MillraceError {
    const details = { path: this.path, bytes: this.committed, reason: reasonOf(error) };
    const fatal = !this.regular || LASTING.has(codeOf(error));
    const failed = failure('MILLRACE_FILE_WRITE', details, { cause: error, fatal });
    if (!this.regular) this.broken = failed;
    return failed;
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
    if (isMillraceError(error)) throw error;
    const code = codeOf(error);
    const options = { cause: error, fatal: true };
    if (code === 'EISDIR') throw failure('MILLRACE_FILE_NOT_REGULAR', { path, what: 'a directory' }, options);
    if (code === 'ENOENT') {
      throw failure('MILLRACE_FILE_DIRECTORY_MISSING', { path, resolved: system.whole(path) }, options);
    }
    throw unwritable(system, path, error);
  }
}

function unwritable(system: FileSystem, path: string, error: unknown): MillraceError {
  const details = { path, resolved: system.whole(path), reason: reasonOf(error) };
  return failure('MILLRACE_FILE_UNWRITABLE', details, { cause: error, fatal: true });
}
