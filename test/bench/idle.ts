// What a topology costs that has nothing to do: the share of a core that its workers use.

import { topologySide, type Side } from './sides.js';

const idleOn = (name: string, workers: number): Side =>
  topologySide({ name, module: './topologies/idle.js', workers, settings: {}, spout: 'nothing', tracked: false });

export const idle: readonly Side[] = [idleOn('one thread', 1), idleOn('two threads', 2)];
