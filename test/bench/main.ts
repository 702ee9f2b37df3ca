// npm run bench -- [name[/label…]…] [--peer loop|storm|rxjs|streams]… [--rounds n] [--seconds n] [--json] [--save FILE]
//
// Runs each benchmark and tells its figures as they come: how to read them is in docs/performance.md.

import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { BENCHMARKS } from './benchmarks.js';
import { readOptions, usage, UsageError, type Options } from './options.js';
import { PeerMissing } from './peers/missing.js';
import { shown, type Report } from './report.js';
import { runGroup, selected } from './rounds.js';

const names = Object.keys(BENCHMARKS);

async function run(options: Options, tell: (report: Report) => void, say: (line: string) => void): Promise<void> {
  const chosen = options.selections.map((selection) => {
    const benchmark = BENCHMARKS[selection.name]!;
    return { selection, benchmark, groups: selected(benchmark.groups(options.peers), selection) };
  });
  for (const { selection, benchmark, groups } of chosen) {
    const rounds = options.rounds ?? benchmark.rounds;
    say(`${selection.name}: ${rounds} rounds of ${options.measureMs / 1000} s; min, median, max`);
    for (const group of groups) (await runGroup(selection.name, group, rounds, options)).forEach(tell);
  }
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

try {
  const options = readOptions(process.argv.slice(2), names);
  const reports: Report[] = [];
  const save = (): void => {
    if (options.save !== null)
      writeFileSync(options.save, `${JSON.stringify({ machine: machine(), reports }, null, 2)}\n`);
  };
  // At once, because a path that cannot be written is better known before minutes of measuring than after.
  save();
  const tell = (report: Report): void => {
    reports.push(report);
    console.log(options.json ? JSON.stringify(report) : shown(report));
    save();
  };
  await run(options, tell, (line) => (options.json ? undefined : console.log(line)));
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n${usage(names)}`);
  else if (error instanceof PeerMissing) console.error(error.message);
  else throw error;
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
