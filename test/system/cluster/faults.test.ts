// Three hosts on three ZooKeeper servers, their wall clocks hours apart (C63), get over every fault of faults.ts: no
// line is lost, no task runs twice in one incarnation, and one of them is master. How long it takes, `npm run faults`
// says.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runningEnsemble } from '../../coordination/ensemble/running.js';
import { HOSTS } from './book.js';
import { clusterFaults, inflict } from './faults.js';
import { HostCluster, SESSION_TIMEOUT_MS } from './hosts.js';

t.setTimeout(400_000);

const LINES = Array.from({ length: 100 }, (_, n) => `line ${n}`);

const ensemble = await runningEnsemble(t);
const directory = t.testdir({});
const text = join(directory, 'text');
writeFileSync(text, LINES.join('\n'));
const cluster = await HostCluster.start(t, ensemble, directory, HOSTS);

for (const fault of clusterFaults(SESSION_TIMEOUT_MS)) {
  if (fault.isLong) continue;
  await t.test(fault.name, async (t) => {
    const sizes = { awayMs: SESSION_TIMEOUT_MS + 500, isShort: true };
    const { whom, records, duplicates, redeliveredMs, ...outcome } = await inflict(
      fault,
      cluster,
      { text, rate: 250, stops: true },
      sizes,
    );
    t.match(outcome, { state: 'completed', lost: 0, told: [], twice: [], wrong: [] });
    const again = redeliveredMs === null ? '' : `, the first again after ${Math.round(redeliveredMs)} ms`;
    t.comment(`${whom}: ${duplicates} of ${records} lines came again${again}; ${outcome.master} is master`);
  });
}
