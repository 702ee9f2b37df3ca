// The file that a sink writes, with those that it put aside: when the file has its size or its age, it is renamed and a
// new one begins. What is written is committed, and taken back, over all files that it went to. Invariants: no file is
// larger than its size says, unless one line alone is; a file is not empty when it is put aside; what is committed with
// `sync` is on the disk, under its name. On the worker's thread.
//
//   write ──fits──► file                     commit ──► sync of the files put aside since, then of this one
//     └──full, old──► rename it, begin one            ──► sync of their names ──► close those put aside

import { failure, isMillraceError, reasonOf } from '../../errors.js';
import { codeOf, type FileSystem } from './file-system.js';
import { LineFile, type FileEnd, type Repair } from './line-file.js';
import { nextRotated, rotatedFiles, type RotatedNaming } from './rotated-names.js';

const NEWLINE = 10;

/** When a new file begins. */
export interface Rotation {
  readonly bytes: number | null;
  readonly everyMs: number | null;
  readonly names: RotatedNaming;
  /** Files kept beside the one that is written; null: all. */
  readonly keep: number | null;
}

/** What it needs to know besides. */
export interface RotatingFileHost {
  readonly system: FileSystem;
  /** Monotonic. */
  now(): number;
  /** What o'clock it is, for names. */
  wallNow(): number;
  warn(message: string): void;
}

export class RotatingFile {
  private readonly host: RotatingFileHost;
  private readonly rotation: Rotation;
  private file: LineFile;
  /** Put aside, and not committed yet. */
  private aside: { readonly file: LineFile; readonly path: string }[] = [];
  /** When the first line of the file was written; null when it has none. */
  private sinceMs: number | null;
  private namesChanged = true;

  /** @throws MILLRACE_FILE_DIRECTORY_MISSING, MILLRACE_FILE_UNWRITABLE, MILLRACE_FILE_NOT_REGULAR */
  constructor(host: RotatingFileHost, path: string, rotation: Rotation, alsoRead: boolean) {
    this.host = host;
    this.rotation = rotation;
    this.file = new LineFile(host.system, path, alsoRead);
    const ageMs = Math.max(0, host.wallNow() - this.file.kind.madeMs);
    this.sinceMs = this.file.bytes === 0 ? null : host.now() - ageMs;
  }

  /** It has a length; else it is a device or a pipe. */
  get regular(): boolean {
    return this.file.regular;
  }

  empty(): void {
    this.file.empty();
    this.sinceMs = null;
  }

  /** @throws MILLRACE_FILE_NOT_LINES */
  check(): FileEnd {
    return this.file.check();
  }

  repair(seen: FileEnd): Repair {
    return this.file.repair(seen);
  }

  /**
   * Appends lines; each has its line end.
   *
   * @throws MILLRACE_FILE_WRITE, MILLRACE_FILE_ROTATE: `rollBack` is due then
   */
  write(lines: Buffer): void {
    const { everyMs } = this.rotation;
    const nowMs = this.host.now();
    if (everyMs !== null && this.sinceMs !== null && nowMs - this.sinceMs >= everyMs) this.rotate();
    for (let from = 0; from < lines.length;) {
      const to = this.fitting(lines, from);
      if (to === from) {
        this.rotate();
        continue;
      }
      this.file.write(lines.subarray(from, to));
      this.sinceMs ??= nowMs;
      from = to;
    }
  }

  /** What was written stays, as far as the system's cache is safe. */
  commit(): void {
    for (const { file } of this.aside) {
      file.commit();
      file.close();
    }
    this.aside = [];
    this.file.commit();
  }

  /**
   * What was written stays: it is on the disk.
   *
   * @throws MILLRACE_FILE_WRITE: `rollBack` is due then
   */
  async commitToDisk(): Promise<void> {
    for (const { file } of this.aside) await file.sync();
    await this.file.sync();
    if (this.namesChanged && this.file.regular) this.syncNames();
    this.namesChanged = false;
    this.commit();
  }

  /** Takes back what was not committed. */
  rollBack(): void {
    for (const { file, path } of this.aside) {
      file.rollBack();
      try {
        file.close();
        if (file.bytes === 0) this.host.system.remove(path);
      } catch {
        // It is the error of the write that is told.
      }
    }
    this.aside = [];
    this.file.rollBack();
    if (this.file.bytes === 0) this.sinceMs = null;
  }

  close(): void {
    for (const { file } of this.aside) file.close();
    this.file.close();
  }

  /** Where the lines end that the file has room for; `from` when it must be put aside first. */
  private fitting(lines: Buffer, from: number): number {
    const { bytes } = this.rotation;
    if (bytes === null || !this.file.regular) return lines.length;
    const room = bytes - this.file.bytes;
    if (lines.length - from <= room) return lines.length;
    const last = room <= 0 ? -1 : lines.lastIndexOf(NEWLINE, from + room - 1);
    if (last >= from) return last + 1;
    return this.file.bytes > 0 ? from : lines.indexOf(NEWLINE, from) + 1;
  }

  private rotate(): void {
    const { file, host, rotation } = this;
    if (!file.regular) return;
    let to = '';
    try {
      const before = rotatedFiles(host.system, file.path, rotation.names);
      to = nextRotated(file.path, rotation.names, before, host.wallNow());
      host.system.rename(file.path, to);
      this.namesChanged = true;
      try {
        this.file = new LineFile(host.system, file.path, false);
      } catch (error) {
        // It goes on under its name then, as if nothing had happened.
        host.system.rename(to, file.path);
        throw error;
      }
      this.aside.push({ file, path: to });
      this.sinceMs = null;
      if (rotation.keep !== null) this.dropAllBut(rotation.keep, [...before.map(({ path }) => path), to]);
    } catch (error) {
      if (isMillraceError(error) && error.code === 'MILLRACE_FILE_OUTSIDE') throw error;
      const details = { path: file.path, to, reason: reasonOf(error) };
      throw failure('MILLRACE_FILE_ROTATE', details, { cause: error });
    }
  }

  private dropAllBut(keep: number, paths: readonly string[]): void {
    for (const path of paths.slice(0, Math.max(0, paths.length - keep))) {
      try {
        this.host.system.remove(path);
      } catch (error) {
        this.host.warn(`file "${path}" is one too many, and could not be removed: ${reasonOf(error)}`);
      }
    }
  }

  /** Not every system can; one that says that the disk failed is believed. */
  private syncNames(): void {
    try {
      this.host.system.syncNames(this.file.path);
    } catch (error) {
      if (codeOf(error) !== 'EIO' && codeOf(error) !== 'ENOSPC') return;
      const details = { path: this.file.path, bytes: this.file.bytes, reason: reasonOf(error) };
      throw failure('MILLRACE_FILE_WRITE', details, { cause: error });
    }
  }
}
