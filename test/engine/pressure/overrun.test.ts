// One call that emits more than its targets have room for: up to a bound in tuples and in bytes it may, beyond it is
// told so, and with `await emit.ready()` it may emit without end.

import t from 'tap';
import { Bolt, Spout, topology, type Emit, type NextTuple, type Topology, type Tuple } from 'millrace';
import { TestRun } from 'millrace/testing';
import { range, settleUntil } from '../../conformance/transports.js';

const text = 'x'.repeat(1000);
const EMITS = 200;
const limits = {
  batchTuplesMax: 4,
  mailboxTuplesMax: 4,
  channelReserveTuples: 2,
  linkSharedTuples: 4,
  sliceTuplesMax: 8,
  directDepthMax: 0,
};
const inBytes = { ...limits, emitBytesPerCallMax: 20_000 };
const inTuples = { ...limits, emitsPerCallMax: 20 };

class Source extends Spout {
  static readonly outputs = ['number'] as const;

  nextTuple(): void {
    // Fed by the test.
  }
}

class AtOnce extends Bolt {
  static readonly outputs = ['number', 'text'] as const;

  execute(_tuple: Tuple, emit: Emit): void | Promise<void> {
    for (let number = 0; number < EMITS; number++) emit([number, text]);
  }
}

class Ready extends AtOnce {
  override async execute(_tuple: Tuple, emit: Emit): Promise<void> {
    for (let number = 0; number < EMITS; number++) {
      emit([number, text]);
      await emit.ready();
    }
  }
}

/** Fed from a spout; what the bolt emits goes to one that is asynchronous. */
function through(
  bolt: typeof AtOnce,
  options: { readonly ordered?: boolean; readonly concurrency?: number } = {},
): Topology {
  return topology('overrun', (t) => {
    const source = t.spout('source', Source);
    const emitting = t.bolt('emitting', bolt, options).shuffle(source);
    t.bolt('sink', () => new Promise((resolve) => setImmediate(resolve))).shuffle(emitting);
  });
}

const settings = { placement: 'spread' };

for (const workers of [1, 2]) {
  for (const [what, bounds, code] of [
    ['bytes', inBytes, 'MILLRACE_EMIT_TOO_MUCH'],
    ['tuples', inTuples, 'MILLRACE_EMIT_TOO_MANY'],
  ] as const) {
    t.test(`a call that emits too many ${what} is refused, and its tuple fails (${workers} workers)`, async (t) => {
      const run = await TestRun.start(through(AtOnce), { workers, limits: bounds, settings, fed: ['source'] });
      t.teardown(() => run.close());
      run.feed('source', [1], { id: 1 });
      await settleUntil(run, () => run.failed('source').length === 1);
      t.strictSame(run.failed('source'), [1]);
      t.match(run.status().errors[0]?.error.message, what);
      t.match(run.status().errors[0]?.error.code, code);
      await settleUntil(run, () => run.executed('sink').length === run.emitted('emitting').length);
      const came = run.executed('sink').length;
      t.ok(came >= 20 && came < 45, `${came} tuples were taken before`);
      const { emitting } = run.metrics().components;
      t.equal(emitting?.transferred, came, 'and only those count as delivered');
    });

    t.test(`with emit.ready() it may emit as much as it likes, in ${what} (${workers} workers)`, async (t) => {
      const run = await TestRun.start(through(Ready), { workers, limits: bounds, settings, fed: ['source'] });
      t.teardown(() => run.close());
      run.feed('source', [1], { id: 1 });
      await settleUntil(run, () => run.acked('source').length === 1);
      t.strictSame(
        run.executed('sink').map(([number]) => number),
        range(EMITS),
      );
      t.strictSame(run.status().errors, []);
    });

    t.test(`what an ordered call holds back is bounded in ${what} too (${workers} workers)`, async (t) => {
      class Holding extends AtOnce {
        static go: () => void = () => undefined;

        override async execute(tuple: Tuple, emit: Emit): Promise<void> {
          if (tuple.values[0] === 1) await new Promise<void>((resolve) => (Holding.go = resolve));
          else await super.execute(tuple, emit);
        }
      }
      const run = await TestRun.start(through(Holding, { ordered: true, concurrency: 2 }), {
        workers,
        limits: bounds,
        settings,
        fed: ['source'],
      });
      t.teardown(() => run.close());
      run.feed('source', [1], { id: 1 });
      run.feed('source', [2], { id: 2 });
      await run.settle();
      Holding.go();
      await settleUntil(run, () => run.failed('source').length + run.acked('source').length === 2);
      t.strictSame([run.acked('source'), run.failed('source')], [[1], [2]]);
      t.match(run.status().errors[0]?.error.code, code);
    });

    t.test(`what a spout cannot send for want of room is bounded in ${what} (${workers} workers)`, async (t) => {
      class Bursting extends Spout {
        static readonly outputs = ['number', 'text'] as const;
        private emitted = false;

        nextTuple(emit: Emit): NextTuple {
          if (this.emitted) return 'done';
          this.emitted = true;
          for (let number = 0; number < EMITS; number++) emit([number, text], { id: number });
          return undefined;
        }
      }
      const bursting = topology(
        'bursting',
        (t) => {
          t.bolt('sink', () => undefined).shuffle(t.spout('bursting', Bursting));
        },
        { maxSpoutPending: 1 },
      );
      const run = await TestRun.start(bursting, { workers, limits: bounds, settings });
      t.teardown(() => run.close());
      while ((run.status().state as string) !== 'completed') await run.advance(10);
      const came = run.acked('bursting');
      t.ok(came.length >= 20 && came.length < 45, `${came.length} tuples were taken`);
      t.strictSame(came, range(came.length), 'which came in order');
      t.match(run.status().errors[0]?.error.code, code);
    });
  }
}
