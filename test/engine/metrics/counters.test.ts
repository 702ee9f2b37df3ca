// Rows of counters, histograms and heartbeats in one piece of shared memory: none lies on another.

import t from 'tap';
import * as names from '../../../engine/metrics/counters.js';
import { Histogram } from '../../../engine/metrics/histogram.js';

const { Counters } = names;

t.test('every counter, histogram and beat has a place of its own, the same on both sides', async (t) => {
  const [tasks, workers] = [5, 3];
  const writer = new Counters(tasks, workers);
  const reader = new Counters(tasks, workers, writer.memory);
  const counters = Object.values(names).filter((each) => typeof each === 'number');
  t.equal(new Set(counters).size, counters.length, 'every name has a number of its own');
  let value = 1;
  for (let task = 0; task < tasks; task++) {
    for (const counter of counters) writer.words[writer.row(task) + counter] = value++;
  }
  for (let task = 0; task < tasks; task++) for (let i = 0; i <= task; i++) writer.histogram(task).record(1e30);
  for (let worker = 0; worker < workers; worker++) writer.beat(worker);
  writer.beat(2);
  value = 1;
  for (let task = 0; task < tasks; task++) {
    for (const counter of counters) t.equal(reader.read(task, counter), value++);
  }
  t.strictSame(
    [0, 1, 2, 3, 4].map((task) => reader.histogram(task).count),
    [1, 2, 3, 4, 5],
  );
  t.strictSame([...reader.words.subarray(-3)], [1, 1, 2], 'beats come last');
  t.equal(reader.words.length, reader.row(tasks) + tasks * Histogram.WORDS + workers);
  t.equal((reader.row(1) * Float64Array.BYTES_PER_ELEMENT) % 128, 0, 'rows share no cache line');
});

t.test('a task that does not exist has counted nothing', async (t) => {
  t.equal(new Counters(1, 0).read(9, names.EMITTED), 0);
});
