// Makes a directory with those above it, one by one. Node's own recursive form tries for ever where a file system has
// the parent and refuses the child as missing, as /proc does. On the main thread.

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes that directory, if it is not there.
 *
 * @throws the error of the system
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) {
      await makeDirectory(dirname(path));
      await mkdirUnlessThere(path);
    } else if (!(await isDirectory(path))) {
      throw error;
    }
  }
}

/** Another process may make it at the same time. */
async function mkdirUnlessThere(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await isDirectory(path))) throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
