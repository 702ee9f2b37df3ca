// The testing kit itself: what it watches, what it can make happen, and what it says when it is used wrongly.

import { setEnvironmentData } from 'node:worker_threads';
import t from 'tap';
import { Bolt, isMillraceError, Spout, topology, type Emit, type Topology, type Tuple } from 'millrace';
import { TestRun, type TestOptions } from 'millrace/testing';

const small = new URL('./topologies/small.js', import.meta.url);
const failing = new URL('./topologies/failing.js', import.meta.url);

const transports: Readonly<Record<string, TestOptions>> = {
  'one thread': { workers: 1 },
  'two workers': { workers: 2 },
  'two threads': { workers: 2, threads: true },
};

class Source extends Spout {
  static readonly outputs = ['value'] as const;

  nextTuple(): 'done' {
    return 'done';
  }
}

/** A topology whose only bolt is that function. */
function of(execute: (tuple: Tuple, emit: Emit) => void): Topology {
  return topology('of', (t) => {
    t.bolt('bolt', execute).shuffle(t.spout('source', Source));
  });
}

t.test('strict: values are copies through the codec, and frozen all the way down', async (t) => {
  const taken: unknown[] = [];
  const bolt = (tuple: Tuple): void => {
    const [value] = tuple.values as [{ list: number[] }];
    taken.push(value);
    value.list.push(3);
  };
  const value = { list: [1, 2] };
  const given = topology('given', (t) => {
    class Given extends Source {
      private given = false;

      override nextTuple(emit?: Emit): 'done' {
        if (!this.given) emit?.([value], { id: 'it' });
        this.given = true;
        return 'done';
      }
    }
    t.bolt('bolt', bolt).shuffle(t.spout('source', Given));
  });
  const strict = await TestRun.start(given);
  t.equal((await strict.completed).status, 'completed');
  t.not(taken[0], value, 'a copy');
  t.same(taken[0], { list: [1, 2] });
  t.ok(Object.isFrozen(taken[0]) && Object.isFrozen((taken[0] as typeof value).list));
  t.strictSame(strict.failed('source'), ['it'], 'who changes a value fails');
  t.match(strict.status().errors[0]?.error.message, /not extensible/);
  const loose = await TestRun.start(given, { strict: false });
  t.equal((await loose.completed).status, 'completed');
  t.equal(taken[1], value, 'without it they pass as they are');
});

t.test('strict: a value that is no plain data is refused at the emitter, with its path', async (t) => {
  const refused: string[] = [];
  const run = await TestRun.start(
    topology('refused', (t) => {
      class Emitting extends Bolt {
        static readonly outputs = ['value'] as const;

        execute(_tuple: Tuple, emit: Emit): void {
          try {
            emit([{ deep: [1, () => 2] }]);
          } catch (error) {
            refused.push(isMillraceError(error) ? `${error.code} ${error.message}` : 'another error');
          }
        }
      }
      const emitting = t.bolt('emitting', Emitting).shuffle(t.spout('source', Source));
      t.bolt('last', () => undefined).shuffle(emitting);
    }),
    { fed: ['source'] },
  );
  run.feed('source', ['go'], { id: 1 });
  await run.settle();
  t.match(refused, [/^MILLRACE_EMIT_VALUE .*"emitting".*values\[0\]\.deep\[1\].*a function/]);
  t.strictSame(run.acked('source'), [1]);
  t.strictSame(run.executed('last'), []);
  await run.close();
});

for (const [name, options] of Object.entries(transports)) {
  t.test(`what components do is heard of (${name})`, async (t) => {
    const run = await TestRun.start(small, { ...options, fed: ['source'] });
    run.feed('source', ['a'], { id: 'a' });
    run.feed('source', ['b']);
    await run.settle();
    t.strictSame(run.emitted('source'), [['a'], ['b']]);
    t.strictSame(run.executed('middle'), [['a'], ['b']]);
    t.strictSame(run.executed('last'), [['a'], ['b']]);
    const [first] = run.of('executed', 'last');
    t.strictSame(run.executed('last', first?.task), [['a'], ['b']]);
    t.strictSame(run.executed('last', 99), []);
    t.strictSame(run.acked('source'), ['a']);
    t.strictSame(
      run.of('emitted', 'source').map((event) => event.id),
      ['a', undefined],
    );
    run.endFeed('source');
    t.strictSame(await run.completed, { status: 'completed', error: null });
    t.strictSame(run.life('source'), ['constructor', 'open', 'activate', 'deactivate', 'close']);
    t.strictSame(run.life('last'), ['constructor', 'prepare', 'activate', 'deactivate', 'close']);
    await run.settle();
    await run.advance('1h');
    t.strictSame(await run.close(), { status: 'completed', error: null }, 'what is over stays over');
  });

  t.test(`failAt fails the n-th tuple from now on (${name})`, async (t) => {
    const run = await TestRun.start(small, { ...options, fed: ['source'] });
    run.feed('source', ['before'], { id: 'before' });
    await run.settle();
    run.failAt('last', 2);
    run.failAt('last', 3);
    for (const id of [1, 2, 3, 4]) run.feed('source', [id], { id });
    await run.settle();
    t.strictSame(run.failed('source'), [2, 3]);
    t.strictSame(run.acked('source'), ['before', 1, 4]);
    t.match(run.status().errors[0]?.error.message, /struck by the test/);
    t.equal(run.status().workerDeaths, 0);
    await run.close();
  });

  t.test(`killAt kills the worker at the n-th tuple, and its tasks start again (${name})`, async (t) => {
    const run = await TestRun.start(small, { ...options, fed: ['source'] });
    run.killAt('middle', 2);
    for (const id of [1, 2, 3]) run.feed('source', [id], { id });
    await run.settle();
    t.equal(run.status().workerDeaths, 1);
    t.equal(run.status().state, 'active');
    const incarnations = run.of('life', 'middle').filter((event) => event.call === 'prepare');
    t.strictSame(
      incarnations.map((event) => event.incarnation),
      [0, 1],
    );
    t.notOk(run.life('middle').includes('close'), 'nothing is closed in a crash');
    const alive = run.of('life', 'source').at(-1)?.incarnation === 0;
    // Whether the first one's ack had left when its worker died is open.
    const failed = run.failed('source').filter((id) => id !== 1);
    t.strictSame(failed, alive ? [2, 3] : [], 'a spout that lives hears of it');
    run.feed('source', ['again'], { id: 'again' });
    await run.settle();
    t.equal(run.acked('source').at(-1), 'again');
    await run.close();
  });

  t.test(`crash kills a worker, and a feed that was ended stays ended (${name})`, async (t) => {
    const run = await TestRun.start(small, { ...options, fed: ['source'], settings: { messageTimeout: null } });
    for (const worker of [0, 0, 0]) {
      run.feed('source', ['value'], { id: worker });
      await run.crash(worker);
      await run.settle();
    }
    t.equal(run.status().workerDeaths, 3);
    run.endFeed('source');
    await run.crash(0);
    t.equal((await run.completed).status, 'completed');
  });

  t.test(`advance stops at each timer on its way (${name})`, async (t) => {
    const run = await TestRun.start(small, { ...options, fed: ['source'] });
    await run.advance(3_999);
    t.strictSame(run.printed, []);
    await run.advance('9s');
    t.strictSame(run.printed, ['tick at 4000', 'tick at 8000', 'tick at 12000']);
    await t.rejects(run.advance('soon'), /"soon" is not a duration/);
    await run.close();
  });

  t.test(`an open that throws: nothing is left running (${name})`, async (t) => {
    const memory = new SharedArrayBuffer(8);
    setEnvironmentData('failing.lives', memory);
    const start = TestRun.start(failing, { ...options, settings: { 'source.opens': false } });
    await t.rejects(start, { code: 'MILLRACE_WORKER_START', message: /open.*"source".*the door is locked/ });
    const [made, closed] = new Int32Array(memory);
    // A worker that is told to stop while its module still loads makes nothing.
    t.ok(made! >= 1 && made! <= 3, `${made} made`);
    t.equal(closed, made, 'what was made is closed');
  });

  t.test(`a fatal error ends the topology as failed (${name})`, async (t) => {
    const memory = new SharedArrayBuffer(8);
    setEnvironmentData('failing.lives', memory);
    const run = await TestRun.start(failing, { ...options, fed: ['source'] });
    for (const value of ['good', 'bad']) run.feed('source', [value], { id: value });
    const outcome = await run.completed;
    t.equal(outcome.status, 'failed');
    t.equal(outcome.error?.code, 'MILLRACE_FILE_MISSING');
    t.equal(run.status().state, 'failed');
    t.strictSame(run.acked('source'), ['good'], 'what was under way was handled');
    const [made, closed] = new Int32Array(memory);
    t.equal(closed, made);
  });

  t.test(`drain lets what is under way end, kill does not (${name})`, async (t) => {
    const drained = await TestRun.start(small, { ...options, fed: ['source'] });
    drained.feed('source', ['value'], { id: 1 });
    await drained.settle();
    drained.drain();
    t.equal((await drained.completed).status, 'killed');
    t.strictSame(drained.acked('source'), [1]);
    const killed = await TestRun.start(small, { ...options, fed: ['source'] });
    t.equal((await killed.close()).status, 'killed');
    t.equal((await killed.close()).status, 'killed', 'again');
  });
}

t.test('a topology object cannot enter a thread', async (t) => {
  const start = TestRun.start(
    of(() => undefined),
    { threads: true },
  );
  await t.rejects(start, { name: 'TypeError', message: /give the URL of its module/ });
});

t.test('feeding what is not fed, or has ended, is told at once', async (t) => {
  const run = await TestRun.start(
    of(() => undefined),
    { fed: ['source'] },
  );
  t.throws(() => run.feed('sources', [1]), { name: 'TypeError', message: /"sources" is not fed/ });
  t.throws(() => run.endFeed('bolt'), { name: 'TypeError', message: /"bolt" is not fed/ });
  run.endFeed('source');
  t.throws(() => run.feed('source', [1]), { name: 'TypeError', message: /"source" was told that nothing more comes/ });
  t.equal((await run.completed).status, 'completed');
});

t.test('ids and values that cannot leave their thread are told apart', async (t) => {
  const ids = [{ call: () => 1 }, { call: () => 2 }];
  class Own extends Source {
    private next = 0;

    override nextTuple(emit?: Emit): 'done' {
      for (const id of ids.slice(this.next)) emit?.([this.next++], { id });
      return 'done';
    }
  }
  const run = await TestRun.start(
    topology('own', (t) => {
      t.bolt('bolt', () => undefined).shuffle(t.spout('source', Own));
    }),
  );
  t.equal((await run.completed).status, 'completed');
  t.strictSame(run.acked('source'), ['object 0', 'object 1']);
});

t.test('without records a run is as it is', async (t) => {
  const run = await TestRun.start(small, { fed: ['source'], record: false });
  run.feed('source', ['value'], { id: 1 });
  await run.settle();
  t.strictSame(run.events, []);
  t.equal(run.status().components['source']?.acked, 1);
  await run.close();
});
