// What a running topology says of itself, and the progress that it is given and gives: on virtual time, in this thread.

import t from 'tap';
import type { ComponentDetails } from '../../../api/host/service.js';
import { VirtualClock } from '../../../engine/clock.js';
import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { InThreadPool } from '../../../engine/testing/in-thread-pool.js';
import type { Checkpoint } from '../../../engine/worker/messages.js';
import { loadTopology } from '../../../engine/worker/module.js';
import { TopologyRun, type TopologyRunOptions } from '../../../engine/worker/topology-run.js';
import { TestRun } from '../../../engine/testing/kit.js';

const measured = new URL('../../conformance/topologies/measured.js', import.meta.url);

t.test('rates, latencies, and how they are given out', async (t) => {
  const run = await TestRun.start(measured);
  t.teardown(() => run.close());
  await run.advance('20s');
  const { components } = run.status();
  // What a host gives out can be taken over as it is.
  const details: Readonly<Record<string, ComponentDetails>> = components;
  for (const [id, { rate }] of Object.entries(details)) {
    t.ok(rate >= 90 && rate <= 110, `${id}: ${rate} tuples a second of virtual time`);
  }
  const { hundred, slow, quick } = details;
  t.ok(slow!.latency.count >= 500, `${slow!.latency.count} of 2000 calls are measured, 10 ms apart`);
  t.ok(
    slow!.latency.p50Ms >= 20 && slow!.latency.p50Ms <= 35,
    `${slow!.latency.p50Ms} ms, asynchronous ones to their end`,
  );
  t.ok(hundred!.latency.p50Ms >= 20);
  t.ok(quick!.latency.count > 0);
  t.equal(quick!.latency.maxMs, 0, 'no virtual time goes by in a call');
  t.ok(run.status().completeLatency.count > 1000);
  t.strictSame(hundred!.lastErrors, []);
  await run.deactivate();
  await run.advance('20s');
  t.strictSame(
    Object.values(run.status().components).map(({ rate }) => rate),
    [0, 0, 0],
  );
});

async function start(options: Partial<TopologyRunOptions>) {
  const source = { kind: 'module', url: measured.href, settings: {} } as const;
  const topology = await loadTopology(source);
  const printed: string[] = [];
  const kept: Checkpoint[] = [];
  const clock = new VirtualClock();
  const run = new TopologyRun({
    source,
    description: describe(topology),
    workers: 1,
    logger: silentLogger,
    pool: new InThreadPool(topology),
    print: async (line) => void printed.push(line),
    clock,
    virtualTimeMs: () => 0,
    onCheckpoint: (checkpoint) => kept.push(checkpoint),
    ...options,
  });
  await run.start();
  return { run, printed, kept };
}

t.test('progress is given in and out, and components know their folder', async (t) => {
  const first = await start({ filesRoot: 'a folder' });
  for (let ms = 10; ms <= 1000; ms += 10) {
    first.run.advance(ms);
    await first.run.probe(ms);
  }
  await first.run.kill();
  const last = first.kept.at(-1);
  t.match(last, { component: 'hundred', partition: 'all' });
  const next = last?.progress as number;
  t.ok(next >= 10, `${next} are acked`);
  t.ok(first.kept.length < 12, 'told some times a second, not for each');
  t.strictSame(first.printed, ['files below a folder']);
  const second = await start({ checkpoints: [last!] });
  await second.run.kill();
  t.strictSame(second.printed, [`goes on at ${next}`, 'files below null']);
});
