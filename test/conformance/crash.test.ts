// A worker dies: C114, C121. On two workers, so that another one lives.

import type { TestRun } from 'millrace/testing';
import { linked, onEachTransport, range, settleUntil, topologyUrl } from './transports.js';

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
    settings: { 'numbers.tracked': true, 'numbers.count': 300 },
    limits: { batchTuplesMax: 3, mailboxTuplesMax: 2, channelReserveTuples: 1, linkSharedTuples: 4, sliceTuplesMax: 5 },
  },
  async (t, run) => {
    run.killAt('sink', 40);
    t.equal((await run.completed).status, 'completed');
    const { components, openTrees } = run.status();
    t.equal(openTrees, 0);
    for (const { outbox, queued } of Object.values(components)) t.strictSame([outbox, queued], [0, 0]);
  },
  linked,
);

interface Handled {
  readonly number: unknown;
  readonly incarnation: unknown;
}

/** What reached the sink, as it was emitted. */
function handled(run: TestRun): Handled[] {
  return run.executed('sink').map(([number, incarnation]) => ({ number, incarnation }));
}

/** A tree was acked only if its tuple, of the same incarnation of the spout, was handled; and as often at most. */
function ackedUnhandled(run: TestRun): string[] {
  const open = new Map<string, number>();
  for (const { number, incarnation } of handled(run)) {
    const key = `${String(number)} of incarnation ${String(incarnation)}`;
    open.set(key, (open.get(key) ?? 0) + 1);
  }
  return run.of('acked', 'numbers').flatMap(({ id, incarnation }) => {
    const key = `${String(id)} of incarnation ${incarnation}`;
    const left = open.get(key) ?? 0;
    open.set(key, left - 1);
    return left > 0 ? [] : [key];
  });
}

const numbers = topologyUrl('numbers');

for (const victim of ['first', 'second', 'third']) {
  onEachTransport(
    `C121 the worker of ${victim === 'second' ? 'the spout' : 'others'} dies (of "${victim}"), again and again`,
    numbers,
    { fed: ['command'] },
    async (t, run) => {
      for (let death = 1; death <= 4; death++) {
        run.killAt(victim, 30);
        for (let steps = 0; steps < 100 && run.status().workerDeaths < death; steps++) await run.advance(100);
        t.equal(run.status().workerDeaths, death);
      }
      run.endFeed('command');
      for (let steps = 0; steps < 200 && run.status().state === 'active'; steps++) await run.advance(100);
      t.equal((await run.completed).status, 'completed');
      const reached = new Set(handled(run).map(({ number }) => number));
      t.strictSame(range(200).filter((number) => !reached.has(number)), [], 'every number reached the sink');
      if (victim !== 'second') t.strictSame(ackedUnhandled(run), [], 'no tree was acked whose tuple was not handled');
      t.equal(run.status().openTrees, 0);
      const incarnations = new Set(run.of('emitted', 'numbers').map((event) => event.incarnation));
      t.equal(incarnations.size, victim === 'second' ? 5 : 1);
    },
    linked,
  );
}

onEachTransport(
  'C121 a restarted spout goes on after the last offset below which everything is acked',
  numbers,
  { fed: ['command'], settings: { 'numbers.count': 1000, maxSpoutPending: 10 } },
  async (t, run) => {
    await run.advance(1);
    run.killAt('second', 500);
    for (let steps = 0; steps < 50 && run.status().workerDeaths === 0; steps++) await run.advance(10);
    const before = run.of('emitted', 'numbers').map((event) => event.values);
    await run.crash(0);
    run.endFeed('command');
    for (let steps = 0; steps < 200 && run.status().state === 'active'; steps++) await run.advance(100);
    t.equal((await run.completed).status, 'completed');
    t.ok(before.length > 0);
    const reached = new Set(handled(run).map(({ number }) => number));
    t.equal(range(1000).filter((number) => !reached.has(number)).length, 0);
  },
  linked,
);
