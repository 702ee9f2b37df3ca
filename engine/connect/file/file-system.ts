// The few calls that file components make, behind an interface, so that tests can let a disk fail where no test can
// make a real one fail, and so that all of them can be confined to one directory (confine.ts). Reads and writes of the
// page cache are synchronous: a component owns its worker for the microseconds that they take, and no promise is made a
// chunk. Only forcing data to the disk, which takes milliseconds, does not hold the worker. On the worker's thread.

import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

/** What a file is. */
export interface FileKind {
  readonly bytes: number;
  readonly kind: 'file' | 'directory' | 'other';
  /** Which one it is, for as long as it exists, whatever it is called. As text: some systems use all 64 bits. */
  readonly inode: string;
  /** What its inode is a number of. May be another one after a restart of the machine. */
  readonly device: string;
  /** When it was made, in milliseconds of wall time, as far as the system knows. */
  readonly madeMs: number;
}

/** Calls on files by their path or descriptor; each throws Node's error with its `code`. */
export interface FileSystem {
  /** The whole path, for hints: what a relative one is taken for. */
  whole(path: string): string;
  /** Opens for reading; never waits for the other end of a pipe. */
  openToRead(path: string): number;
  /** Opens for writing (and reading, where asked), making the file when it is missing. */
  openToWrite(path: string, alsoRead: boolean): number;
  stat(file: number): FileKind;
  /** What is at that path; null when there is nothing, or nothing that may be looked at. */
  statPath(path: string): FileKind | null;
  read(file: number, buffer: Uint8Array, from: number, bytes: number, position: number): number;
  /** @param position - null where the file has no positions, as a pipe */
  write(file: number, buffer: Uint8Array, from: number, bytes: number, position: number | null): number;
  truncate(file: number, bytes: number): void;
  /** Forces what was written to the disk, while the worker goes on. */
  sync(file: number): Promise<void>;
  close(file: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** The names in a directory, in no order. */
  list(directory: string): readonly string[];
  /** Has the disk keep which names the directory of that file holds. */
  syncNames(path: string): void;
}

// Opening a pipe that nobody writes to would otherwise hold the thread for ever; Windows has neither.
export const READ_FLAGS = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;

/** How `openToWrite` opens: two versions of a topology may write for a moment, and neither may write over the other. */
export function writeFlags(alsoRead: boolean): number {
  return (alsoRead ? constants.O_RDWR : constants.O_WRONLY) | constants.O_CREAT | constants.O_APPEND;
}

/** What new files may be done with, before the mask of the process. */
export const NEW_FILE_MODE = 0o666;

const fdatasyncLater = promisify(fdatasync);

/** The machine's file system. */
export const nodeFileSystem: FileSystem = {
  whole: (path) => resolve(path),
  openToRead: (path) => openSync(path, READ_FLAGS),
  openToWrite: (path, alsoRead) => openSync(path, writeFlags(alsoRead), NEW_FILE_MODE),
  stat: (file) => kindOf(fstatSync(file, { bigint: true })),
  statPath: (path) => {
    try {
      return kindOf(statSync(path, { bigint: true }));
    } catch {
      return null;
    }
  },
  read: (file, buffer, from, bytes, position) => readSync(file, buffer, from, bytes, position),
  write: (file, buffer, from, bytes, position) => writeSync(file, buffer, from, bytes, position),
  truncate: (file, bytes) => ftruncateSync(file, bytes),
  sync: (file) => fdatasyncLater(file),
  close: (file) => closeSync(file),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlinkSync(path),
  list: (directory) => readdirSync(directory),
  syncNames: (path) => {
    // Windows opens no directories, and keeps their names by itself.
    if (process.platform === 'win32') return;
    const directory = openSync(dirname(path), constants.O_RDONLY);
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  },
};

function kindOf(stats: BigIntStats): FileKind {
  return {
    bytes: Number(stats.size),
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    inode: String(stats.ino),
    device: String(stats.dev),
    madeMs: Number(stats.birthtimeMs),
  };
}

/** The code of a failed call of the system, `ENOENT`; empty when it has none. */
export function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}
