// The word count benchmark: five fixed sentences, split, counted by word, tracked; beside a plain loop that does the
// same.

import { plainLoop, topologySide, type Side } from './sides.js';

const module = './topologies/words.js';
const spout = 'sentences';

export const words: readonly Side[] = [
  plainLoop,
  topologySide({ name: 'one thread', module, workers: 1, settings: {}, spout, tracked: true }),
  topologySide({
    name: 'two threads, as planned',
    module,
    workers: 2,
    settings: { 'sentences.parallelism': 2, 'split.parallelism': 2, 'count.parallelism': 2, maxSpoutPending: 4096 },
    spout,
    tracked: true,
  }),
  topologySide({
    name: 'two threads, every hop crossing',
    module,
    workers: 2,
    settings: { maxSpoutPending: 4096 },
    spout,
    tracked: true,
  }),
  topologySide({
    name: 'two processes over TCP',
    module,
    workers: 2,
    settings: { maxSpoutPending: 4096 },
    spout,
    tracked: true,
    processes: true,
  }),
];
