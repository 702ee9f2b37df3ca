// The log of the embedded store: what is acknowledged is on disk. A group of transactions is one frame, one write and
// one fsync. Invariant: after a failed append the file ends where it ended before, or nothing more is appended until it
// does; so a full disk leaves nothing half applied behind. One append at a time; the host's main thread.

import { failure, reasonOf, type MillraceError } from '../../../engine/errors.js';
import type { StoreFile } from './files.js';

/** What a file system says when there is no room: of the disk, of a quota, of the longest file. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export class Log {
  /** How much of the file is good. */
  bytes: number;
  private readonly file: StoreFile;
  /** A failed append may have left something behind the good part. */
  private dirty = false;

  constructor(file: StoreFile, bytes: number) {
    this.file = file;
    this.bytes = bytes;
  }

  /** A new log, which holds nothing. */
  static async create(file: StoreFile): Promise<Log> {
    await file.truncate(0);
    await file.sync();
    return new Log(file, 0);
  }

  /**
   * Resolves when the frame is on disk.
   *
   * @throws MILLRACE_STORE_FULL and MILLRACE_STORE_UNAVAILABLE: it is not in the log; MILLRACE_STORE_UNCERTAIN: who
   * reads the file after a crash may find it there
   */
  async append(frame: Uint8Array): Promise<void> {
    if (this.dirty) await this.cut().catch((error: unknown) => Promise.reject(notWritten(error)));
    this.dirty = true;
    try {
      await this.file.write(frame, this.bytes);
      await this.file.sync();
    } catch (error) {
      await this.cut().catch((cause: unknown) => {
        throw failure('MILLRACE_STORE_UNCERTAIN', { what: 'a write', reason: reasonOf(error) }, { cause });
      });
      throw notWritten(error);
    }
    this.dirty = false;
    this.bytes += frame.byteLength;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async cut(): Promise<void> {
    await this.file.truncate(this.bytes);
    await this.file.sync();
    this.dirty = false;
  }
}

/** The error of a write that changed nothing. */
export function notWritten(error: unknown): MillraceError {
  const full = NO_ROOM.has((error as NodeJS.ErrnoException | null)?.code);
  const details = { what: 'a write', reason: reasonOf(error) };
  return full
    ? failure('MILLRACE_STORE_FULL', details, { cause: error })
    : failure('MILLRACE_STORE_UNAVAILABLE', details, { cause: error });
}
