// A process that lives on when the command that started it has ended: in a group of its own, and what it says goes to a
// file. Main thread.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** How a process ended, as far as is known. */
export interface DetachedProcess {
  /** 0 when it could not be made: then `ended` says why. */
  readonly pid: number;
  /** In words, once it has ended: `exit code 1`. */
  readonly ended: Promise<string>;
}

/**
 * Starts it.
 *
 * @param directory - where it works; default this process's
 * @param env - what its environment has besides
 * @throws what the system says when its file cannot be opened, or no process can be made
 */
export function startDetached(
  command: string,
  args: readonly string[],
  logFile: string,
  directory?: string,
  env: Readonly<Record<string, string>> = {},
): DetachedProcess {
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(command, args, {
      ...(directory === undefined ? {} : { cwd: directory }),
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    child.unref();
    // Without one the error is on its way.
    return { pid: child.pid ?? 0, ended };
  } finally {
    closeSync(log);
  }
}
