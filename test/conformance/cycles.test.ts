// Cycles: tuples that go round, how they end, what happens where there is no room, and when a worker dies.

import type { TestRun } from 'millrace/testing';
import type { RuntimeLimits } from '../../engine/limits.js';
import { linked, onEachTransport, range, settleUntil, topologyUrl } from './transports.js';

const spouts = ['source', 'loose', 'command'];
const tiny = {
  batchTuplesMax: 3,
  mailboxTuplesMax: 2,
  channelReserveTuples: 1,
  linkSharedTuples: 4,
  sliceTuplesMax: 5,
  directDepthMax: 2,
  feedbackTuplesMax: 4,
} satisfies Partial<RuntimeLimits>;

async function ended(run: TestRun): Promise<string> {
  for (const spout of spouts) run.endFeed(spout);
  return (await run.completed).status;
}

/** How often each number came out at its end, by name. */
function cameOut(run: TestRun): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [name] of run.executed('out')) counts.set(String(name), (counts.get(String(name)) ?? 0) + 1);
  return counts;
}

const steps = (run: TestRun): number =>
  run.printed.reduce((sum, line) => sum + Number(/^steps (\d+)$/.exec(line)?.[1] ?? 0), 0);

for (const tracked of [true, false]) {
  onEachTransport(
    `cycles end when nothing goes round any more, ${tracked ? 'tracked' : 'not tracked'}`,
    topologyUrl('cycling'),
    { fed: spouts },
    async (t, run) => {
      for (const number of range(40)) {
        run.feed('source', [`n${number}`, number], { index: number % 2, ...(tracked && { id: number }) });
      }
      t.equal(await ended(run), 'completed');
      const out = cameOut(run);
      for (const number of range(40)) t.equal(out.get(`n${number}`), 2, `n${number} by both ways`);
      t.equal(out.get('last of 0'), 1, 'what an end emits goes round too');
      t.equal(out.get('last of 1'), 1);
      t.equal(out.size, 42);
      t.equal(steps(run), (40 * 41) / 2 + 2 * 6, 'no step is lost, and none comes after the end');
      t.equal(run.acked('source').length, tracked ? 40 : 0);
      t.strictSame(run.status().errors, []);
    },
  );
}

onEachTransport(
  'a cycle that nothing came into ends as well',
  topologyUrl('cycling'),
  { fed: spouts },
  async (t, run) => {
    t.equal(await ended(run), 'completed');
    t.equal(steps(run), 12);
  },
);

onEachTransport(
  'cycles with hardly any room: no deadlock, what does not fit fails and is replayed',
  topologyUrl('cycling'),
  { fed: spouts, limits: tiny },
  async (t, run) => {
    for (const number of range(200))
      run.feed('source', [`n${number}`, 3 + (number % 9)], { id: number, index: number % 2 });
    for (const number of range(4)) run.feed('source', [`many ${number}`, 6], { id: `many ${number}` });
    await run.settle();
    const seen = { failures: 0 };
    for (let round = 0; round < 300 && run.acked('source').length < 204; round++) {
      const failed = run.failed('source').slice(seen.failures);
      seen.failures += failed.length;
      // One at a time: alone each of them has room, or nearly so.
      for (const id of failed) {
        const isMany = typeof id === 'string';
        run.feed('source', isMany ? [id, 1] : [`n${String(id)}`, 3 + (Number(id) % 9)], { id });
        await run.settle();
      }
    }
    t.equal(new Set(run.acked('source')).size, 204, 'every tree was processed in the end');
    t.ok(run.failed('source').length > 0, `${run.failed('source').length} failed for want of room`);
    t.equal(run.status().openTrees, 0);
    t.equal(await ended(run), 'completed');
    for (const { outbox, queued } of Object.values(run.status().components)) t.strictSame([outbox, queued], [0, 0]);
  },
);

onEachTransport(
  'what is not tracked and finds no room is dropped and counted',
  topologyUrl('cycling'),
  { fed: spouts, limits: { feedbackTuplesMax: 4, channelReserveTuples: 2, linkSharedTuples: 2 } },
  async (t, run, transport) => {
    const gate = `drop ${transport.name}`;
    run.feed('loose', [8, '']);
    await run.settle();
    for (const number of range(6)) run.feed('loose', [number, number === 0 ? gate : '']);
    await run.settle();
    run.feed('command', [gate]);
    t.equal(await ended(run), 'completed');
    const { first, second } = run.status().components;
    t.ok(second!.dropped > 0, `${second!.dropped} dropped`);
    t.equal(first!.executed, 7 + run.emitted('second').length - second!.dropped, 'the others arrived');
    t.equal(run.executed('beside').length, run.emitted('second').length, 'other subscribers got them all');
  },
);

onEachTransport(
  'what is not tracked is refused at the emitter where it must not be dropped',
  topologyUrl('cycling'),
  { fed: spouts, limits: { feedbackTuplesMax: 1 } },
  async (t, run) => {
    run.feed('source', ['many', 8]);
    await settleUntil(run, () => (run.status().components['step']?.errors ?? 0) > 0);
    const [error] = run.status().components['step']!.lastErrors;
    t.equal(error?.error.code, 'MILLRACE_EMIT_FEEDBACK_FULL');
    t.match(error?.error.message, /on stream "back", whose feedback to "enter" is full/);
    t.equal(await ended(run), 'completed');
  },
);

onEachTransport(
  'C114 a worker with a part of a cycle dies: what went round is replayed, and the cycle ends',
  topologyUrl('cycling'),
  { fed: spouts },
  async (t, run) => {
    // By the first task of the source, which lives on.
    for (const number of range(60)) run.feed('source', [`n${number}`, 100], { id: number });
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    await run.crash(1);
    await settleUntil(run, () => run.acked('source').length + run.failed('source').length >= 60);
    t.equal(run.status().workerDeaths, 1);
    const failed = run.failed('source');
    t.ok(failed.length > 0, `${failed.length} were open`);
    for (const id of failed) run.feed('source', [`n${String(id)}`, 3], { id });
    await settleUntil(run, () => new Set(run.acked('source')).size === 60);
    t.equal(new Set(run.acked('source')).size, 60);
    t.equal(await ended(run), 'completed');
    const out = cameOut(run);
    for (const number of range(60)) t.ok((out.get(`n${number}`) ?? 0) >= 2, `n${number} came out`);
  },
  linked,
);

onEachTransport(
  'C114 a worker dies while cycles end: they begin their end anew',
  topologyUrl('cycling'),
  { fed: spouts },
  async (t, run) => {
    for (const number of range(10)) run.feed('source', [`n${number}`, 200], { index: number % 2 });
    for (const spout of spouts) run.endFeed(spout);
    await new Promise((resolve) => setImmediate(resolve));
    await run.crash(1);
    t.equal((await run.completed).status, 'completed');
    t.ok(steps(run) >= 12);
  },
  linked,
);
