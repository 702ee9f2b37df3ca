// npm run nemesis -- [--minutes n] [--seed n] [--timeout ms]
//
// Three processes contend for leadership and for a lock, on an ensemble of three servers, while one thing after the
// other is done to them; then says whether ever two held at once, a deposed one wrote, a watch lost a change, a call
// hung, or a process did not end. Ends with 1 when anything of that happened. Ctrl-C ends the faults, and what was done
// is judged.

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nemesisReport, runNemesis } from './nemesis-run.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    timeout: { type: 'string', default: '3000' },
  },
});
const { minutes, seed, timeout } = values;
const directory = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-nemesis-'));
console.log(`${minutes} minutes, sessions of ${timeout} ms, seed ${seed}`);
const startMs = performance.now();
const ending = new AbortController();
// Servers and contenders would outlive this process: the first time it is only told to come to its end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
const result = await runNemesis({
  directory,
  ensembleDirectory: join(directory, 'ensemble'),
  sessionTimeoutMs: Number(timeout),
  seconds: Number(minutes) * 60,
  seed: Number(seed),
  graceMs: 2_000,
  signal: ending.signal,
  say: (line) => console.log(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(7)} s  ${line}`),
});
console.log(nemesisReport(result));
if (result.violations.length === 0) {
  rmSync(directory, { recursive: true });
} else {
  const log = join(directory, 'events.jsonl');
  writeFileSync(log, result.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  console.log(`what happened is in ${log}`);
  process.exitCode = 1;
}
