// What metrics cost: the words topology on the engine as it is, beside the same one on an engine out of which all
// counting and measuring is taken (without-metrics.ts). Of interest is the median ratio of many pairs, which take
// turns.

import type { Group } from '../measured.js';
import { topologySide, type Engine } from '../sides/topology-side.js';
import { engineWithoutMetrics } from './without-metrics.js';

const topology = { topology: 'words', tracked: true } as const;

let without: Promise<Engine> | null = null;

async function load(): Promise<Engine> {
  const folder = engineWithoutMetrics();
  const [run, module] = await Promise.all([
    import(new URL('worker/topology-run.js', folder).href) as Promise<Pick<Engine, 'TopologyRun'>>,
    import(new URL('worker/module.js', folder).href) as Promise<Pick<Engine, 'loadTopology'>>,
  ]);
  return { TopologyRun: run.TopologyRun, loadTopology: module.loadTopology };
}

function pair(label: string, name: string, workers: number, settings: Readonly<Record<string, unknown>>): Group {
  const options = { ...topology, labels: [label], workers, settings };
  const engine = async (): Promise<Engine> => await (without ??= load());
  return [
    topologySide({ ...options, name: `${name}, without metrics`, engine, uncounted: true }),
    topologySide({ ...options, name: `${name}, with metrics` }),
  ];
}

export const metrics: readonly Group[] = [
  pair('one', 'one thread', 1, {}),
  pair('two', 'two threads', 2, { maxSpoutPending: 4096 }),
];
