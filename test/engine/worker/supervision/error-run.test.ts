// When a run of errors has a task restarted, and for how long it then waits.

import fc from 'fast-check';
import t from 'tap';
import {
  RESTART_WAIT_MAX_MS,
  RESTART_WAIT_MIN_MS,
  TASK_ERRORS_MAX,
  TASK_ERRORS_MIN_MS,
  TASK_ERRORS_WINDOW_MS,
  TASK_RESTARTS_MAX,
} from '../../../../engine/limits.js';
import { ErrorRun } from '../../../../engine/worker/supervision/error-run.js';

/** The time at which a task that throws every so many milliseconds is to be restarted, or null. */
function dueMs(everyMs: number, successEvery = Infinity): number | null {
  const run = new ErrorRun();
  let successes = 0;
  for (let n = 0; n * everyMs <= 10 * TASK_ERRORS_WINDOW_MS; n++) {
    if ((n + 1) % successEvery === 0) successes++;
    if (run.add(n * everyMs, successes)) return n * everyMs;
  }
  return null;
}

t.test('many errors at once are no run yet', async (t) => {
  const run = new ErrorRun();
  const said = Array.from({ length: 10 * TASK_ERRORS_MAX }, () => run.add(TASK_ERRORS_MIN_MS - 1, 0));
  t.notOk(said.includes(true));
  t.equal(dueMs(1), TASK_ERRORS_MIN_MS);
  t.equal(dueMs(100), TASK_ERRORS_MIN_MS);
});

t.test('so many within the window, and not fewer', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), (everyMs) => {
      const due = dueMs(everyMs);
      const isDense = everyMs * (TASK_ERRORS_MAX - 1) <= TASK_ERRORS_WINDOW_MS;
      if (!isDense) return due === null;
      return due !== null && due >= TASK_ERRORS_MIN_MS && due <= TASK_ERRORS_WINDOW_MS;
    }),
  );
  t.pass('100 runs');
});

t.test('one success and it begins anew, its restarts too', async (t) => {
  t.equal(dueMs(50, TASK_ERRORS_MAX), null);
  const run = new ErrorRun();
  t.ok(run.neverSucceeded);
  run.add(0, 0);
  run.restart();
  run.add(1, 0);
  t.equal(run.restarts, 1);
  run.add(2, 1);
  t.equal(run.restarts, 0);
  t.equal(run.errors, 1);
  t.notOk(run.neverSucceeded);
});

t.test('waits double up to the longest one, until there is no hope', async (t) => {
  const run = new ErrorRun();
  const waits: number[] = [];
  while (!run.isHopeless) waits.push(run.restart());
  t.equal(waits.length, TASK_RESTARTS_MAX);
  t.strictSame(
    waits,
    waits.map((_, n) => Math.min(RESTART_WAIT_MIN_MS * 2 ** n, RESTART_WAIT_MAX_MS)),
  );
  t.equal(waits.at(-1), RESTART_WAIT_MAX_MS, 'the longest one is reached');
});
