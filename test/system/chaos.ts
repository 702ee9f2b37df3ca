// npm run chaos -- [--seconds n] [--every ms] [--rate n] [--seed n]
//
// Kills a random worker every 200 ms for a minute under load, those of spouts among them, and says whether every record
// was handled, how many more than once, and how long it took from each death until a tuple was delivered again.

import { parseArgs } from 'node:util';
import { chaosReport, runChaos } from './chaos-run.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    every: { type: 'string', default: '200' },
    rate: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const { seconds, every, rate, seed } = values;
console.log(`a worker dies every ${every} ms for ${seconds} s, 2 spout tasks at ${rate} records/s, seed ${seed}`);
const result = await runChaos({
  seconds: Number(seconds),
  everyMs: Number(every),
  rate: Number(rate),
  seed: Number(seed),
});
console.log(chaosReport(result));
process.exitCode = result.lost === 0 && result.end === 'completed' ? 0 : 1;
