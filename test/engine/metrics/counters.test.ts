// Rows of counters, histograms and heartbeats in one piece of shared memory: none lies on another.

import t from 'tap';
import * as names from '../../../engine/metrics/counters.js';
import { Histogram } from '../../../engine/metrics/histogram.js';

const { Counters, beginRow } = names;
const counters = Object.values(names).filter((each) => typeof each === 'number');

t.test('every counter, histogram and beat has a place of its own, the same on both sides', async (t) => {
  const [tasks, workers] = [5, 3];
  const writer = new Counters(tasks, workers);
  const reader = new Counters(tasks, workers, writer.memory);
  t.equal(new Set(counters).size, counters.length, 'every name has a number of its own');
  let value = 1;
  for (let task = 0; task < tasks; task++) {
    for (const counter of counters) writer.words[writer.row(task) + counter] = value++;
  }
  for (let task = 0; task < tasks; task++) {
    for (let i = 0; i <= task; i++) writer.histogram(task).record(1e30);
    for (let i = 0; i <= 2 * task; i++) writer.processing(task).record(1e30);
  }
  for (let worker = 0; worker < workers; worker++) {
    writer.beat(worker);
    writer.addBusy(worker, worker + 0.5);
  }
  writer.beat(2);
  writer.addBusy(1, 10);
  value = 1;
  for (let task = 0; task < tasks; task++) {
    for (const counter of counters) t.equal(reader.read(task, counter), value++);
  }
  const all = [0, 1, 2, 3, 4];
  t.strictSame(
    all.map((task) => reader.histogram(task).count),
    [1, 2, 3, 4, 5],
  );
  t.strictSame(
    all.map((task) => reader.processing(task).count),
    [1, 3, 5, 7, 9],
  );
  t.strictSame(
    [0, 1, 2].map((worker) => [reader.beats(worker), reader.busyMs(worker)]),
    [
      [1, 0.5],
      [1, 11.5],
      [2, 2.5],
    ],
  );
  t.equal(reader.words.length, reader.row(tasks) + 2 * tasks * Histogram.WORDS + 2 * workers);
  t.equal((reader.row(1) * Float64Array.BYTES_PER_ELEMENT) % 128, 0, 'rows share no cache line');
});

t.test('a task that does not exist has counted nothing', async (t) => {
  t.equal(new Counters(1, 0).read(9, names.EMITTED), 0);
  t.equal(new Counters(1, 0).busyMs(4), 0);
});

t.test('a task that begins anew keeps what it counted and has no state of before', async (t) => {
  const { words } = new Counters(3, 0);
  words.fill(7);
  beginRow(words, 48);
  const gauges = ['OPEN_TREES', 'QUEUED', 'OUTBOX', 'BLOCKED_BY', 'WAITING_FOR_ACKS', 'CALLS', 'QUEUE_FILL'];
  gauges.push('QUEUED_BYTES', 'ENDED', 'BROKEN');
  const expected = new Map<number, number>(counters.map((counter) => [counter, 7]));
  for (const name of gauges) expected.set((names as unknown as Record<string, number>)[name]!, 0);
  expected.set(names.STARTS, 8);
  for (const [counter, value] of expected) t.equal(words[48 + counter], value, `word ${counter}`);
  t.ok(words.subarray(0, 48).every((word) => word === 7) && words.subarray(96).every((word) => word === 7));
});
