// Runs the command as a process, in a directory of its own, and gathers what it wrote.

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const MAIN = fileURLToPath(new URL('../../../api/cli/main.js', import.meta.url));

/** What a process left. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Watch {
  /** What runs the process instead of this: `bash -c 'ulimit …; exec "$@"'`; its arguments follow. */
  readonly through?: readonly string[];
  /** Called as it starts. */
  onStart?(process: Started): void;
  /** Called with all that was written so far. */
  onText?(text: string, process: Started): void;
}

/** What can be done to a process. */
export interface Started {
  kill(signal: NodeJS.Signals): boolean;
  /** Reads its standard output no longer. */
  leave(): void;
}

/** Runs the command in that directory, with a directory for temporary files of its own inside. */
export async function millrace(directory: string, args: readonly string[], watch: Watch = {}): Promise<Ended> {
  const { onStart, onText, through = [] } = watch;
  mkdirSync(join(directory, 'temporary'), { recursive: true });
  const env = { ...process.env, TMPDIR: join(directory, 'temporary') };
  const [program = process.execPath, ...rest] = [...through, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const started: Started = { kill: (signal) => child.kill(signal), leave: () => void child.stdout.destroy() };
  onStart?.(started);
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
      onText?.(text.stdout + text.stderr, started);
    });
  }
  const exitCode = await new Promise<number | null>((resolve) => {
    child.on('close', (code, signal) => {
      if (signal !== null) text.stderr += `ended by ${signal}\n`;
      resolve(code);
    });
  });
  return { exitCode, ...text };
}

/** The last line of standard output, which must be JSON lines only. */
export function summaryIn({ stdout }: Ended): unknown {
  const objects = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
  return objects.at(-1);
}

/** Checks that no temporary file is left. */
export function leavesNothing(t: Test, directory: string): void {
  t.strictSame(readdirSync(join(directory, 'temporary')), [], 'no temporary file stays behind');
}
