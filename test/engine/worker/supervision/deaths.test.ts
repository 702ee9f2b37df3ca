// Deaths of workers: told once for a burst, counted all, and too many end the topology.

import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { toWire } from '../../../../engine/errors.js';
import { WORKER_DEATHS_MAX } from '../../../../engine/limits.js';
import { silentLogger } from '../../../../engine/log.js';
import { Counters } from '../../../../engine/metrics/counters.js';
import { defaultConfig } from '../../../../engine/model/config.js';
import { RunReport } from '../../../../engine/worker/run-report.js';
import type { Cause } from '../../../../engine/worker/supervision/cause.js';
import { Deaths } from '../../../../engine/worker/supervision/deaths.js';

function deathsOf() {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const description = { name: 'dying', version: null, config: defaultConfig, components: [] };
  const report = new RunReport(description, { workers: 1, tasks: [], nextTask: 0 }, new Counters(0, 1), clock);
  report.state = 'active';
  const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
  return { clock, warnings, report, deaths: new Deaths('dying', clock, logger, report, 10_000) };
}

const death = (message: string, more: Partial<Cause> = {}): Cause => ({
  worker: 0,
  error: { ...toWire(new Error(message)), stack: 'at user.ts:1' },
  suspect: null,
  counts: true,
  ...more,
});

t.test('a burst of alike deaths is one warning, and one more with their number', async (t) => {
  const { clock, warnings, report, deaths } = deathsOf();
  for (let n = 0; n < 5; n++) t.equal(deaths.add(death('out of memory')), null);
  t.strictSame(warnings, ['out of memory']);
  while (clock.step(10_000));
  t.strictSame(warnings.slice(1), ['4 more worker(s) of topology "dying" died alike: out of memory']);
  deaths.add(death('out of memory'));
  t.equal(warnings.length, 2, 'it goes on, and is only counted');
  deaths.add(death('exit'));
  t.strictSame(warnings.slice(2), ['1 more worker(s) of topology "dying" died alike: out of memory', 'exit']);
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
  t.match(deaths.add(death('exit')), {
    code: 'MILLRACE_WORKER_FAILING',
    message: `topology "dying" lost ${WORKER_DEATHS_MAX + 1} workers within 600 s; the last one: exit`,
    stack: 'at user.ts:1',
  });
  deaths.end();
  t.equal(warnings.length, 2);
});

t.test('what somebody ended from outside is told, counts for nothing, and is replaced at once', async (t) => {
  const { report, deaths } = deathsOf();
  const killed = death('killed', { counts: false });
  for (let n = 0; n < 10 * WORKER_DEATHS_MAX; n++) t.equal(deaths.add(killed), null);
  t.equal(deaths.waitMs(killed), 0);
  t.equal(report.status(1).workerDeaths, 10 * WORKER_DEATHS_MAX);
  const exit = death('exit');
  for (let n = 0; n < 3; n++) t.equal(deaths.add(exit), null);
  t.equal(deaths.waitMs(exit), 60);
});

t.test('while it starts one is enough', async (t) => {
  const { report, deaths } = deathsOf();
  report.state = 'starting';
  const exit = death('exit');
  t.equal(deaths.add(exit), exit.error);
});
