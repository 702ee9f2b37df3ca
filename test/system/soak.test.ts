// The short form of `npm run soak`: a spout that is far faster than the bolt behind it, on two real threads, until all
// of its tuples are through. What waits in between never exceeds what the limits promise: tracked or not, and with
// payloads of 1 MB.

import t from 'tap';
import { runtimeLimits, type RuntimeLimits } from '../../engine/limits.js';
import { silentLogger } from '../../engine/log.js';
import { describe } from '../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../engine/worker/module.js';
import { TopologyRun } from '../../engine/worker/topology-run.js';
import { promisedBy } from './promised.js';

interface Short {
  readonly title: string;
  readonly file: string;
  readonly tuples: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly limits: RuntimeLimits;
  readonly tupleBytes: number;
}

const few = { ...runtimeLimits, linkSharedTuples: 512, channelReserveTuples: 16, batchTuplesMax: 64 };
const MEGABYTE = 1024 * 1024;

const forms: readonly Short[] = [
  {
    title: 'untracked',
    file: 'slow-bolt',
    tuples: 40_000,
    settings: { 'numbers.tracked': false, 'numbers.count': 40_000, 'slow.busyUs': 10 },
    limits: few,
    tupleBytes: 64,
  },
  {
    title: 'tracked without maxSpoutPending',
    file: 'slow-bolt',
    tuples: 40_000,
    settings: { 'numbers.tracked': true, 'numbers.count': 40_000, 'slow.busyUs': 10 },
    limits: few,
    tupleBytes: 64,
  },
  {
    title: 'with payloads of 1 MB',
    file: 'slow-large',
    tuples: 100,
    settings: { 'numbers.count': 100, 'slow.busyUs': 5000 },
    limits: runtimeLimits,
    tupleBytes: MEGABYTE + 64,
  },
];

for (const { title, file, tuples, settings, limits, tupleBytes } of forms) {
  t.test(`C72 a fast spout before a slow bolt, ${title}`, async (t) => {
    const source: TopologySource = {
      kind: 'module',
      url: new URL(`./topologies/${file}.js`, import.meta.url).href,
      settings,
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
    const most = { mailbox: 0, mailboxBytes: 0, outbox: 0, openTrees: 0 };
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      const { components } = run.metrics();
      for (const { queued, queuedBytes, outbox } of Object.values(components)) {
        most.mailbox = Math.max(most.mailbox, queued);
        most.mailboxBytes = Math.max(most.mailboxBytes, queuedBytes);
        most.outbox = Math.max(most.outbox, outbox);
      }
      most.openTrees = Math.max(most.openTrees, run.status().openTrees);
    }
    t.match(await run.completed, { status: 'completed' });
    t.equal(run.status().components['sink']!.executed, tuples, 'nothing is dropped');
    // One channel to the slow bolt, one from it. A slice of the spout may fill an outbox before it is seen.
    const promised = promisedBy({ tupleBytes, channels: 1, emits: limits.sliceTuplesMax }, limits);
    t.ok(most.mailbox > 0 && most.mailbox <= promised.mailboxTuples, `at most ${most.mailbox} in a mailbox`);
    t.ok(most.mailboxBytes > 0, 'which are counted in bytes');
    t.ok(most.mailboxBytes <= promised.mailboxBytes, `at most ${most.mailboxBytes} bytes in a mailbox`);
    t.ok(most.outbox <= promised.outboxTuples, `at most ${most.outbox} in outboxes`);
    const openMax = settings['numbers.tracked'] === false ? 0 : 2 * (promised.mailboxTuples + promised.outboxTuples);
    t.ok(most.openTrees <= openMax, `at most ${most.openTrees} trees open`);
  });
}
