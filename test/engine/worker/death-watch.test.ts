// Deaths within a window of time.

import fc from 'fast-check';
import t from 'tap';
import { WORKER_DEATHS_MAX, WORKER_DEATHS_WINDOW_MS } from '../../../engine/limits.js';
import { DeathWatch } from '../../../engine/worker/death-watch.js';

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
        watch.add(nowMs);
        const recent = all.filter((atMs) => atMs >= nowMs - WORKER_DEATHS_WINDOW_MS).length;
        return watch.count === recent && watch.tooMany === recent > WORKER_DEATHS_MAX;
      });
    }),
  );
  t.pass('100 runs');
});
