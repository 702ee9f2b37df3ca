// Asynchronous calls that are not waited for without end: C116 and C118, with a time for each call and signals that end
// what calls wait for.

import { onEachTransport, range, topologyUrl } from './transports.js';
import type { TestRun } from 'millrace/testing';

const calling = topologyUrl('calling');
const fedTo = (...bolts: readonly string[]) => ({ fed: [...bolts.map((bolt) => `${bolt}-source`), 'command'] });

async function open(run: TestRun, gate: string): Promise<void> {
  run.feed('command', [gate]);
  await run.settle();
}

onEachTransport(
  'C116 a call that takes too long fails its tuple, keeps its place, and emits nothing late',
  calling,
  fedTo('two'),
  async (t, run, { name }) => {
    const gate = (n: number): string => `C116 late ${name} ${n}`;
    for (const n of range(4)) run.feed('two-source', [gate(n), 'wait'], { id: n });
    await run.advance('4s');
    t.equal(run.executed('two').length, 2);
    await open(run, gate(1));
    t.strictSame(run.acked('two-source'), [1], 'one is in time');
    t.equal(run.executed('two').length, 3);
    await run.advance(999);
    t.strictSame(run.failed('two-source'), []);
    await run.advance(1);
    t.strictSame(run.failed('two-source'), [0], 'at its time, and not those that began later');
    const [{ failure } = {}] = run.of('failed', 'two-source');
    t.match(failure, { cause: 'failed', code: 'MILLRACE_TASK_CALL_TIMEOUT', component: 'two' });
    t.match(failure?.message, /execute of component "two" \(task \d+\) was not done within 5000 ms/);
    t.match(run.status().errors[0]?.error, { code: 'MILLRACE_TASK_CALL_TIMEOUT' });
    t.equal(run.executed('two').length, 3, 'its place is not free');
    await run.advance('4s');
    t.strictSame(run.failed('two-source'), [0, 2]);
    t.equal(run.executed('two').length, 3);
    const misused = run.status().components['two']?.misused ?? 0;
    await open(run, gate(0));
    t.strictSame(run.printed, [`${gate(0)}: MILLRACE_EMIT_LATE`], 'what it emits then is refused');
    t.equal(run.status().components['two']?.misused, misused + 1, 'and counted');
    t.equal(run.executed('two').length, 4, 'and the next one begins');
    await open(run, gate(3));
    t.strictSame(run.acked('two-source'), [1, 3]);
    t.strictSame(
      run
        .executed('two-sink')
        .filter(([, when]) => when === 'after')
        .map(([which]) => which),
      [gate(1), gate(3)],
    );
    await open(run, gate(2));
    t.equal(run.status().openTrees, 0);
    t.equal(run.failed('two-source').length, 2, 'each failed once');
  },
);

onEachTransport(
  'C116 ordered: a call that takes too long lets those behind it go, in order',
  calling,
  fedTo('ordered'),
  async (t, run, { name }) => {
    const gate = (n: number): string => `C116 ordered ${name} ${n}`;
    for (const n of range(3)) run.feed('ordered-source', [gate(n), 'wait'], { id: n });
    await run.settle();
    for (const n of [2, 1]) await open(run, gate(n));
    t.strictSame(run.acked('ordered-source'), [], 'they wait for the first one');
    await run.advance('5s');
    t.strictSame(run.failed('ordered-source'), [0]);
    t.strictSame(run.acked('ordered-source'), [1, 2]);
    t.strictSame(run.executed('ordered-sink'), [
      [gate(0), 'before'],
      [gate(1), 'before'],
      [gate(1), 'after'],
      [gate(2), 'before'],
      [gate(2), 'after'],
    ]);
    run.feed('ordered-source', [gate(3), 'wait'], { id: 3 });
    await open(run, gate(3));
    t.strictSame(run.acked('ordered-source'), [1, 2, 3]);
    await open(run, gate(0));
    t.strictSame(run.printed, [`${gate(0)}: MILLRACE_EMIT_LATE`]);
    t.equal(run.executed('ordered-sink').length, 7, 'and nothing more comes of it');
  },
);

onEachTransport(
  'C116 the signal of a call ends what it waits for when its time is over',
  calling,
  fedTo('two'),
  async (t, run) => {
    for (const n of range(5)) run.feed('two-source', [`request ${n}`, 'request'], { id: n });
    for (const seconds of [5, 10, 15]) {
      await run.advance('5s');
      const done = Math.min(5, (seconds / 5) * 2);
      t.equal(run.failed('two-source').length, done, `after ${seconds} s`);
      t.strictSame(
        run.printed,
        range(done).map((n) => `request ${n}: MILLRACE_TASK_CALL_TIMEOUT`),
      );
    }
    t.equal(run.status().components['two']?.errors, 5, 'each is one error, though its promise was rejected too');
    t.equal(run.status().openTrees, 0);
  },
);

onEachTransport(
  'C116 a signal belongs to one call: what others do does not abort it',
  calling,
  fedTo('two', 'patient'),
  async (t, run, { name }) => {
    run.feed('two-source', ['a', 'keep'], { id: 0 });
    run.feed('two-source', ['b', 'throw'], { id: 1 });
    run.feed('two-source', [`C116 own ${name}`, 'request'], { id: 2 });
    await run.advance('5s');
    run.feed('two-source', ['d', 'kept'], { id: 3 });
    await run.settle();
    t.strictSame(run.acked('two-source'), [0, 3]);
    t.strictSame(run.failed('two-source'), [1, 2]);
    t.strictSame(run.executed('two-sink'), [['d', 'not aborted']]);
    t.equal(run.of('failed', 'two-source')[0]?.failure?.message, 'thrown');
    run.feed('patient-source', ['e', 'request'], { id: 0 });
    await run.advance('55s');
    t.strictSame(run.failed('patient-source'), [], 'without a time it is waited for');
  },
);

onEachTransport(
  'C116 an ack by hand stands, though the call then takes too long',
  calling,
  fedTo('hasty'),
  async (t, run, { name }) => {
    const gate = `C116 hasty ${name}`;
    run.feed('hasty-source', [gate, 'acked'], { id: 0 });
    run.feed('hasty-source', [gate, 'held'], { id: 1 });
    await run.settle();
    t.strictSame(run.acked('hasty-source'), [0]);
    await run.advance('5s');
    t.strictSame([run.acked('hasty-source'), run.failed('hasty-source')], [[0], [1]]);
    await open(run, gate);
    t.strictSame(run.executed('hasty-sink'), []);
  },
);

onEachTransport(
  'C41 a tick that takes too long is given up, and the bolt goes on',
  calling,
  fedTo('ticking'),
  async (t, run) => {
    await run.advance('21s');
    run.feed('ticking-source', ['a', 'keep'], { id: 0 });
    await run.settle();
    t.strictSame(run.acked('ticking-source'), [], 'the bolt is busy with its tick');
    await run.advance('4s');
    t.strictSame(run.acked('ticking-source'), [0]);
    t.match(run.status().errors[0]?.error.message, /tick of component "ticking"/);
  },
);

onEachTransport(
  'C118 a kill ends what calls wait for: their signals are aborted',
  calling,
  fedTo('two', 'patient'),
  async (t, run) => {
    for (const n of range(7)) run.feed('patient-source', [`request ${n}`, 'request'], { id: n });
    run.feed('two-source', ['request 7', 'request'], { id: 0 });
    await run.settle();
    await run.kill();
    t.same(new Set(run.printed), new Set(range(8).map((n) => `request ${n}: MILLRACE_TASK_CLOSED`)));
    t.equal(run.life('patient').at(-1), 'close');
  },
);

onEachTransport(
  'C116 ordered: ready waits for the turn of a call that has emitted much',
  calling,
  { ...fedTo('talkative'), limits: { emitsPerCallMax: 4 } },
  async (t, run, { name }) => {
    const gate = `C116 talkative ${name}`;
    for (const n of ['first', 'second', 'third']) run.feed('talkative-source', [`${gate} ${n}`, ''], { id: n });
    await run.settle();
    t.strictSame(run.executed('talkative-sink'), []);
    await open(run, `${gate} first`);
    t.strictSame(run.acked('talkative-source'), ['first', 'second', 'third']);
    t.strictSame(
      run.executed('talkative-sink'),
      ['first', 'second', 'third'].flatMap((each) => range(50).map((n) => [`${gate} ${each}`, n])),
    );
    t.strictSame(run.status().errors, []);
  },
);
