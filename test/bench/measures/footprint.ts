// A process that runs one topology and says how much memory it takes: the child of measures/memory.ts, because what was
// there before would count otherwise.
//
//   footprint.js {"topology":"many-tasks","workers":1,"settings":{},"warmUpMs":1000,"measureMs":0,"samples":1}
//   ─► [resident bytes, …], one for each sample, as JSON

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { TopologyRun } from '../../../engine/worker/topology-run.js';
import { passing } from '../measured.js';
import type { Footprint } from './memory.js';

const asked = JSON.parse(process.argv[2]!) as Footprint;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const url = new URL(`../topologies/${asked.topology}.js`, import.meta.url).href;
const source: TopologySource = { kind: 'module', url, settings: asked.settings };
const description = describe(await loadTopology(source));
const run =
  asked.workers === 0
    ? null
    : new TopologyRun({
        source,
        description,
        workers: asked.workers,
        logger: silentLogger,
        print: () => Promise.resolve(),
      });
await run?.start();
await passing(asked.warmUpMs);
const resident: number[] = [];
for (let sample = 0; sample < asked.samples; sample++) {
  if (sample > 0) await passing(asked.measureMs / (asked.samples - 1));
  collectGarbage();
  resident.push(process.memoryUsage.rss());
}
await run?.kill();
console.log(JSON.stringify(resident));
