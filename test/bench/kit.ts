// The command line of the benchmarks as a test runs it: in a process of its own, with times so short that figures mean
// nothing. What is looked at is whether everything is there and adds up.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Report, SideReport, Spread, TableReport } from './report.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function bench(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  t.teardown(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode, stdout, stderr };
}

/** Runs one round of these names, and gives what it reported. */
export async function smoke(t: Test, names: readonly string[], ...more: readonly string[]): Promise<readonly Report[]> {
  const { code, stdout, stderr } = await bench(t, [
    ...names,
    ...['--rounds', '1', '--seconds', '0.1', '--warm-up', '0.1', '--json'],
    ...more,
  ]);
  t.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Report);
}

export function sidesOf(reports: readonly Report[]): readonly SideReport[] {
  return reports.filter((report) => report.kind === 'side');
}

/** Everything that a report of a side has, whatever the figures are. */
export function hasAllFields(t: Test, report: SideReport): void {
  const { perSecond, cores, perCore, ratio, ratioPerCore, ratios, counts, side } = report;
  for (const spread of [perSecond, cores, perCore, ratio, ratioPerCore]) isSpread(t, spread, side);
  if (report.latency !== null) for (const spread of Object.values(report.latency)) isSpread(t, spread, side);
  t.equal(ratios.length, 1, `${side}: a ratio for each round`);
  t.equal(counts.length, 1, `${side}: counts of each round`);
}

export function isTable(t: Test, report: Report | undefined, rows: number): void {
  const table = report as TableReport;
  t.equal(table.kind, 'table');
  t.equal(table.rows.length, rows, `${table.title}: a row for each size`);
  for (const row of table.rows) {
    t.equal(row.length, table.columns.length, `${table.title}: a figure for each column`);
    for (const cell of row) t.ok(typeof cell === 'string' || Number.isFinite(cell), `${table.title}: ${cell}`);
  }
}

function isSpread(t: Test, { min, median, max }: Spread, of: string): void {
  t.ok(min >= 0 && min <= median && median <= max, `${of}: ${min} ${median} ${max}`);
}
