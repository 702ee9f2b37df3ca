// The short form of `npm run chaos`: workers die one after the other, and no record is lost.

import t from 'tap';
import { chaosReport, runChaos } from './chaos-run.js';

for (const seed of [1, 2]) {
  t.test(`random workers are killed every 200 ms (seed ${seed})`, async (t) => {
    const result = await runChaos({ seed, seconds: 3, everyMs: 200, rate: 500 });
    t.comment(chaosReport(result));
    t.match(result, { end: 'completed', lost: 0 });
    t.ok(result.deaths > 0, 'workers died');
    t.ok(result.spoutDeaths > 0, 'those of spouts among them');
  });
}
