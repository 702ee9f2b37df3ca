// npm run soak -- [--seconds n] [--busy-us n]
//
// A generator many times faster than its bolt, on two workers, for minutes: untracked, and tracked without
// `maxSpoutPending`. Prints resident size and queue fills over time; both must stay flat. Three minutes each unless
// told otherwise.

import { parseArgs } from 'node:util';
import { describe } from '../../engine/model/describe.js';
import { silentLogger } from '../../engine/log.js';
import { loadTopology, type TopologySource } from '../../engine/worker/module.js';
import { TopologyRun, type TopologyStatus } from '../../engine/worker/topology-run.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '180' },
    'busy-us': { type: 'string', default: '20' },
  },
});
const totalSeconds = Number(values.seconds);
const everySeconds = Math.max(1, totalSeconds / 12);

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`.padStart(8);

function line(status: TopologyStatus, rate: number): string {
  const all = Object.values(status.components);
  const sum = (of: 'queued' | 'outbox'): number => all.reduce((total, component) => total + component[of], 0);
  return [
    `${status.seconds.toFixed(0).padStart(5)} s`,
    `resident ${megabytes(process.memoryUsage.rss())}`,
    `in mailboxes ${String(sum('queued')).padStart(6)}`,
    `in outboxes ${String(sum('outbox')).padStart(6)}`,
    `open trees ${String(status.openTrees).padStart(6)}`,
    `${(rate / 1000).toFixed(1).padStart(7)} k tuples/s through the bolt`,
  ].join('  ');
}

async function soak(tracked: boolean): Promise<void> {
  console.log(`${tracked ? 'tracked, no maxSpoutPending' : 'untracked'}: ${totalSeconds} s`);
  const source: TopologySource = {
    kind: 'module',
    url: new URL('./topologies/slow-bolt.js', import.meta.url).href,
    settings: { 'numbers.tracked': tracked, 'slow.busyUs': Number(values['busy-us']) },
  };
  const description = describe(await loadTopology(source));
  const run = new TopologyRun({
    source,
    description,
    workers: 2,
    logger: silentLogger,
    print: () => Promise.resolve(),
  });
  await run.start();
  let executed = 0;
  for (let seconds = 0; seconds < totalSeconds; seconds += everySeconds) {
    await new Promise((resolve) => setTimeout(resolve, everySeconds * 1000));
    const status = run.status();
    const now = status.components['slow']!.executed;
    console.log(line(status, (now - executed) / everySeconds));
    executed = now;
  }
  await run.kill();
}

await soak(false);
await soak(true);
