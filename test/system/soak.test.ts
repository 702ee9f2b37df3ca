// The short form of `npm run soak`: a spout that is far faster than the bolt behind it, on two real threads, until all
// of its tuples are through. What waits in between never exceeds what the limits allow, tracked or not.

import t from 'tap';
import { runtimeLimits } from '../../engine/limits.js';
import { silentLogger } from '../../engine/log.js';
import { describe } from '../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../engine/worker/module.js';
import { TopologyRun } from '../../engine/worker/topology-run.js';

const tuples = 40_000;
const limits = { ...runtimeLimits, linkSharedTuples: 512, channelReserveTuples: 16, batchTuplesMax: 64 };
/** Half of the shared credit and the reserve may be under way on one channel, and each slice may add one batch. */
const inMailboxesMax = limits.linkSharedTuples + limits.channelReserveTuples;
/** A slice of the spout fills an outbox before it is seen to be out of credit. */
const inOutboxesMax = limits.sliceTuplesMax + limits.batchTuplesMax;

for (const tracked of [false, true]) {
  t.test(
    `C72 a fast spout before a slow bolt, ${tracked ? 'tracked without maxSpoutPending' : 'untracked'}`,
    async (t) => {
      const source: TopologySource = {
        kind: 'module',
        url: new URL('./topologies/slow-bolt.js', import.meta.url).href,
        settings: { 'numbers.tracked': tracked, 'numbers.count': tuples, 'slow.busyUs': 10 },
      };
      const description = describe(await loadTopology(source));
      const run = new TopologyRun({
        source,
        description,
        workers: 2,
        logger: silentLogger,
        print: () => Promise.resolve(),
        limits,
      });
      await run.start();
      let over = false;
      void run.completed.then(() => (over = true));
      let inMailboxes = 0;
      let inOutboxes = 0;
      let openTrees = 0;
      while (!over) {
        await new Promise((resolve) => setImmediate(resolve));
        const status = run.status();
        const all = Object.values(status.components);
        inMailboxes = Math.max(inMailboxes, ...all.map(({ queued }) => queued));
        inOutboxes = Math.max(inOutboxes, ...all.map(({ outbox }) => outbox));
        openTrees = Math.max(openTrees, status.openTrees);
      }
      t.match(await run.completed, { status: 'completed' });
      t.equal(run.status().components['sink']!.executed, tuples, 'nothing is dropped');
      t.ok(inMailboxes > 0 && inMailboxes <= inMailboxesMax, `at most ${inMailboxes} in a mailbox`);
      t.ok(inOutboxes <= inOutboxesMax, `at most ${inOutboxes} in outboxes`);
      t.ok(openTrees <= (tracked ? 2 * (inMailboxesMax + inOutboxesMax) : 0), `at most ${openTrees} trees open`);
    },
  );
}
