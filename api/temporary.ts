// Temporary directories that never outlive the process: each is removed when its owner is done, or else as the process
// exits. A process that is killed by signal 9 leaves its directory to the system's own cleaning. Main thread.

import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh directory, readable by this user only. */
export interface TemporaryDirectory {
  /** Its real path, free of symbolic links. */
  readonly path: string;
  /** Removes it with all that is in it; further calls do nothing. */
  dispose(): Promise<void>;
}

const live = new Set<string>();

/** Makes a fresh temporary directory. */
export async function makeTemporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'millrace-'));
  if (live.size === 0) process.on('exit', removeAll);
  live.add(path);
  return {
    path,
    dispose: async () => {
      if (!live.delete(path)) return;
      if (live.size === 0) process.off('exit', removeAll);
      await rm(path, { recursive: true, force: true });
    },
  };
}

function removeAll(): void {
  for (const path of live) rmSync(path, { recursive: true, force: true });
}
