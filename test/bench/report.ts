// What a benchmark tells: plain data for --json and --save, and lines for a terminal. Two kinds: sides that took turns,
// with their spread over the rounds, and tables.

import type { Counts, Group, LatencyFigures, Measured, Side } from './measured.js';

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** One side of a group over all rounds. */
export interface SideReport {
  readonly kind: 'side';
  readonly benchmark: string;
  readonly side: string;
  readonly labels: readonly string[];
  readonly reference: string;
  readonly perSecond: Spread;
  readonly cores: Spread;
  /** Units a second and core of CPU. */
  readonly perCore: Spread;
  /** Of units a second to those of the reference in the same round. */
  readonly ratio: Spread;
  readonly ratios: readonly number[];
  /** The same a core of CPU. */
  readonly ratioPerCore: Spread;
  /** The spread of each percentile; null where nothing is measured. */
  readonly latency: Readonly<Record<keyof LatencyFigures, Spread>> | null;
  /** Of each round. */
  readonly counts: readonly Counts[];
}

export interface TableReport {
  readonly kind: 'table';
  readonly benchmark: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What does not look as it should. */
  readonly flags: readonly string[];
}

export type Report = SideReport | TableReport;

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.floor(middle - 0.5)]! + sorted[Math.ceil(middle - 0.5)]!) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}

/** @param rounds - of each round what each side of the group did, in the order of the group */
export function sideReports(
  benchmark: string,
  group: Group,
  rounds: readonly (readonly Measured[])[],
): readonly SideReport[] {
  return group.map((side, index) =>
    sideReport(
      benchmark,
      side,
      group[0],
      rounds.map((round) => [round[index]!, round[0]!]),
    ),
  );
}

function sideReport(
  benchmark: string,
  side: Side,
  reference: Side,
  pairs: readonly (readonly [own: Measured, reference: Measured])[],
): SideReport {
  const own = pairs.map(([each]) => each);
  const perCore = ({ perSecond, cores }: Measured): number => perSecond / cores;
  const latencies = own.flatMap(({ latency }) => (latency === null ? [] : [latency]));
  const spread = (key: keyof LatencyFigures): Spread => spreadOf(latencies.map((each) => each[key]));
  const ratios = pairs.map(([each, other]) => each.perSecond / other.perSecond);
  return {
    kind: 'side',
    benchmark,
    side: side.name,
    labels: side.labels,
    reference: reference.name,
    perSecond: spreadOf(own.map((each) => each.perSecond)),
    cores: spreadOf(own.map((each) => each.cores)),
    perCore: spreadOf(own.map(perCore)),
    ratio: spreadOf(ratios),
    ratios,
    ratioPerCore: spreadOf(pairs.map(([each, other]) => perCore(each) / perCore(other))),
    latency:
      latencies.length === 0
        ? null
        : { p50Ms: spread('p50Ms'), p99Ms: spread('p99Ms'), p999Ms: spread('p999Ms'), maxMs: spread('maxMs') },
    counts: own.map((each) => each.counts),
  };
}

/** Lines for people. */
export function shown(report: Report): string {
  return report.kind === 'side' ? shownSide(report) : shownTable(report);
}

function shownSide({ side, reference, perSecond, cores, ratio, ratioPerCore, latency }: SideReport): string {
  const ratios =
    side === reference || Number.isNaN(ratio.median)
      ? ''
      : `  ${threeOf(ratio, (value) => value.toFixed(3))} of ${reference} (${ratioPerCore.median.toFixed(3)} a core)`;
  const percentiles =
    latency === null
      ? ''
      : `  p50 ${inMs(latency.p50Ms)} p99 ${inMs(latency.p99Ms)} p99.9 ${inMs(latency.p999Ms)} max ${inMs(latency.maxMs)} ms`;
  const rates = threeOf(perSecond, (value) => rate(value).padStart(7));
  return `${side.padEnd(44)} ${rates}/s  ${cores.median.toFixed(2)} cores${ratios}${percentiles}`;
}

function threeOf({ min, median, max }: Spread, show: (value: number) => string): string {
  return `${show(min)} ${show(median)} ${show(max)}`;
}

function inMs({ median }: Spread): string {
  return median < 10 ? median.toFixed(2) : median.toFixed(0);
}

function rate(value: number): string {
  if (value >= 1e7) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(0)} k` : value.toFixed(0);
}

function shownTable({ title, columns, rows, flags }: TableReport): string {
  const cells = [columns, ...rows.map((row) => row.map(cell))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  '),
  );
  return [title, ...lines, ...flags.map((flag) => `! ${flag}`)].join('\n');
}

function cell(value: string | number): string {
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}
