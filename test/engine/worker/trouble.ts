// Runs the topology `trouble` on real threads.

import { runtimeLimits, type RuntimeLimits } from '../../../engine/limits.js';
import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { TopologyRun, type Outcome, type TopologyStatus } from '../../../engine/worker/topology-run.js';

export interface Trouble {
  readonly trouble?: string;
  readonly tuples?: number;
  readonly index?: number;
  readonly always?: boolean;
  readonly limits?: Partial<RuntimeLimits>;
}

export interface Ended {
  readonly outcome: Outcome;
  readonly status: TopologyStatus;
  readonly lines: readonly string[];
}

/** What a test does with a run: called when it has started, and for each line that it prints. */
export interface Steps {
  started?(run: TopologyRun): void;
  printed?(line: string, run: TopologyRun): void;
}

/** Makes a run that is not started yet. */
export async function runOf(
  { trouble, tuples, index, always, limits }: Trouble,
  print: (line: string, run: TopologyRun) => void = () => undefined,
): Promise<TopologyRun> {
  const url = new URL('./topologies/trouble.js', import.meta.url);
  if (trouble !== undefined) url.searchParams.set('trouble', trouble);
  if (tuples !== undefined) url.searchParams.set('tuples', String(tuples));
  if (index !== undefined) url.searchParams.set('index', String(index));
  if (always === true) url.searchParams.set('always', '');
  const source: TopologySource = { kind: 'module', url: url.href, settings: {} };
  const run: TopologyRun = new TopologyRun({
    source,
    description: describe(await loadTopology(source)),
    workers: 2,
    logger: silentLogger,
    seed: 1,
    limits: { ...runtimeLimits, ...limits },
    print: (line) => {
      print(line, run);
      return Promise.resolve();
    },
  });
  return run;
}

/** Runs it to its end. */
export async function runToEnd(trouble: Trouble, { started, printed }: Steps = {}): Promise<Ended> {
  const lines: string[] = [];
  const run = await runOf(trouble, (line, each) => {
    lines.push(line);
    printed?.(line, each);
  });
  await run.start();
  started?.(run);
  const outcome = await run.completed;
  return { outcome, status: run.status(), lines };
}

/** The numbers that the bolt has handled, each once, sorted. */
export function numbersIn(lines: readonly string[]): number[] {
  const numbers = new Set(lines.flatMap((line) => (line.startsWith('value ') ? [Number(line.slice(6))] : [])));
  return [...numbers].sort((a, b) => a - b);
}
