// Threads that stand by: when they are made, who may take them, and that none outlives who has it.

import t, { type Test } from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { SPARE_THREADS_REST_MS } from '../../../engine/limits.js';
import { ThreadPool } from '../../../engine/worker/pool.js';
import { SpareThreads } from '../../../engine/worker/spare-threads.js';

const HEAP_MB = 64;

function sparesOf(t: Test, count = 2): { readonly spares: SpareThreads; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  const spares = new SpareThreads({ count, heapMbMax: HEAP_MB, clock });
  t.teardown(async () => await spares.close());
  return { spares, clock };
}

function pass(clock: VirtualClock, ms: number): void {
  const untilMs = clock.now() + ms;
  while (clock.step(untilMs));
}

t.test('they are made when there is peace, and each that is asked for puts that off', async (t) => {
  const { spares, clock } = sparesOf(t);
  pass(clock, SPARE_THREADS_REST_MS - 1);
  t.equal(spares.take(HEAP_MB), null, 'there is none yet');
  pass(clock, SPARE_THREADS_REST_MS - 1);
  t.equal(spares.size, 0);
  pass(clock, 1);
  t.equal(spares.size, 2);
  t.equal(spares.take(HEAP_MB * 2), null, 'a worker with another heap');
  t.equal(spares.take(undefined), null);
  const taken = [spares.take(HEAP_MB)!, spares.take(HEAP_MB)!];
  t.equal(spares.take(HEAP_MB), null, 'no more than these');
  pass(clock, SPARE_THREADS_REST_MS);
  t.equal(spares.size, 2, 'they are replaced');
  await Promise.all(taken.map((each) => each.destroy()));
});

t.test('a pool takes them before it makes its own, and ends what it has', async (t) => {
  const { spares, clock } = sparesOf(t, 1);
  pass(clock, SPARE_THREADS_REST_MS);
  const pool = new ThreadPool({ threads: 2, heapMbMax: HEAP_MB, spares });
  t.equal(spares.size, 0);
  const { all } = pool as unknown as { readonly all: ReadonlySet<{ readonly threads: readonly unknown[] }> };
  t.equal(all.size, 2);
  await pool.destroy();
  t.strictSame(
    [...all].map(({ threads }) => threads.length),
    [0, 0],
  );
});

t.test('closed, there are none, and none are made', async (t) => {
  const { spares, clock } = sparesOf(t);
  pass(clock, SPARE_THREADS_REST_MS);
  t.equal(spares.size, 2);
  await spares.close();
  t.equal(spares.take(HEAP_MB), null);
  pass(clock, 10 * SPARE_THREADS_REST_MS);
  t.equal(spares.size, 0);
});
