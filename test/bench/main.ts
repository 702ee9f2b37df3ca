// npm run bench -- [name…] [--rounds n] [--seconds n] [--json]
//
// Runs each benchmark in rounds that alternate between its sides, because machines change speed from minute to minute:
// only ratios within a round mean much. The first side of each group is what the others are compared with.

import { parseArgs } from 'node:util';
import type { Measured, Side } from './sides.js';
import { idle } from './idle.js';
import { metrics } from './metrics.js';
import { words } from './words.js';

interface Benchmark {
  readonly groups: readonly (readonly Side[])[];
  /** Rounds unless it is said otherwise. */
  readonly rounds: number;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  words: { groups: [words], rounds: 5 },
  idle: { groups: [idle], rounds: 5 },
  metrics: { groups: metrics, rounds: 20 },
};

/** Workers are new in each round: until V8 has optimised what they run, they do half as much. */
const WARM_UP_MS = 4000;

interface Options {
  readonly names: readonly string[];
  readonly rounds: number | null;
  readonly measureMs: number;
  readonly json: boolean;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(benchmarks, name));
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  const seconds = Number(values.seconds);
  if (unknown.length > 0 || !((rounds ?? 1) >= 1) || !(seconds > 0)) {
    console.error(`usage: bench [${Object.keys(benchmarks).join('|')}] [--rounds n] [--seconds n] [--json]`);
    process.exit(2);
  }
  return {
    names: positionals.length > 0 ? positionals : Object.keys(benchmarks),
    rounds,
    measureMs: seconds * 1000,
    json: values.json,
  };
}

interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { min: at(0), median: at(0.5), max: at(1) };
}

function report(name: string, sides: readonly Side[], rounds: readonly (readonly Measured[])[], json: boolean): void {
  sides.forEach((side, index) => {
    const own = rounds.map((round) => round[index]!);
    const perSecond = spreadOf(own.map((each) => each.perSecond));
    const ratios = rounds.map((round) => round[index]!.perSecond / round[0]!.perSecond);
    const ratio = spreadOf(ratios);
    const cores = spreadOf(own.map((each) => each.cores));
    const latencies = own.flatMap((each) => (each.latency === null ? [] : [each.latency]));
    const p50Ms = spreadOf(latencies.map((each) => each.p50Ms));
    const p99Ms = spreadOf(latencies.map((each) => each.p99Ms));
    if (json) {
      console.log(JSON.stringify({ benchmark: name, side: side.name, perSecond, ratio, ratios, cores, p50Ms, p99Ms }));
      return;
    }
    const rate = (value: number): string => `${(value / 1000).toFixed(0).padStart(6)} k/s`;
    const latency =
      latencies.length === 0 ? '' : `  p50 ${p50Ms.median.toFixed(2)} ms  p99 ${p99Ms.median.toFixed(2)} ms`;
    console.log(
      `${side.name.padEnd(32)} ${rate(perSecond.min)} ${rate(perSecond.median)} ${rate(perSecond.max)}` +
        `  ${ratio.min.toFixed(3)} ${ratio.median.toFixed(3)} ${ratio.max.toFixed(3)} of ${sides[0]!.name}` +
        `  ${cores.median.toFixed(3)} cores${latency}`,
    );
  });
}

const options = readOptions();
for (const name of options.names) {
  const { groups, rounds: usual } = benchmarks[name]!;
  const count = options.rounds ?? usual;
  if (!options.json) console.log(`${name}: ${count} rounds, min median max`);
  for (const sides of groups) {
    const rounds: Measured[][] = [];
    for (let round = 0; round < count; round++) {
      const measured: Measured[] = new Array<Measured>(sides.length);
      // Each goes first in every second round: what a machine does to the first of two is not the side's.
      const order = sides.map((_, index) => (round % 2 === 0 ? index : sides.length - 1 - index));
      for (const index of order) measured[index] = await sides[index]!.measure(WARM_UP_MS, options.measureMs);
      rounds.push(measured);
    }
    report(name, sides, rounds, options.json);
  }
}
