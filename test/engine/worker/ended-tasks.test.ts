// Which tasks have ended, over workers that die meanwhile.

import t from 'tap';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import { EndedTasks } from '../../../engine/worker/ended-tasks.js';
import { defaultConfig } from '../../../engine/model/config.js';

const common = { parallelism: 1, outputs: { default: ['n'] }, config: {} };
const behavior = { manualAck: false, concurrency: 1, ordered: false, tickMs: null, callTimeoutMs: null };
const input = (from: string) => ({ from, stream: 'default', grouping: 'shuffle', fields: [] }) as const;

/** a ─► b ─► c, and d on its own; a and d on worker 0, the others each on one. */
const description: TopologyDescription = {
  name: 'chain',
  version: null,
  config: { ...defaultConfig, workers: 3, messageTimeoutMs: null, keyGroups: 1 },
  components: [
    { kind: 'spout', id: 'a', ...common },
    { kind: 'bolt', id: 'b', ...common, behavior, inputs: [input('a')] },
    { kind: 'bolt', id: 'c', ...common, behavior, inputs: [input('b')] },
    { kind: 'spout', id: 'd', ...common },
  ],
};
const task = (number: number, component: string, worker: number) => ({ task: number, component, index: 0, worker });
const plan = { workers: 3, nextTask: 4, tasks: [task(0, 'a', 0), task(1, 'b', 1), task(2, 'c', 2), task(3, 'd', 0)] };

t.test('all have ended when each has, and none began anew', async (t) => {
  const ends = new EndedTasks(description, plan);
  for (const each of [0, 1, 3]) ends.add(each, 0);
  t.equal(ends.all, false);
  ends.reopen(1, 1);
  ends.add(2, 0);
  t.equal(ends.all, false, 'b began anew, and the end of c was that of the wiring before');
  ends.add(1, 1);
  t.equal(ends.all, false);
  ends.add(2, 1);
  t.equal(ends.all, true, 'what does not take from b stays ended');
  ends.reopen(2, 2);
  t.equal(ends.all, false);
  ends.add(2, 1);
  t.equal(ends.all, false);
  ends.add(2, 2);
  t.equal(ends.all, true);
});
