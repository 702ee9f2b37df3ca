// From `npm start` to the first counted word: npm compiles (nothing has changed, so that takes the compiler's own
// start) and runs the word count of the examples. Measured without the compiling too, which is what a user's topology
// takes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spreadOf, type TableReport } from '../report.js';
import type { Table } from '../tables.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** One way to start it, and how long that may take. */
interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly maxMs: number;
}

/** What is asked of it, after the build. */
const START_MS_MAX = 1500;
const ROUNDS = 5;

const STARTS: readonly Start[] = [
  { name: 'npm start', command: 'npm', args: ['start', '--silent'], maxMs: Infinity },
  {
    name: 'millrace run, after the build',
    command: process.execPath,
    args: ['dist/api/cli/main.js', 'run', 'examples/word-count.ts'],
    maxMs: START_MS_MAX,
  },
];

export const startTables: readonly Table[] = [{ label: 'first-word', measure: () => startTable(STARTS, ROUNDS) }];

export async function startTable(starts: readonly Start[], rounds: number): Promise<TableReport> {
  const took = starts.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, start] of starts.entries()) took[index]!.push(await untilFirstLine(start));
  }
  const rows = starts.map(({ name }, index) => {
    const { min, median, max } = spreadOf(took[index]!);
    return [name, min, median, max];
  });
  const flags = starts.flatMap(({ name, maxMs }, index) =>
    spreadOf(took[index]!).median > maxMs ? [`"${name}" takes longer than ${maxMs} ms`] : [],
  );
  const columns = ['', 'min ms', 'median ms', 'max ms'];
  return { kind: 'table', benchmark: 'start', title: 'Until the first counted word', columns, rows, flags };
}

/** Runs a command until it prints, then ends it. */
async function untilFirstLine({ command, args }: Start): Promise<number> {
  const startMs = performance.now();
  // A group of its own: npm does not hand on signals to what it runs.
  const child = spawn(command, [...args], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const over = once(child, 'close');
  const first = await Promise.race([once(child.stdout, 'data'), over]);
  const tookMs = performance.now() - startMs;
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
  await over;
  if (!Buffer.isBuffer(first[0])) throw new Error(`${command} ${args.join(' ')} ended without printing a word`);
  return tookMs;
}
