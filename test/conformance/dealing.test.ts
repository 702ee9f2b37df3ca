// Groupings that look at loads, places or the user's code, and direct streams: C15, C21, C22, C23, C24.

import type { TestRun } from 'millrace/testing';
import { linked, onEachTransport, oneThread, range, settleUntil, topologyUrl } from './transports.js';

const fed = { fed: ['source', 'loaded', 'choices', 'orders', 'command'] };

/** How many tuples each task of a bolt executed, by its index. */
function byIndex(run: TestRun, bolt: string, tasks: number, from = 0): number[] {
  const executed = run.of('executed', bolt);
  const prepared = run
    .of('life', bolt)
    .filter((event) => event.call === 'prepare')
    .map((event) => event.task)
    .sort((a, b) => a - b);
  return range(tasks).map((index) => executed.slice(from).filter((event) => event.task === prepared[index]).length);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

onEachTransport(
  'C15 two spout tasks, six targets by shuffle: everything arrives',
  topologyUrl('dealing'),
  fed,
  async (t, run) => {
    for (const number of range(24)) run.feed('source', ['key', number], { id: number, index: number % 2 });
    await run.settle();
    const numbers = run.executed('six').map(([, number]) => number as number);
    t.strictSame(
      numbers.sort((a, b) => a - b),
      range(24),
    );
    t.equal(run.acked('source').length, 24);
  },
);

onEachTransport(
  'C21 a target whose queue fills gets less, and recovers when it drains',
  topologyUrl('dealing'),
  { ...fed, limits: { mailboxTuplesMax: 64 } },
  async (t, run, transport) => {
    const gate = `C21 ${transport.name}`;
    const feed = (count: number, waiting: readonly number[]): void => {
      for (const number of range(count)) run.feed('loaded', [number, gate, waiting], { id: number });
    };
    feed(800, [0]);
    await run.settle();
    const [first, ...others] = byIndex(run, 'slow', 4);
    t.equal(first, 1, 'one waits');
    t.ok(sum(others) > 700, `the others got ${sum(others)}: nobody was held`);
    for (const each of others) t.ok(each > 200, `and ${each} of these each`);
    run.feed('command', [gate]);
    await settleUntil(run, () => run.acked('loaded').length === 800);
    t.equal(run.acked('loaded').length, 800);
    const before = run.executed('slow').length;
    feed(800, []);
    await run.settle();
    const shares = byIndex(run, 'slow', 4, before);
    t.equal(sum(shares), 800);
    for (const share of shares) t.ok(Math.abs(share - 200) <= 32, `${share} is its share again`);
  },
  [oneThread],
);

onEachTransport(
  'C21 tuples stay in the worker while its tasks keep up',
  topologyUrl('dealing'),
  { ...fed, limits: { mailboxTuplesMax: 64 } },
  async (t, run, transport) => {
    const gate = `C21 stay ${transport.name}`;
    const feed = (count: number, waiting: readonly number[]): void => {
      for (const number of range(count)) run.feed('loaded', [number, gate, waiting], { id: number });
    };
    const places = (from: number): readonly number[] => {
      const workers = run.of('executed', 'slow').slice(from);
      return [0, 1].map((worker) => workers.filter((event) => event.worker === worker).length);
    };
    const home = (await run.settle(), run.of('life', 'loaded').find((event) => event.call === 'open')!.worker);
    feed(400, []);
    await run.settle();
    t.strictSame(places(0)[home], 400, 'all of them');
    // Both tasks of that worker wait.
    const own = run.of('life', 'slow').filter((event) => event.call === 'prepare' && event.worker === home);
    t.equal(own.length, 2);
    feed(600, home === 0 ? [0, 2] : [1, 3]);
    await run.settle();
    const away = places(400)[1 - home]!;
    t.ok(away > 400, `when its tasks fall behind, others help: ${away}`);
    run.feed('command', [gate]);
    await settleUntil(run, () => run.acked('loaded').length === 1000);
    t.equal(run.acked('loaded').length, 1000, 'nothing is lost');
    feed(64, []);
    await run.settle();
    feed(400, []);
    await run.settle();
    t.equal(places(1064)[home], 400, 'and once they have drained, tuples stay again');
  },
  linked,
);

onEachTransport(
  'C22 a custom grouping: exactly the chosen tasks get the tuple',
  topologyUrl('dealing'),
  fed,
  async (t, run) => {
    const choices: readonly (readonly [choice: unknown, indexes: readonly number[]])[] = [
      [null, []],
      [[], []],
      [2, [2]],
      [[1], [1]],
      [
        [2, 0],
        [0, 2],
      ],
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
    ];
    for (const [at, [choice, indexes]] of choices.entries()) {
      const before = run.executed('chosen').length;
      run.feed('choices', [choice], { id: at, index: at % 2 });
      await run.settle();
      const got = byIndex(run, 'chosen', 3, before).flatMap((count, index) => new Array<number>(count).fill(index));
      t.strictSame(got, indexes, JSON.stringify(choice));
    }
    t.strictSame(run.acked('choices'), range(choices.length), 'each tree ends when those have it');
    t.strictSame(byIndex(run, 'in-turn', 3), [2, 2, 2], 'each sender has an instance of its own');
    t.equal(run.executed('only').length, choices.length - 1, 'one task does not get what it was not chosen for');
    for (const [at, wrong] of ['throw', 3, -1, 0.5, 'a', [0, 0], [1, null], { a: 1 }, true].entries()) {
      const before = run.executed('chosen').length;
      run.feed('choices', [wrong], { id: `wrong ${at}` });
      await run.settle();
      t.equal(run.executed('chosen').length, before, `nobody gets ${JSON.stringify(wrong)}`);
      t.equal(run.failed('choices').at(-1), `wrong ${at}`, 'its tree fails');
    }
    const errors = run.status().components['choices']!.lastErrors;
    t.ok(errors.length > 0);
    for (const { error } of errors) {
      t.equal(error.code, 'MILLRACE_EMIT_GROUPING');
      t.match(error.message, /the custom grouping "asTold", by which "chosen" takes "choices"/);
    }
  },
);

onEachTransport(
  'C23 a direct stream: the named task gets the tuple; anything else throws at the emitter',
  topologyUrl('dealing'),
  fed,
  async (t, run) => {
    for (const index of [3, 0, 3, 1]) run.feed('orders', [index, `for ${index}`], { id: `for ${index}` });
    await run.settle();
    t.strictSame(byIndex(run, 'receiver', 4), [1, 1, 0, 2]);
    for (const { task, values } of run.of('executed', 'receiver')) {
      const tasks = [...new Set(run.of('life', 'receiver').map((event) => event.task))].filter((each) => each >= 0);
      t.equal(values[0], `for ${tasks.sort((a, b) => a - b).indexOf(task)}`);
    }
    t.equal(run.acked('orders').length, 4, 'and joins its tree');
    const codes = {
      plain: 'MILLRACE_EMIT_NEEDS_TASK',
      'not direct': 'MILLRACE_EMIT_NOT_DIRECT',
      'no stream': 'MILLRACE_EMIT_UNKNOWN_STREAM',
      'of another': 'MILLRACE_EMIT_DIRECT_TASK',
      'no task': 'MILLRACE_EMIT_DIRECT_TASK',
      'no component': 'MILLRACE_TASK_UNKNOWN_COMPONENT',
      'too many': 'MILLRACE_EMIT_ARITY',
    };
    for (const [at, what] of Object.keys(codes).entries()) {
      run.feed('orders', [0, what], { id: what });
      await settleUntil(run, () => run.printed.length === at + 1);
    }
    t.strictSame(
      run.printed,
      Object.entries(codes).map(([what, code]) => `${what}: ${code}`),
    );
    t.equal(run.executed('receiver').length, 4, 'nothing of it left');
    t.strictSame(run.failed('orders'), ['plain'], 'what is not caught fails the input');
  },
);

onEachTransport(
  'C24 none behaves as shuffle, partial key keeps a key to two tasks, local-or-shuffle stays in the worker',
  topologyUrl('dealing'),
  fed,
  async (t, run, transport) => {
    for (const number of range(400)) run.feed('source', [`key ${number % 5}`, number], { index: number % 2 });
    await run.settle();
    t.strictSame(byIndex(run, 'none', 4), [100, 100, 100, 100]);
    for (const key of range(5)) {
      const events = run.of('executed', 'partly').filter((event) => event.values[0] === `key ${key}`);
      const tasks = [...new Set(events.map((event) => event.task))];
      t.equal(events.length, 80);
      t.equal(tasks.length, 2, `the two of key ${key}, whoever sends it`);
    }
    const senders = new Map(run.of('emitted', 'source').map((event) => [event.values[1], event.worker]));
    const near = run.of('executed', 'near');
    t.equal(near.length, 400);
    t.ok(near.every((event) => event.worker === senders.get(event.values[1])));
    t.equal(new Set(near.map((event) => event.worker)).size, transport.workers);
    t.strictSame(byIndex(run, 'near', 4), [100, 100, 100, 100], 'in equal shares');
  },
);
