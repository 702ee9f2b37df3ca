// Bounds the log of a host that writes to a file instead of a terminal, as those of `millrace cluster up` do: grown
// long it is copied to one old file and begun anew. It is emptied and not replaced, because two processes have it open,
// both for appending. Main thread of the parent.

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { reasonOf } from '../../engine/errors.js';
import { CLUSTER_LOG_BYTES_MAX, CLUSTER_LOG_LOOK_MS } from '../../engine/limits.js';

/** What tells the parent which file that is. */
export const HOST_LOG_VARIABLE = 'MILLRACE_LOGFILE';

const CHUNK_BYTES = 64 * 1024;

/** Looks at it from time to time, as long as this process has something else to do. */
export function keepHostLog(env: NodeJS.ProcessEnv, say: (line: string) => void): void {
  const file = env[HOST_LOG_VARIABLE];
  if (file === undefined) return;
  // It is no business of the host process, nor of what runs in it.
  delete env[HOST_LOG_VARIABLE];
  const looking = setInterval(() => {
    try {
      boundLog(file);
    } catch (error) {
      clearInterval(looking);
      say(`warning: the log "${file}" is not bounded any more: ${reasonOf(error)}`);
    }
  }, CLUSTER_LOG_LOOK_MS).unref();
}

/**
 * Copies it to `FILE.old` and empties it, if it has more bytes than that.
 *
 * @throws what the system says
 */
export function boundLog(file: string, bytesMax: number = CLUSTER_LOG_BYTES_MAX): void {
  const log = openSync(file, 'r+');
  try {
    if (fstatSync(log).size <= bytesMax) return;
    const old = openSync(`${file}.old`, 'w', 0o600);
    try {
      copy(log, old);
      // What is written between the last look and this is lost: some microseconds, once in so many bytes.
      ftruncateSync(log);
    } finally {
      closeSync(old);
    }
  } finally {
    closeSync(log);
  }
}

function copy(from: number, to: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let at = 0; ;) {
    const bytes = readSync(from, chunk, 0, chunk.length, at);
    if (bytes === 0) return;
    for (let done = 0; done < bytes;) done += writeSync(to, chunk, done, bytes - done);
    at += bytes;
  }
}
