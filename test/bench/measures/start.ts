// From `npm start` to the first counted word: npm compiles (nothing has changed, so that takes the compiler's own
// start) and runs the word count of the examples. Measured without the compiling too, which is what a user's topology
// takes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TableReport } from '../report.js';
import { spreadOf } from '../report.js';
import type { Table } from '../tables.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const COMMANDS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['npm start', 'npm', 'start', '--silent'],
  ['millrace run, after the build', process.execPath, 'dist/api/cli/main.js', 'run', 'examples/word-count.ts'],
];
/** What is asked of it, after the build. */
const START_MS_MAX = 1500;
const ROUNDS = 5;

export const startTables: readonly Table[] = [{ label: 'first-word', measure: () => startTable(COMMANDS, ROUNDS) }];

export async function startTable(commands: typeof COMMANDS, rounds: number): Promise<TableReport> {
  const took = commands.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, [, command, ...args]] of commands.entries())
      took[index]!.push(await untilFirstLine(command, args));
  }
  const spreads = took.map(spreadOf);
  const flags = commands.flatMap(([name], index) =>
    spreads[index]!.median > START_MS_MAX ? [`${name} takes longer than ${START_MS_MAX} ms`] : [],
  );
  const rows = commands.map(([name], index) => [
    name,
    spreads[index]!.min,
    spreads[index]!.median,
    spreads[index]!.max,
  ]);
  return {
    kind: 'table',
    benchmark: 'start',
    title: 'Until the first counted word',
    columns: ['', 'min ms', 'median ms', 'max ms'],
    rows,
    flags,
  };
}

/** Runs a command until it prints, then ends it. */
async function untilFirstLine(command: string, args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  // A group of its own: npm does not hand on signals to what it runs.
  const child = spawn(command, [...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const over = once(child, 'close');
  const first = await Promise.race([once(child.stdout, 'data'), over]);
  const tookMs = performance.now() - startMs;
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
  await over;
  if (!Buffer.isBuffer(first[0])) throw new Error(`${command} ${args.join(' ')} ended without printing a word`);
  return tookMs;
}
