// Some seeds of the simulation; the long form is `npm run sim`. A seed replays exactly, and another one does not.

import t from 'tap';
import { simulate } from './simulate.js';

Error.stackTraceLimit = 0;

void t.test('a few days of a cluster break no rule', async (t) => {
  for (const [seed, hosts] of [101, 102, 103, 104, 105].map((seed, at) => [seed, [5, 6, 7, 9, 25][at]!] as const)) {
    const { violation } = await simulate({ seed, hosts, steps: hosts > 20 ? 25 : 60 });
    t.strictSame(violation, null, `seed ${seed}, ${hosts} hosts`);
  }
});

void t.test('the same seed is the same day, event by event', async (t) => {
  const options = { seed: 7, hosts: 6, steps: 40 };
  const first = await simulate(options);
  const again = await simulate(options);
  t.equal(first.violation, null);
  t.equal(first.digest, again.digest);
  t.equal(first.events, again.events);
  const other = await simulate({ ...options, seed: 8 });
  t.not(other.digest, first.digest);
});
