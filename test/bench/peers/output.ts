// Runs a program to its end and gives what it printed.

import { execFile } from 'node:child_process';

/** @throws Error with what it said when it failed, or took longer */
export function output(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs }: { readonly cwd: string; readonly timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} failed: ${error.message}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`));
    });
  });
}
