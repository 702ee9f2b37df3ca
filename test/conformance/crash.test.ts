// A worker that holds parts of trees dies: C114. On two workers, so that another one lives.

import type { TestRun } from 'millrace/testing';
import { linked, onEachTransport, range, topologyUrl } from './transports.js';

const sorted = (ids: readonly unknown[]): unknown[] => [...ids].sort((a, b) => (a as number) - (b as number));

/** Acks every leaf that the holder holds now. */
async function ackAll(run: TestRun, ids: readonly number[]): Promise<void> {
  for (const id of ids) for (const leaf of ['a', 'b', 'c']) run.feed('command', ['ack', `${id}/${leaf}`]);
  await run.settle();
}

onEachTransport(
  'C114 a worker that holds parts of trees dies: every open tree fails, once and at once',
  topologyUrl('holding'),
  { fed: ['source', 'command'] },
  async (t, run) => {
    for (const id of range(300)) run.feed('source', [id], { id });
    await run.settle();
    await ackAll(run, range(100));
    t.equal(run.acked('source').length, 100);
    await run.crash(1);
    await run.settle();
    t.equal(run.status().workerDeaths, 1);
    t.strictSame(sorted(run.failed('source')), range(200, 100), 'without any time going by');
    t.equal(run.status().openTrees, 0);
    for (const id of range(200, 100)) run.feed('source', [id], { id });
    await run.settle();
    await ackAll(run, range(200, 100));
    t.strictSame(sorted(run.acked('source')), range(300), 'and the replays are processed');
    t.equal(run.failed('source').length, 200);
    for (const component of ['source', 'command']) run.endFeed(component);
    t.equal((await run.completed).status, 'completed');
  },
  linked,
);

onEachTransport(
  'C114 tuples that are sent around the loss fail as well, or are held by the new worker',
  topologyUrl('holding'),
  { fed: ['source', 'command'], settings: { messageTimeout: null } },
  async (t, run) => {
    let next = 0;
    const send = (count: number): void => {
      for (const id of range(count, next)) run.feed('source', [id], { id });
      next += count;
    };
    send(50);
    await run.settle();
    for (let death = 1; death <= 3; death++) {
      send(50);
      const crashed = run.crash(1);
      send(50);
      await crashed;
      send(50);
      await new Promise((resolve) => setImmediate(resolve));
      send(50);
      await run.settle();
      t.equal(run.status().workerDeaths, death);
    }
    const failed = run.failed('source') as number[];
    t.equal(new Set(failed).size, failed.length, 'none failed twice');
    t.equal(run.status().openTrees, next - failed.length, 'the others are open');
    // Those of which the last holder has all leaves can be acked; the rest must have failed.
    const open = range(next).filter((id) => !failed.includes(id));
    await ackAll(run, open);
    t.strictSame(sorted(run.acked('source')), open, 'and nothing is open for ever');
    for (const id of failed) run.feed('source', [id], { id });
    await run.settle();
    await ackAll(run, failed);
    t.strictSame(sorted(run.acked('source')), range(next));
    t.equal(run.status().openTrees, 0);
    t.equal(run.failed('source').length, failed.length);
  },
  linked,
);

onEachTransport(
  'C114 a worker dies under back pressure',
  topologyUrl('flowing'),
  {
    settings: { 'numbers.tracked': true, 'numbers.count': 300, 'numbers.startsAtMs': 1 },
    limits: { batchTuplesMax: 3, mailboxTuplesMax: 2, channelReserveTuples: 1, linkSharedTuples: 4, sliceTuplesMax: 5 },
  },
  async (t, run) => {
    run.killAt('sink', 40);
    await run.advance(10);
    t.equal((await run.completed).status, 'completed');
    const { components, openTrees, workerDeaths } = run.status();
    t.equal(workerDeaths, 2);
    t.equal(openTrees, 0);
    for (const { outbox, queued } of Object.values(components)) t.strictSame([outbox, queued], [0, 0]);
  },
  linked,
);
