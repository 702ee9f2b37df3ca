import t, { type Test } from 'tap';
import { iterableSpout } from '../../../engine/component/iterable-spout.js';
import type { IterableSpoutOptions, ValuesIterable, ValuesSource } from '../../../engine/component/iterable-spout.js';
import type { Emit, EmitOptions, Spout, SpoutContext, Values } from '../../../engine/index.js';
import { VirtualClock } from '../../../engine/clock.js';
import { silentLogger } from '../../../engine/log.js';

/** A spout with what surrounds it, on virtual time. */
class Stand {
  readonly clock = new VirtualClock();
  readonly emitted: (readonly [unknown, Values])[] = [];
  readonly spout: Spout;
  wakes = 0;
  refuse: Error | null = null;

  constructor(source: ValuesSource, options?: IterableSpoutOptions) {
    this.spout = iterableSpout(source, options);
  }

  readonly emit: Emit = Object.assign(
    (values: Values, options: EmitOptions = {}) => {
      if (this.refuse !== null) throw this.refuse;
      this.emitted.push([options.id, values]);
    },
    { direct: () => undefined, ready: () => Promise.resolve(), signal: new AbortController().signal },
  );

  async open(): Promise<this> {
    const context: SpoutContext = {
      topology: 'test',
      component: 'words',
      task: 1,
      index: 0,
      parallelism: 1,
      incarnation: 1,
      config: { from: 7 },
      parameters: {},
      logger: silentLogger,
      metrics: {
        counter: () => ({ add: () => undefined }),
        gauge: () => ({ set: () => undefined }),
        histogram: () => ({ record: () => undefined }),
      },
      signal: new AbortController().signal,
      tasksOf: () => [],
      now: () => this.clock.now(),
      print: () => Promise.resolve(),
      checkpoint: () => undefined,
      restored: () => undefined,
      wake: () => {
        this.wakes += 1;
      },
    };
    await this.spout.open?.(context);
    return this;
  }

  next(): unknown {
    return this.spout.nextTuple(this.emit);
  }

  /** Asks until it says that it is done, letting promises settle in between. */
  async toEnd(turnsMax = 1000): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn += 1) {
      if (this.next() === 'done') return;
      await settle();
    }
  }
}

/** Lets every promise that is due settle. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

function rejects(t: Test, call: () => unknown, code: string): void {
  t.throws(call, { code, fatal: true });
}

void t.test('a synchronous iterable is emitted without a promise, one list a call', async (t) => {
  const stand = await new Stand((context) => [['a'], [context.config['from']]]).open();
  t.equal(stand.next(), undefined);
  t.strictSame(stand.emitted, [[0, ['a']]]);
  t.equal(stand.next(), undefined);
  t.equal(stand.next(), 'done');
  t.equal(stand.next(), 'done', 'and says so again');
  t.strictSame(stand.emitted, [
    [0, ['a']],
    [1, [7]],
  ]);
  t.equal(stand.wakes, 0);
});

void t.test('asynchronous iterables, and promises of iterables', async (t) => {
  const sources: ValuesSource[] = [
    async function* () {
      yield ['a'];
      await settle();
      yield ['b'];
    },
    () => Promise.resolve([['a'], ['b']]),
  ];
  for (const source of sources) {
    const stand = await new Stand(source).open();
    await stand.toEnd();
    t.strictSame(stand.emitted, [
      [0, ['a']],
      [1, ['b']],
    ]);
  }
});

void t.test('it is asked again by wake, and never twice at once', async (t) => {
  let running = 0;
  let most = 0;
  let count = 0;
  const answers: (() => void)[] = [];
  const source = (): ValuesIterable => ({
    [Symbol.asyncIterator]: () => ({
      async next() {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => answers.push(resolve));
        running -= 1;
        count += 1;
        return count > 3 ? { done: true, value: undefined } : { done: false, value: [count] };
      },
    }),
  });
  const stand = await new Stand(source).open();
  for (let call = 0; call < 5; call += 1) t.equal(stand.next(), undefined);
  t.equal(answers.length, 1);
  for (let answer = 0; answer < 4; answer += 1) {
    answers.shift()?.();
    await settle();
    t.equal(stand.wakes, answer + 1);
    stand.next();
  }
  t.equal(stand.next(), 'done');
  t.equal(most, 1);
  t.strictSame(
    stand.emitted.map(([, values]) => values),
    [[1], [2], [3]],
  );
});

void t.test('what fails is emitted again after 100 ms, 200 ms, … with its id, until it is acked', async (t) => {
  const stand = await new Stand(() => [['a'], ['b']]).open();
  await stand.toEnd();
  stand.spout.ack?.(1);
  for (const delayMs of [100, 200, 400, 800]) {
    stand.spout.fail?.(0);
    stand.spout.fail?.(0);
    t.equal(stand.next(), undefined, 'not done while it waits');
    const before = stand.emitted.length;
    stand.clock.step(stand.clock.now() + delayMs - 1);
    stand.next();
    t.equal(stand.emitted.length, before, `not before ${delayMs} ms`);
    stand.clock.step(stand.clock.now() + 1);
    stand.next();
    t.strictSame(stand.emitted.slice(before), [[0, ['a']]]);
    t.equal(stand.next(), 'done', 'it is out, not waiting');
  }
  stand.spout.ack?.(0);
  stand.spout.fail?.(0);
  stand.spout.fail?.(5);
  t.equal(stand.next(), 'done', 'what was acked or never emitted does not fail');
});

void t.test('replays are not held up by an iterator that does not answer', async (t) => {
  const source = async function* (): AsyncGenerator<Values> {
    yield ['a'];
    await new Promise(() => undefined);
  };
  const stand = await new Stand(source).open();
  stand.next();
  await settle();
  stand.next();
  stand.spout.fail?.(0);
  stand.clock.step(100);
  stand.next();
  t.strictSame(stand.emitted, [
    [0, ['a']],
    [0, ['a']],
  ]);
});

void t.test('no more lists are out than may be', async (t) => {
  let asked = 0;
  const source = function* (): Generator<Values> {
    for (;;) yield [(asked += 1)];
  };
  const stand = await new Stand(source, { pendingMax: 3 }).open();
  for (let call = 0; call < 10; call += 1) stand.next();
  t.equal(stand.emitted.length, 3);
  t.equal(asked, 3);
  stand.spout.ack?.(1);
  for (let call = 0; call < 10; call += 1) stand.next();
  t.equal(stand.emitted.length, 4);
});

void t.test('untracked: no ids, no bound', async (t) => {
  const stand = await new Stand(() => [['a'], ['b'], ['c']], { tracked: false, pendingMax: 1 }).open();
  await stand.toEnd();
  t.strictSame(stand.emitted, [
    [undefined, ['a']],
    [undefined, ['b']],
    [undefined, ['c']],
  ]);
});

void t.test('an emit that throws: a new list is not kept, a replay waits again', async (t) => {
  const stand = await new Stand(() => [['a'], ['b']]).open();
  stand.next();
  stand.refuse = new Error('full');
  t.throws(() => stand.next(), stand.refuse);
  stand.spout.fail?.(0);
  stand.clock.step(100);
  t.throws(() => stand.next(), stand.refuse);
  stand.refuse = null;
  t.equal(stand.next(), undefined);
  stand.clock.step(1000);
  stand.next();
  t.strictSame(stand.emitted, [
    [0, ['a']],
    [0, ['a']],
  ]);
});

void t.test('an iterator that throws ends the topology', async (t) => {
  const sources: ValuesSource[] = [
    function* () {
      yield ['a'];
      throw new Error('no more');
    },
    async function* () {
      yield ['a'];
      await Promise.reject(new Error('no more'));
    },
  ];
  for (const source of sources) {
    const stand = await new Stand(source).open();
    let thrown: unknown;
    for (let turn = 0; turn < 10 && thrown === undefined; turn += 1) {
      try {
        stand.next();
      } catch (error) {
        thrown = error;
      }
      await settle();
    }
    t.match(thrown, { code: 'MILLRACE_SPOUT_ITERATION', fatal: true, message: /spout "words" failed: no more/ });
    t.equal(stand.emitted.length, 1);
  }
});

void t.test('what is no iterable, and what is no list', async (t) => {
  for (const nothing of [undefined, null, 5, 'text', {}, () => []]) {
    const stand = new Stand(() => nothing as ValuesIterable);
    await t.rejects(stand.open(), { code: 'MILLRACE_SPOUT_NOT_ITERABLE', fatal: true });
  }
  for (const item of [undefined, 'text', { 0: 'a' }]) {
    const stand = await new Stand(() => [item as unknown as Values]).open();
    rejects(t, () => stand.next(), 'MILLRACE_SPOUT_ITEM');
  }
});

void t.test('close ends an iteration that is under way, and only that', async (t) => {
  for (const [calls, expected] of [
    [1, ['closed']],
    [5, []],
  ] as const) {
    const log: string[] = [];
    const source = (): ValuesIterable => {
      let left = 2;
      const next = (): IteratorResult<Values> =>
        left-- > 0 ? { done: false, value: [left] } : { done: true, value: undefined };
      const close = (): IteratorResult<Values> => {
        log.push('closed');
        return { done: true, value: undefined };
      };
      return { [Symbol.iterator]: () => ({ next, return: close }) };
    };
    const stand = await new Stand(source).open();
    for (let call = 0; call < calls; call += 1) stand.next();
    await stand.spout.close?.();
    await stand.spout.close?.();
    t.strictSame(log, expected);
    t.equal(stand.next(), 'done');
  }
  await new Stand(() => []).spout.close?.();
});
