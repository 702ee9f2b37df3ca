// The few things that the embedded store asks of a file system, behind an interface so that tests can fill the disk.
// Node's promises; the host's main thread.

import { open, type FileHandle } from 'node:fs/promises';

/** A file that is open for writing. */
export interface StoreFile {
  /** Writes all of it at that place. */
  write(data: Uint8Array, position: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Resolves when what was written survives a loss of power. @throws when the file was deleted: nobody finds it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file for writing, which is made when it is not there. */
export type OpenFile = (path: string) => Promise<StoreFile>;

export const openFile: OpenFile = async (path) =>
  new DiskFile(await open(path, 'a').then((made) => reopened(made, path)));

/** Opened for appending it is made but keeps its content; written at a place it must be opened again. */
async function reopened(made: FileHandle, path: string): Promise<FileHandle> {
  await made.close();
  return await open(path, 'r+');
}

class DiskFile implements StoreFile {
  private readonly handle: FileHandle;

  constructor(handle: FileHandle) {
    this.handle = handle;
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < data.byteLength;) {
      const { bytesWritten } = await this.handle.write(data, done, data.byteLength - done, position + done);
      done += bytesWritten;
    }
  }

  async truncate(bytes: number): Promise<void> {
    await this.handle.truncate(bytes);
  }

  async sync(): Promise<void> {
    await this.handle.datasync();
    const { nlink } = await this.handle.stat();
    if (nlink === 0) throw new Error('its file was deleted');
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Makes renamed and created names of a directory survive a loss of power, where the system can. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch {
    // Some systems cannot sync a directory; their renames are as safe as they get.
  } finally {
    await handle.close();
  }
}
