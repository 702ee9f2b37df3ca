// What things take in memory: an open tree in the ledger, a task, a worker; and whether a topology at full speed keeps
// its size.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../../engine/ack/ledger.js';
import { Histogram } from '../../../engine/metrics/histogram.js';
import type { Timing } from '../measured.js';
import { output } from '../peers/output.js';
import type { TableReport } from '../report.js';
import type { Table } from '../tables.js';

/** What a process of its own is asked to run. */
export interface Footprint {
  readonly topology: string;
  /** 0: it runs nothing. */
  readonly workers: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly samples: number;
}

const MB = 1024 * 1024;
/** What is asked of the ledger. */
const TREE_BYTES_MAX = 32;
const TASKS_MB_MAX = 400;
const RESIDENT_SAMPLES = 11;
/** A second half of a run that is larger than the first by more than this grows. */
const GROWN = 1.1;
const SPARE_MS = 60_000;

export const memoryTables: readonly Table[] = [
  { label: 'trees', measure: () => Promise.resolve(treesTable(1_000_000)) },
  { label: 'tasks', measure: (timing) => tasksTable([1, 100, 1000, 9998], timing) },
  { label: 'workers', measure: (timing) => workersTable([1, 2, 4], timing) },
  { label: 'resident', measure: (timing) => residentTable('words', timing) },
];

/** Opens that many trees in a ledger. */
export function treesTable(trees: number): TableReport {
  const collectGarbage = garbageCollector();
  const used = (): number => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const ledger = new Ledger({
    spoutTask: 0,
    incarnation: 0,
    timeoutMs: 30_000,
    openRootsMax: 2 ** 20,
    sparseRootsMax: 65_536,
    now: () => 0,
    latency: new Histogram(),
  });
  for (let i = 0; i < trees; i++) {
    ledger.begin(i);
    ledger.opened(1, 1);
  }
  const bytes = (used() - before) / ledger.open;
  const flags =
    bytes > TREE_BYTES_MAX ? [`an open tree takes ${bytes.toFixed(1)} bytes, more than ${TREE_BYTES_MAX}`] : [];
  return table('Open trees in the ledger', ['trees', 'bytes a tree'], [[ledger.open, bytes]], flags);
}

/** Runs topologies with so many idle tasks in one worker. */
export async function tasksTable(counts: readonly number[], { warmUpMs }: Timing): Promise<TableReport> {
  const [base = 0] = await footprint({
    topology: 'many-tasks',
    workers: 1,
    settings: { 'source.idle': true },
    warmUpMs,
  });
  const rows: [tasks: number, megabytes: number, kilobytes: number][] = [];
  for (const tasks of counts) {
    const settings = { 'source.idle': true, 'sink.parallelism': tasks };
    const [resident = 0] = await footprint({ topology: 'many-tasks', workers: 1, settings, warmUpMs });
    rows.push([tasks + 1, resident / MB, (resident - base) / 1024 / tasks]);
  }
  const flags = rows.flatMap(([tasks, mb]) =>
    mb > TASKS_MB_MAX ? [`${tasks} tasks on one worker take ${mb.toFixed(0)} MB, more than ${TASKS_MB_MAX}`] : [],
  );
  return table('Tasks on one worker, idle', ['tasks', 'resident MB', 'kB a task beyond the first'], rows, flags);
}

export async function workersTable(counts: readonly number[], { warmUpMs }: Timing): Promise<TableReport> {
  const asked = { topology: 'many-tasks', warmUpMs };
  const [none = 0] = await footprint({ ...asked, workers: 0, settings: {} });
  const rows: (readonly number[])[] = [[0, none / MB, 0]];
  for (const workers of counts) {
    const settings = { 'source.idle': true, 'sink.parallelism': workers };
    const [resident = 0] = await footprint({ ...asked, workers, settings });
    rows.push([workers, resident / MB, (resident - none) / MB / workers]);
  }
  return table('Workers, idle', ['workers', 'resident MB', 'MB a worker'], rows, []);
}

/** Runs a topology at full speed, and looks at its size now and then. */
export async function residentTable(topology: string, { warmUpMs, measureMs }: Timing): Promise<TableReport> {
  const samples = RESIDENT_SAMPLES;
  const sizes = await footprint({ topology, workers: 1, settings: {}, warmUpMs, measureMs, samples });
  const half = Math.floor(sizes.length / 2);
  const first = Math.max(...sizes.slice(0, half));
  const second = Math.max(...sizes.slice(half));
  const seconds = (index: number): number => (warmUpMs + (measureMs * index) / (samples - 1)) / 1000;
  const rows = sizes.map((bytes, index) => [seconds(index), bytes / MB]);
  const grown = `the second half takes ${(second / first).toFixed(2)} times what the first did`;
  return table(
    `Resident size, ${topology} at full speed`,
    ['seconds', 'resident MB'],
    rows,
    second > GROWN * first ? [grown] : [],
  );
}

async function footprint(
  asked: Pick<Footprint, 'topology' | 'workers' | 'settings' | 'warmUpMs'> & Partial<Footprint>,
): Promise<readonly number[]> {
  const all: Footprint = { measureMs: 0, samples: 1, ...asked };
  const script = fileURLToPath(new URL('./footprint.js', import.meta.url));
  const timeoutMs = all.warmUpMs + all.measureMs + SPARE_MS;
  return JSON.parse(
    await output(process.execPath, [script, JSON.stringify(all)], { cwd: process.cwd(), timeoutMs }),
  ) as number[];
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly number[])[],
  flags: readonly string[],
): TableReport {
  return { kind: 'table', benchmark: 'memory', title, columns, rows, flags };
}
