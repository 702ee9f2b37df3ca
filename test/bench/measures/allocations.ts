// What is allocated for each sentence of the word count, and where, by the heap sampler of V8. Tuples and their values
// are what nobody can do without; what else the engine allocates for each tuple shows here by name.

import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { TopologyRun } from '../../../engine/worker/topology-run.js';
import { passing, type Timing } from '../measured.js';
import type { TableReport } from '../report.js';
import type { Table } from '../tables.js';

/** What the spout prints. */
interface Sampled {
  readonly sentences: number;
  readonly bytes: Readonly<Record<string, number>>;
}

/** Sentences before it is sampled: by then V8 has optimised what runs. */
const WARM_UP = 1_000_000;
const ROWS = 15;

export const allocationTables: readonly Table[] = [
  { label: 'words', measure: (timing) => allocationsTable(WARM_UP, timing) },
];

export async function allocationsTable(warmUp: number, { warmUpMs, measureMs }: Timing): Promise<TableReport> {
  const url = new URL('../topologies/sampled-words.js', import.meta.url).href;
  const source: TopologySource = { kind: 'module', url, settings: { 'source.warmUp': warmUp } };
  const lines: string[] = [];
  const print = (line: string): Promise<void> => Promise.resolve(void lines.push(line));
  const run = new TopologyRun({
    source,
    description: describe(await loadTopology(source)),
    workers: 1,
    logger: silentLogger,
    print,
  });
  await run.start();
  await passing(warmUpMs);
  while (run.status().components['source']!.emitted < warmUp) await passing(50);
  await passing(measureMs);
  await run.kill();
  const { sentences, bytes } = JSON.parse(lines[0]!) as Sampled;
  const places = Object.entries(bytes).sort(([, a], [, b]) => b - a);
  const sum = (of: readonly (readonly [string, number])[]): number => of.reduce((all, [, each]) => all + each, 0);
  const rows = places.slice(0, ROWS).map(([place, of]) => [place, of / sentences]);
  const rest = places.slice(ROWS);
  return {
    kind: 'table',
    benchmark: 'allocations',
    title: 'Allocated for each sentence of the word count, sampled',
    columns: ['where', 'bytes'],
    rows: [...rows, ['elsewhere', sum(rest) / sentences], ['in all', sum(places) / sentences]],
    flags: [],
  };
}
