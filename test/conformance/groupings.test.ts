// How tuples are dealt to tasks: C01, C17, C18, C24, and what an emit refuses: C111.

import t from 'tap';
import type { TestRun } from 'millrace/testing';
import { onEachTransport, range, settleUntil, topologyUrl, transports, spread } from './transports.js';

onEachTransport(
  'C01 words counted by key, and numbered behind a global grouping',
  topologyUrl('counting'),
  { fed: ['lines'] },
  async (t, run) => {
    ['nathan', 'bob', 'joey', 'nathan'].forEach((word, at) => run.feed('lines', [word], { id: at, index: at % 3 }));
    await run.settle();
    t.same(
      new Set(run.emitted('a').map((values) => values.join(' '))),
      new Set(['nathan 1', 'nathan 2', 'bob 1', 'joey 1']),
    );
    t.equal(run.emitted('a').length, 4);
    t.strictSame(run.emitted('b'), [[1], [2], [3], [4]]);
    t.strictSame(run.emitted('c'), [[1], [2], [3], [4]]);
    t.same(new Set(run.acked('lines')), new Set([0, 1, 2, 3]));
  },
);

/** How many tuples each task of a bolt executed, those of the busiest last. */
function shares(run: TestRun, bolt: string): number[] {
  const byTask = new Map<number, number>();
  for (const { task } of run.of('executed', bolt)) byTask.set(task, (byTask.get(task) ?? 0) + 1);
  return [...byTask.values()].sort((a, b) => a - b);
}

onEachTransport(
  'C17 shuffle without locality gives every task the same share',
  topologyUrl('groupings'),
  { fed: ['source'] },
  async (t, run) => {
    for (const number of range(10)) run.feed('source', ['key', number], { id: number });
    await run.settle();
    t.strictSame(shares(run, 'shuffled'), [2, 2, 3, 3], 'one sender: the same, but for one');
    for (const number of range(30)) run.feed('source', ['key', number], { id: number, index: 1 });
    await run.settle();
    const [least = 0, , , most = 0] = shares(run, 'shuffled');
    t.equal(run.executed('shuffled').length, 40);
    t.ok(most - least <= 2, 'two senders: each is even, but for one');
  },
);

/** Pairs of keys that are equal by value, though not always the same object, and some that are not. */
const equalKeys: readonly (readonly [name: string, one: unknown, other: unknown])[] = [
  ['text', 'whale', 'whale'],
  ['lists', [1, ['a']], [1, ['a']]],
  ['objects, in whatever order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
  ['null', null, null],
  ['NaN', Number.NaN, Number.NaN],
  ['zeros', 0, -0],
  ['dates', new Date(5), new Date(5)],
  ['bytes', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ['bigints', 10n ** 30n, 10n ** 30n],
];

onEachTransport(
  'C18 one key reaches one task, whichever task sent it',
  topologyUrl('groupings'),
  { fed: ['source'] },
  async (t, run) => {
    equalKeys.forEach(([, one, other], at) => {
      run.feed('source', [one, `pair ${at}`], { id: at, index: 0 });
      run.feed('source', [other, `pair ${at}`], { id: at, index: 1 });
    });
    for (const number of range(64)) {
      run.feed('source', [number, `number ${number}`], { index: number % 2 });
      run.feed('source', [String(number), `text ${number}`], { index: number % 2 });
    }
    await run.settle();
    const tasksOf = (name: string): number[] => [
      ...new Set(
        run
          .of('executed', 'keyed')
          .filter((event) => event.values[1] === name)
          .map((event) => event.task),
      ),
    ];
    equalKeys.forEach(([name], at) => t.equal(tasksOf(`pair ${at}`).length, 1, `equal ${name} have one task`));
    t.ok(
      range(64).some((number) => tasksOf(`number ${number}`)[0] !== tasksOf(`text ${number}`)[0]),
      '1 and "1" are different keys',
    );
    t.equal(shares(run, 'keyed').length, 6, 'every task has some keys');
    t.equal(run.executed('keyed').length, 2 * equalKeys.length + 128);
  },
);

t.test('C18 keys go to tasks of the same place on every transport', async (t) => {
  const places: unknown[] = [];
  for (const transport of transports) {
    const { TestRun } = await import('millrace/testing');
    const { workers, threads } = transport;
    const run = await TestRun.start(topologyUrl('groupings'), { fed: ['source'], workers, threads, settings: spread });
    for (const number of range(40)) run.feed('source', [{ key: number }, number], { index: number % 2 });
    await run.settle();
    const events = run.of('executed', 'keyed').map(({ task, values }) => [values[1], task]);
    places.push(events.sort(([a], [b]) => (a as number) - (b as number)));
    await run.close();
  }
  t.strictSame(places[1], places[0]);
  t.strictSame(places[2], places[0]);
});

onEachTransport(
  'C24 all gives every task a tuple of its own, global gives them to the first task',
  topologyUrl('groupings'),
  { fed: ['source'] },
  async (t, run) => {
    for (const index of [0, 1]) for (const number of range(5)) run.feed('source', ['key', number], { index });
    await run.settle();
    const single = run.of('executed', 'single').map((event) => event.task);
    t.strictSame(single, new Array<number>(10).fill(Math.min(...single)));
    run.feed('source', ['for all'], { stream: 'every', id: 'all' });
    await run.settle();
    t.strictSame(shares(run, 'every'), [1, 1, 1]);
    t.strictSame(run.acked('source'), ['all'], 'acked once, when all three are');
    t.equal(run.status().components['every']?.acked, 3);
    run.failAt('every', 1);
    run.feed('source', ['for all'], { stream: 'every', id: 'fails' });
    await run.settle();
    t.strictSame(run.failed('source'), ['fails'], 'each is an edge: one that fails is enough');
    t.strictSame(run.acked('source'), ['all']);
  },
);

onEachTransport(
  'C111 what an emit refuses, it throws at the emitter',
  topologyUrl('emitting'),
  { fed: ['source'] },
  async (t, run) => {
    const codes = {
      'too few': 'MILLRACE_EMIT_ARITY',
      'too many': 'MILLRACE_EMIT_ARITY',
      'no list': 'MILLRACE_EMIT_ARITY',
      'unknown stream': 'MILLRACE_EMIT_UNKNOWN_STREAM',
      'an id': 'MILLRACE_EMIT_ID_IN_BOLT',
      'a function': 'MILLRACE_EMIT_VALUE',
      'a class': 'MILLRACE_EMIT_VALUE',
      'a foreign anchor': 'MILLRACE_EMIT_ANCHOR',
      late: 'MILLRACE_EMIT_LATE',
      'late promise': 'MILLRACE_EMIT_LATE',
    };
    for (const [at, what] of Object.keys(codes).entries()) {
      run.feed('source', [what], { id: what });
      await settleUntil(run, () => run.printed.length === at + 1);
    }
    run.feed('source', ['good'], { id: 'good' });
    await run.settle();
    t.same(new Set(run.printed), new Set(Object.entries(codes).map(([what, code]) => `${what}: ${code}`)));
    t.strictSame(run.executed('sink'), [['good', 'fine']], 'nothing of what was refused left');
    t.equal(run.acked('source').length, Object.keys(codes).length + 1, 'who catches it goes on');
  },
);
