// How cost grows with size, in processor time, which tells more than wall time on a machine with others on it. Each
// table has a natural unit (a tuple taken, a byte): while the cost of that stays level, the whole grows in proportion.
// What becomes dearer by more than LEVEL is flagged.

import type { Measured, Side, Timing } from '../measured.js';
import type { TableReport } from '../report.js';
import { topologySide } from '../sides/topology-side.js';
import type { Table } from '../tables.js';

/** Caches make large things up to so many times dearer than small ones, without growing faster than in proportion. */
const LEVEL = 2;

interface Growth {
  readonly label: string;
  readonly title: string;
  /** What a size counts. */
  readonly size: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  sideOf(size: number): Side;
  /** Units of cost in one tuple of the spout. */
  unitsOf(size: number): number;
  /** Sizes below are not looked at: what does not grow outweighs what does. */
  readonly levelFrom?: number;
}

function side(topology: string, settings: Readonly<Record<string, unknown>>, workers = 1): Side {
  const name = `${topology} ${JSON.stringify(settings)}`;
  return topologySide({ name, labels: [], topology, workers, settings, tracked: true });
}

export const GROWTHS: readonly Growth[] = [
  {
    label: 'tasks',
    title: 'Tasks on one worker',
    size: 'tasks',
    unit: 'tuple taken',
    sizes: [10, 100, 1000, 9998],
    sideOf: (tasks) => side('many-tasks', { 'sink.parallelism': tasks }),
    unitsOf: () => 1,
  },
  {
    label: 'open-trees',
    title: 'Open trees',
    size: 'trees',
    unit: 'tuple taken',
    sizes: [1000, 10_000, 100_000, 1_000_000],
    sideOf: (trees) => side('held-trees', { 'hold.trees': trees, messageTimeout: '10m' }),
    unitsOf: () => 1,
  },
  {
    label: 'fan-out',
    title: 'Tuples that one call emits',
    size: 'children',
    unit: 'tuple taken',
    sizes: [1, 10, 100, 1000, 10_000],
    sideOf: (children) => side('fan-out', { 'fan.children': children }),
    unitsOf: (children) => 1 + children,
  },
  {
    label: 'payload',
    title: 'Payload between two threads',
    size: 'bytes',
    unit: 'byte',
    sizes: [10, 100, 1000, 10_000, 100_000, 1_000_000],
    sideOf: (bytes) => side('payload', { 'source.bytes': bytes, maxSpoutPending: 4096 }, 2),
    unitsOf: (bytes) => bytes,
    levelFrom: 10_000,
  },
  {
    label: 'depth',
    title: 'Bolts in a chain',
    size: 'bolts',
    unit: 'tuple taken',
    sizes: [1, 10, 30, 100],
    sideOf: (bolts) =>
      topologySide({
        name: `chain of ${bolts}`,
        labels: [],
        topology: 'chain',
        query: `?bolts=${bolts}`,
        workers: 1,
        settings: {},
        tracked: true,
      }),
    unitsOf: (bolts) => bolts,
  },
];

export const growthTables: readonly Table[] = GROWTHS.map((growth) => ({
  label: growth.label,
  measure: (timing) => measureGrowth(growth, growth.sizes, timing),
}));

export async function measureGrowth(growth: Growth, sizes: readonly number[], timing: Timing): Promise<TableReport> {
  const rows: GrowthRow[] = [];
  for (const size of sizes) {
    const measured = await growth.sideOf(size).measure(timing);
    rows.push({ size, perSecond: measured.perSecond, nsPerTuple: processorNs(measured) });
  }
  return growthTable(growth, rows);
}

interface GrowthRow {
  readonly size: number;
  readonly perSecond: number;
  readonly nsPerTuple: number;
}

/** The table of what was measured, with what is out of proportion. */
export function growthTable(growth: Growth, measured: readonly GrowthRow[]): TableReport {
  const rows = measured.map((row) => ({ ...row, nsPerUnit: row.nsPerTuple / growth.unitsOf(row.size) }));
  const looked = rows.filter(({ size }) => size >= (growth.levelFrom ?? 0));
  const flags = looked.flatMap(({ size, nsPerUnit }, index) => {
    const least = Math.min(...looked.slice(0, index + 1).map((row) => row.nsPerUnit));
    const times = (nsPerUnit / least).toFixed(1);
    const flag = `at ${size} ${growth.size} a ${growth.unit} costs ${times} times the least before`;
    return nsPerUnit > LEVEL * least ? [flag] : [];
  });
  return {
    kind: 'table',
    benchmark: 'growth',
    title: growth.title,
    columns: [growth.size, 'tuples/s', 'CPU ns a spout tuple', `CPU ns a ${growth.unit}`],
    rows: rows.map(({ size, perSecond, nsPerTuple, nsPerUnit }) => [size, perSecond, nsPerTuple, nsPerUnit]),
    flags,
  };
}

function processorNs({ cores, perSecond }: Measured): number {
  return (cores / perSecond) * 1e9;
}
