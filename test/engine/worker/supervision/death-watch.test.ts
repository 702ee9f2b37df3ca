// Deaths within a window of time.

import fc from 'fast-check';
import t from 'tap';
import { REPLACE_WAIT_MAX_MS, WORKER_DEATHS_MAX, WORKER_DEATHS_WINDOW_MS } from '../../../../engine/limits.js';
import { DeathWatch } from '../../../../engine/worker/supervision/death-watch.js';

t.test('only the deaths of the last window count', async (t) => {
  const gap = fc.oneof(fc.nat(WORKER_DEATHS_WINDOW_MS / 20), fc.nat(2 * WORKER_DEATHS_WINDOW_MS));
  fc.assert(
    fc.property(fc.array(gap, { maxLength: 60 }), (gaps) => {
      const watch = new DeathWatch();
      const all: number[] = [];
      let nowMs = 1000;
      return gaps.every((each) => {
        nowMs += each;
        all.push(nowMs);
        watch.add(0, nowMs);
        const recent = all.filter((atMs) => atMs >= nowMs - WORKER_DEATHS_WINDOW_MS).length;
        return watch.count === recent && watch.tooMany === recent > WORKER_DEATHS_MAX;
      });
    }),
  );
  t.pass('100 runs');
});

t.test('workers that do nothing but stall fall into the window too', async (t) => {
  const stallMs = 120_000;
  const watch = new DeathWatch(stallMs);
  let nowMs = 0;
  for (let n = 0; n <= WORKER_DEATHS_MAX; n++) {
    nowMs += stallMs + watch.waitMs(0);
    watch.add(0, nowMs);
  }
  t.ok(watch.tooMany);
});

t.test('the first death waits for nothing, then each wait doubles, worker by worker', async (t) => {
  const watch = new DeathWatch();
  const waits = Array.from({ length: 14 }, () => {
    watch.add(0, 0);
    return watch.waitMs(0);
  });
  t.strictSame(waits.slice(0, 5), [0, 30, 60, 120, 240]);
  t.equal(waits.at(-1), REPLACE_WAIT_MAX_MS);
  watch.add(1, 0);
  t.equal(watch.waitMs(1), 0);
  watch.add(0, 2 * WORKER_DEATHS_WINDOW_MS);
  t.equal(watch.waitMs(0), 0, 'what is long ago is forgotten');
});
