// Deaths of workers: told once for a burst, counted all, and too many end the topology.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { WORKER_DEATHS_MAX } from '../../../engine/limits.js';
import { silentLogger } from '../../../engine/log.js';
import { Counters } from '../../../engine/metrics/counters.js';
import { Deaths } from '../../../engine/worker/deaths.js';
import { RunReport } from '../../../engine/worker/run-report.js';

function deathsOf() {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const description = {
    name: 'dying',
    version: null,
    config: { workers: 1, messageTimeoutMs: null, maxSpoutPending: null, tracking: true, keyGroups: 1 },
    components: [],
  };
  const report = new RunReport(description, { workers: 1, tasks: [], nextTask: 0 }, new Counters(0, 1), clock);
  report.state = 'active';
  const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
  return { clock, warnings, report, deaths: new Deaths('dying', clock, logger, report) };
}

const death = (reason: string, stack: string | null = null) => ({ worker: 0, reason, stack });

t.test('a burst of alike deaths is one warning, and one more with their number', async (t) => {
  const { clock, warnings, report, deaths } = deathsOf();
  for (let n = 0; n < 5; n++) t.equal(deaths.add(death('out of memory')), null);
  t.strictSame(warnings, ['worker 0 of topology "dying" died: out of memory']);
  while (clock.step(10_000));
  t.strictSame(warnings.slice(1), ['4 more worker(s) of topology "dying" died alike: out of memory']);
  deaths.add(death('out of memory'));
  t.equal(warnings.length, 2, 'it goes on, and is only counted');
  deaths.add(death('exit'));
  t.strictSame(warnings.slice(2), [
    '1 more worker(s) of topology "dying" died alike: out of memory',
    'worker 0 of topology "dying" died: exit',
  ]);
  while (clock.step(100_000));
  deaths.add(death('exit'));
  t.equal(warnings.length, 5, 'after a while it is news again');
  deaths.end();
  deaths.end();
  t.equal(warnings.length, 5);
  const { errors, workerDeaths } = report.status(1);
  t.equal(workerDeaths, 8);
  t.strictSame(
    errors.map(({ count }) => count),
    [6, 1, 1],
  );
});

t.test('too many end it, with the reason and the stack of the last', async (t) => {
  const { warnings, deaths } = deathsOf();
  for (let n = 0; n < WORKER_DEATHS_MAX; n++) t.equal(deaths.add(death('exit')), null);
  t.match(deaths.add(death('exit', 'at user.ts:1')), {
    code: 'MILLRACE_WORKER_FAILING',
    message: `topology "dying" lost ${WORKER_DEATHS_MAX + 1} workers within 60 s; the last one: exit`,
    stack: 'at user.ts:1',
  });
  deaths.end();
  t.equal(warnings.length, 2);
});

t.test('while it starts one is enough', async (t) => {
  const { report, deaths } = deathsOf();
  report.state = 'starting';
  t.match(deaths.add(death('exit')), { code: 'MILLRACE_WORKER_DIED' });
});
