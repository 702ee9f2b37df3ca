// The few calls that file components make, behind an interface, so that tests can let a disk fail where no test can
// make a real one fail. All of them are synchronous: a component owns its worker for the microseconds that a read or
// write of the page cache takes, and no promise is made a chunk. On the worker's thread.

import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';

/** What an open file is. */
export interface FileKind {
  readonly bytes: number;
  readonly kind: 'file' | 'directory' | 'other';
}

/** Calls on files by their descriptor; each throws Node's error with its `code`. */
export interface FileSystem {
  /** Opens for reading; never waits for the other end of a pipe. */
  openToRead(path: string): number;
  /** Opens for writing (and reading, where asked), making the file when it is missing. */
  openToWrite(path: string, alsoRead: boolean): number;
  stat(file: number): FileKind;
  read(file: number, buffer: Uint8Array, from: number, bytes: number, position: number): number;
  /** @param position - null where the file has no positions, as a pipe */
  write(file: number, buffer: Uint8Array, from: number, bytes: number, position: number | null): number;
  truncate(file: number, bytes: number): void;
  sync(file: number): void;
  close(file: number): void;
}

// Opening a pipe that nobody writes to would otherwise hold the thread for ever; Windows has neither.
const READ_FLAGS = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;

/** The machine's file system. */
export const nodeFileSystem: FileSystem = {
  openToRead: (path) => openSync(path, READ_FLAGS),
  openToWrite: (path, alsoRead) => {
    return openSync(path, (alsoRead ? constants.O_RDWR : constants.O_WRONLY) | constants.O_CREAT, 0o666);
  },
  stat: (file) => {
    const stats = fstatSync(file);
    return { bytes: stats.size, kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other' };
  },
  read: (file, buffer, from, bytes, position) => readSync(file, buffer, from, bytes, position),
  write: (file, buffer, from, bytes, position) => writeSync(file, buffer, from, bytes, position),
  truncate: (file, bytes) => ftruncateSync(file, bytes),
  sync: (file) => fdatasyncSync(file),
  close: (file) => closeSync(file),
};

/** The code of a failed call of the system, `ENOENT`; empty when it has none. */
export function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}

/** The whole path, for hints: what a relative one was taken for. */
export function resolved(path: string): string {
  return resolve(path);
}
