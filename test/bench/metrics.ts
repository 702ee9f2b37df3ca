// What metrics cost: the words topology on the engine as it is, beside the same one on an engine out of which all
// counting and measuring is taken (without-metrics.ts). Of interest is the median ratio of many pairs, which take
// turns.

import { topologySide, type Engine, type Side } from './sides.js';
import { engineWithoutMetrics } from './without-metrics.js';

const topology = { module: './topologies/words.js', spout: 'sentences', tracked: true } as const;

let without: Promise<Engine> | null = null;

async function load(): Promise<Engine> {
  const folder = engineWithoutMetrics();
  const [run, module] = await Promise.all([
    import(new URL('worker/topology-run.js', folder).href) as Promise<Pick<Engine, 'TopologyRun'>>,
    import(new URL('worker/module.js', folder).href) as Promise<Pick<Engine, 'loadTopology'>>,
  ]);
  return { TopologyRun: run.TopologyRun, loadTopology: module.loadTopology };
}

function pair(name: string, workers: number, settings: Readonly<Record<string, unknown>>): readonly Side[] {
  const options = { ...topology, workers, settings };
  const engine = async (): Promise<Engine> => await (without ??= load());
  return [
    topologySide({ ...options, name: `${name}, without metrics`, engine }),
    topologySide({ ...options, name: `${name}, with metrics` }),
  ];
}

export const metrics: readonly (readonly Side[])[] = [
  pair('one thread', 1, {}),
  pair('two threads', 2, { maxSpoutPending: 4096 }),
];
