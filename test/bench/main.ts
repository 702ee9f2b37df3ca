// npm run bench -- [name[/label…]…] [--peer loop|storm|rxjs|streams]… [--rounds n] [--seconds n] [--json] [--save FILE]
//
// Runs each benchmark and tells its figures as they come: how to read them is in docs/performance.md.

import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { reasonOf } from '../../engine/errors.js';
import { BENCHMARKS } from './benchmarks.js';
import { readOptions, usage, UsageError, type Options } from './options.js';
import { PeerFailed, PeerMissing } from './peers/peer-errors.js';
import { shown, type Report } from './report.js';
import { runGroup, selected } from './rounds.js';
import { selectedTables } from './tables.js';

type Tell = (report: Report) => void;

const names = Object.keys(BENCHMARKS);

/** Everything that is selected, in order; a wrong selection is found before anything runs. */
function plan(options: Options): readonly ((tell: Tell, say: (line: string) => void) => Promise<void>)[] {
  return options.selections.map((selection) => {
    const { name } = selection;
    const benchmark = BENCHMARKS[name]!;
    if (benchmark.kind === 'tables') {
      const tables = selectedTables(benchmark.tables, selection);
      return async (tell) => {
        for (const table of tables) tell(await table.measure(options));
      };
    }
    const groups = selected(benchmark.groups(options.peers), selection);
    const rounds = options.rounds ?? benchmark.rounds;
    return async (tell, say) => {
      say(`${name}: ${rounds} rounds of ${options.measureMs / 1000} s; min, median, max`);
      for (const group of groups) {
        const reports = await runGroup(name, group, rounds, options).catch(leftOut);
        reports.forEach(tell);
      }
    };
  });
}

/** A peer that fails by itself costs its group, and not what is measured after it. */
function leftOut(error: unknown): readonly Report[] {
  if (!(error instanceof PeerFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
  return [];
}

/** Where and with what the figures came about. */
function machine(): Readonly<Record<string, string | number>> {
  const [first] = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
  };
}

/** @throws UsageError when the file cannot be written */
function saveTo(file: string, reports: readonly Report[]): void {
  try {
    writeFileSync(file, `${JSON.stringify({ machine: machine(), reports }, null, 2)}\n`);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

try {
  const options = readOptions(process.argv.slice(2), names);
  const steps = plan(options);
  const reports: Report[] = [];
  const save = (): void => {
    if (options.save !== null) saveTo(options.save, reports);
  };
  // At once, because a path that cannot be written is better known before minutes of measuring than after.
  save();
  const tell: Tell = (report) => {
    reports.push(report);
    console.log(options.json ? JSON.stringify(report) : shown(report));
    save();
  };
  const say = (line: string): void => (options.json ? undefined : console.log(line));
  for (const run of steps) await run(tell, say);
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n${usage(names)}`);
  else if (error instanceof PeerMissing) console.error(error.message);
  else throw error;
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
