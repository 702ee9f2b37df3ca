// C119 two topologies in one process: one gets into every trouble there is, again and again; the other one loses
// nothing, doubles nothing, and keeps its workers.

import t from 'tap';
import { faultyRun, numbersIn } from '../engine/worker/supervision/faulty.js';

const DEATHS = 2;

const settings = { stallTimeout: 500, workerHeapMb: 48, workerBuffersMb: 128 };

for (const trouble of ['spin', 'heap', 'buffers', 'buffers-at-once', 'exit', 'rejection']) {
  t.test(`C119 one that is in trouble (${trouble}) does not disturb another one`, async (t) => {
    // With waits next to nothing, it dies as often as it can.
    const bad = await faultyRun({ trouble, times: 1e9, at: 0, tuples: 1, settings, speed: 1e4 });
    const lines: string[] = [];
    const good = await faultyRun({ tuples: 1e9, settings: { maxSpoutPending: 100 } }, lines);
    await Promise.all([bad.start(), good.start()]);
    while (bad.status().workerDeaths < DEATHS) await new Promise((resolve) => setTimeout(resolve, 10));
    good.drain();
    t.strictSame(await good.completed, { status: 'killed', error: null }, 'drained');
    const { components, workerDeaths, errors, openTrees } = good.status();
    const { emitted, acked, failed } = components['numbers']!;
    t.equal(acked, emitted);
    t.equal(failed, 0);
    t.equal(lines.length, emitted, 'each number once');
    t.strictSame(
      numbersIn(lines),
      Array.from({ length: emitted }, (_, n) => n),
    );
    t.equal(workerDeaths, 0);
    t.strictSame(errors, []);
    t.equal(openTrees, 0);
    t.comment(`${emitted} numbers while ${bad.status().workerDeaths} workers of the other one died`);
    await bad.kill();
  });
}
