// Workers die, that of a spout among them, while it reads and while the topology ends: C121. On two workers, so that
// another one lives.

import { TestRun } from 'millrace/testing';
import t from 'tap';
import { linked, onEachTransport, range, settleUntil, topologyUrl, spread, type Test } from './transports.js';

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

/** Moves time on in small steps until that holds. */
async function advanceUntil(run: TestRun, holds: () => boolean): Promise<void> {
  for (let steps = 0; steps < 500 && !holds(); steps++) await run.advance(20);
}

async function completes(t: Test, run: TestRun): Promise<void> {
  run.endFeed('command');
  await advanceUntil(run, () => run.status().state !== 'active');
  t.equal(run.status().state, 'completed');
  t.equal(run.status().openTrees, 0);
}

function unreached(run: TestRun, count: number): number[] {
  const reached = new Set(handled(run).map(({ number }) => number));
  return range(count).filter((number) => !reached.has(number));
}

for (const victim of ['first', 'second', 'third']) {
  onEachTransport(
    `C121 the worker of ${victim === 'second' ? 'the spout' : 'others'} dies (of "${victim}"), again and again`,
    numbers,
    { fed: ['command'] },
    async (t, run) => {
      for (let death = 1; death <= 4; death++) {
        run.killAt(victim, 30);
        await advanceUntil(run, () => run.status().workerDeaths === death);
        t.equal(run.status().workerDeaths, death);
      }
      await completes(t, run);
      t.strictSame(unreached(run, 200), [], 'every number reached the sink');
      t.strictSame(ackedUnhandled(run), [], 'no tree was acked whose tuple was not handled');
      const incarnations = new Set(run.of('emitted', 'numbers').map((event) => event.incarnation));
      t.equal(incarnations.size, victim === 'second' ? 5 : 1);
    },
    linked,
  );
}

onEachTransport(
  'C121 a restarted spout goes on after the last offset below which everything is acked',
  numbers,
  { fed: ['command'] },
  async (t, run) => {
    await run.advance(400);
    const acked = new Set(run.acked('numbers'));
    t.ok(acked.size >= 80, `${acked.size} are acked`);
    await run.crash(0);
    await run.advance(5);
    const [again] = run.of('emitted', 'numbers').filter((event) => event.incarnation === 1);
    const start = again?.values[0] as number;
    t.ok(start >= 50, `it goes on at ${start}: progress is kept at least five times a second`);
    t.ok(range(start).every((number) => acked.has(number)));
    await completes(t, run);
    t.strictSame(unreached(run, 200), []);
  },
  linked,
);

onEachTransport(
  'C121 acks of a dead incarnation touch no tree of the next one',
  topologyUrl('holding'),
  { fed: ['source', 'command'] },
  async (t, run) => {
    for (const id of range(10)) run.feed('source', [`old ${id}`], { id: `old ${id}` });
    await run.settle();
    t.equal(run.executed('holder').length, 30);
    await run.crash(0);
    await run.settle();
    // Their sequence numbers are those that the old ones had.
    for (const id of range(10)) run.feed('source', [`new ${id}`], { id: `new ${id}` });
    await run.settle();
    for (const verb of ['ack', 'touch', 'fail']) {
      for (const id of range(10)) run.feed('command', [verb, `old ${id}/a`]);
      for (const id of range(10)) run.feed('command', [verb, `old ${id}/b`]);
      await run.settle();
    }
    t.strictSame(run.acked('source'), []);
    t.strictSame(run.failed('source'), []);
    t.equal(run.status().openTrees, 10);
    for (const leaf of ['a', 'b', 'c']) {
      for (const id of range(10)) run.feed('command', ['ack', `new ${id}/${leaf}`]);
    }
    await run.settle();
    t.same(new Set(run.acked('source')), new Set(range(10).map((id) => `new ${id}`)));
    t.equal(run.acked('source').length, 10);
    t.equal(run.status().openTrees, 0);
  },
  linked,
);

onEachTransport(
  'C121 tuples of a dead incarnation are dropped, and counted',
  topologyUrl('gated'),
  { fed: ['one-source', 'command'] },
  async (t, run, transport) => {
    const gate = `C121 ${transport.name}`;
    for (const id of range(5)) run.feed('one-source', [gate], { id });
    await run.settle();
    const [one] = run.of('executed', 'one');
    const [source] = run.of('emitted', 'one-source');
    t.not(one?.worker, source?.worker, 'the bolt lives on');
    await run.crash(source?.worker ?? 0);
    await run.settle();
    run.feed('command', [gate]);
    // Four tuples, and the ack of the one that was being executed.
    await settleUntil(run, () => run.status().components['one']?.stale === 5);
    t.equal(run.status().components['one']?.stale, 5);
    t.equal(run.executed('one').length, 1);
    run.feed('one-source', [gate], { id: 'again' });
    await run.settle();
    t.strictSame(run.acked('one-source'), ['again']);
  },
  linked,
);

for (const worker of [0, 1]) {
  onEachTransport(
    `C121 a worker dies when all but one of its tasks have ended (worker ${worker})`,
    numbers,
    { fed: ['command'], settings: { 'numbers.count': 20 } },
    async (t, run) => {
      const last = (death: number): boolean =>
        handled(run).some(
          ({ number, incarnation }) =>
            String(number).startsWith('third took') && incarnation === (worker === 1 ? death : 0),
        );
      await advanceUntil(run, () => last(0));
      for (const death of [1, 2]) {
        await run.crash(worker);
        await advanceUntil(run, () => worker === 0 || last(death));
        await run.settle();
        t.equal(run.status().state, 'active', 'the command has not ended');
      }
      await completes(t, run);
      t.strictSame(unreached(run, 20), []);
      for (const relay of ['first', 'second', 'third']) {
        const newest = Math.max(...run.of('life', relay).map((event) => event.incarnation));
        const calls = run.events.filter(
          (event) => 'component' in event && event.component === relay && event.incarnation === newest,
        );
        const [lastCall] = calls
          .filter((event) => event.type === 'executed' || (event.type === 'life' && event.call === 'finish'))
          .slice(-1);
        t.equal(lastCall?.type, 'life', `nothing came to "${relay}" after its last end`);
      }
    },
    linked,
  );
}

for (const transport of linked) {
  const gate = `C121 reopening ${transport.name}`;
  onEachTransport(
    'C121 an end that was under way when its input began anew does not count',
    topologyUrl('reopening'),
    { fed: ['command'], settings: { 'late.gate': gate, 'flush.gate': gate } },
    async (t, run) => {
      await settleUntil(run, () => run.life('flush').includes('finish'));
      await run.crash(1);
      await settleUntil(run, () => run.life('late').filter((call) => call === 'finish').length === 2);
      run.feed('command', [`${gate} flush`]);
      await run.settle();
      t.strictSame(run.printed, [], 'the total goes on');
      run.feed('command', [`${gate} late`]);
      await run.settle();
      t.strictSame(run.printed, ['total: the end of incarnation 0, the end of incarnation 1']);
      run.endFeed('command');
      t.equal((await run.completed).status, 'completed');
    },
    [transport],
  );
}

for (const transport of linked) {
  t.test(`C121 workers of built-in components die while they read (${transport.name})`, async (t) => {
    const lines = range(1500).map((number) => `line ${number}`);
    const folder = t.testdir({ 'lines.txt': lines.join('\n') });
    const { workers, threads } = transport;
    const gate = `C121 lines ${transport.name}`;
    const settings = { ...spread, 'lines.path': `${folder}/lines.txt`, 'held.gate': gate };
    const run = await TestRun.start(topologyUrl('lines'), { fed: ['command'], workers, threads, settings });
    t.teardown(() => run.close());
    run.killAt('count', 60);
    const ended = (): boolean => run.executed('sink').length >= lines.length && run.status().openTrees === 0;
    for (let steps = 0; steps < 500 && !ended(); steps++) {
      run.feed('command', [gate]);
      await run.advance(20);
    }
    await completes(t as Test, run);
    t.equal(run.status().workerDeaths, 2, 'both died');
    const reached = new Set(run.executed('sink').map(([line]) => line));
    t.strictSame(
      lines.filter((line) => !reached.has(line)),
      [],
    );
  });
}
