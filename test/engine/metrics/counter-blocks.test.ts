// Counters in blocks that come and go with the plans of a topology.

import t from 'tap';
import { CounterBlocks } from '../../../engine/metrics/counter-blocks.js';
import { ACKED, EXECUTED } from '../../../engine/metrics/counters.js';

function threeBlocks(): CounterBlocks {
  const counters = new CounterBlocks();
  counters.grow({ firstTask: 0, tasks: 3, firstWorker: 0, workers: 2 });
  counters.grow({ firstTask: 3, tasks: 2, firstWorker: 2, workers: 1 });
  counters.grow({ firstTask: 5, tasks: 1, firstWorker: 3, workers: 0 });
  return counters;
}

t.test('each task and worker counts in its own place, whatever block that is in', async (t) => {
  const counters = threeBlocks();
  for (let task = 0; task < 6; task++) {
    const { words, row } = counters.rowOf(task);
    words[row + EXECUTED] = task + 1;
    counters.add(task, ACKED, 10 * (task + 1));
    counters.histogram(task).record(task + 1);
    counters.processing(task).record(1);
  }
  for (let task = 0; task < 6; task++) {
    t.equal(counters.read(task, EXECUTED), task + 1);
    t.equal(counters.read(task, ACKED), 10 * (task + 1));
    t.equal(counters.histogram(task).summary().count, 1);
    t.equal(counters.processing(task).summary().count, 1);
  }
  for (let worker = 0; worker < 3; worker++) {
    for (let beat = 0; beat <= worker; beat++) counters.beat(worker);
    counters.addBusy(worker, 5 * worker);
    t.equal(counters.beats(worker), worker + 1);
    t.equal(counters.busyMs(worker), 5 * worker);
  }
  t.equal(counters.workers, 3);
});

t.test('who is not known counts nothing', async (t) => {
  const counters = threeBlocks();
  counters.add(6, ACKED, 1);
  counters.beat(3);
  counters.addBusy(3, 1);
  t.equal(counters.read(6, ACKED), 0);
  t.equal(counters.beats(3), 0);
  t.equal(counters.busyMs(3), 0);
  t.equal(new CounterBlocks().workers, 0);
});

t.test('another thread sees the same, and takes blocks that are made later', async (t) => {
  const counters = threeBlocks();
  const other = new CounterBlocks(counters.blocks);
  const block = counters.grow({ firstTask: 6, tasks: 1, firstWorker: 3, workers: 1 });
  other.take(block);
  other.add(2, ACKED, 4);
  other.add(6, ACKED, 5);
  other.beat(3);
  t.equal(counters.read(2, ACKED), 4);
  t.equal(counters.read(6, ACKED), 5);
  t.equal(counters.beats(3), 1);
});

t.test('a block goes when none of its tasks and workers is left, and says so', async (t) => {
  const counters = threeBlocks();
  counters.add(1, ACKED, 2);
  counters.add(4, ACKED, 3);
  t.strictSame(counters.keep(new Set([1, 4, 5]), 3), []);
  const [, second, third] = counters.blocks;
  t.strictSame(counters.keep(new Set([4]), 2), [third], 'its worker is gone, and one task is left');
  t.equal(counters.read(4, ACKED), 3);
  t.strictSame(counters.keep(new Set(), 1), [second], 'one of its workers is left');
  t.equal(counters.read(1, ACKED), 2);
  t.equal(counters.read(4, ACKED), 0);
  t.equal(counters.workers, 2);
});
