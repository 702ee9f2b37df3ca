// The log of a server, as far as it is ours: begun anew when it has grown long, and read from its end for what a server
// died of. Main thread.

import { renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ENSEMBLE_LOG_BYTES_MAX, ENSEMBLE_LOG_TAIL_BYTES } from '../../engine/limits.js';

/** Makes room for what a server that starts will write; gives how much is there already, in bytes. */
export function prepareLog(file: string): number {
  try {
    const { size } = statSync(file);
    if (size <= ENSEMBLE_LOG_BYTES_MAX) return size;
    renameSync(file, `${file}.old`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return 0;
}

/** The text that was written from there on, at most its end. */
export async function readLog(file: string, fromBytes: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(fromBytes, size - ENSEMBLE_LOG_TAIL_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The line that says most about why a server ended: the innermost cause, else the last error, else the last line. */
export function causeIn(log: string): string | null {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !/^\s+(at |\.\.\. )/.test(line));
  const best =
    lines.findLast((line) => line.startsWith('Caused by: ')) ??
    lines.findLast((line) => /^[\w.$]+(Exception|Error): /.test(line)) ??
    lines.findLast((line) => / ERROR |^Error: /.test(line)) ??
    lines.at(-1);
  return best?.replace(/^Caused by: /, '').trim() ?? null;
}
