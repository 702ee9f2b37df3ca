// What a topology costs that has nothing to do: the share of a core that its workers use.

import type { Group, Side } from '../measured.js';
import { topologySide } from '../sides/topology-side.js';

const idleOn = (label: string, name: string, workers: number): Side =>
  topologySide({ name, labels: [label], topology: 'idle', workers, settings: {}, tracked: false, doesNothing: true });

export const idle: Group = [idleOn('one', 'one thread', 1), idleOn('two', 'two threads', 2)];
