// When failed tuples are due again, on virtual time.

import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import type { Emit } from '../../../engine/component/emit.js';
import { Replay } from '../../../engine/component/replay.js';
import type { TreeFailure } from '../../../engine/component/spout.js';

t.test('the wait doubles with each failure of a tuple, up to the longest', async (t) => {
  const clock = new VirtualClock();
  const replay = new Replay<string>(() => clock.now());
  const waits: number[] = [];
  for (let failure = 0; failure < 12; failure++) {
    const failedMs = clock.now();
    replay.fail('a');
    t.equal(replay.waiting, 1);
    while (replay.next() === undefined) clock.step(clock.now() + 50);
    waits.push(clock.now() - failedMs);
  }
  t.strictSame(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]);
});

t.test('an ack forgets the failures', async (t) => {
  const clock = new VirtualClock();
  const replay = new Replay<number>(() => clock.now());
  replay.fail(1);
  clock.step(100);
  t.equal(replay.next(), 1);
  t.equal(replay.waiting, 0);
  replay.ack(1);
  replay.fail(1);
  clock.step(199);
  t.equal(replay.next(), undefined);
  clock.step(200);
  t.equal(replay.next(), 1);
});

t.test('a tuple that waits already does not wait twice, and one acked meanwhile is not emitted', async (t) => {
  const clock = new VirtualClock();
  const replay = new Replay<number>(() => clock.now());
  replay.fail(1);
  replay.fail(1);
  replay.fail(2);
  t.equal(replay.waiting, 2);
  replay.ack(1);
  t.equal(replay.waiting, 1);
  clock.step(100);
  t.equal(replay.next(), 2);
  t.equal(replay.next(), undefined);
  t.equal(replay.waiting, 0);
});

t.test('it is full while so many are failed and not acked', async (t) => {
  const clock = new VirtualClock();
  const replay = new Replay<number>(() => clock.now(), { failedMax: 2, waitMinMs: 10, waitMaxMs: 15 });
  replay.fail(1);
  t.equal(replay.full, false);
  replay.fail(2);
  t.equal(replay.full, true);
  clock.step(10);
  t.equal(replay.next(), 1);
  t.equal(replay.full, true, 'emitted again, but not acked');
  replay.ack(1);
  t.equal(replay.full, false);
});

t.test('every failed tuple is given back once a failure, none before its time', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('fail' as const), id: fc.nat(20) }),
    fc.record({ kind: fc.constant('ack' as const), id: fc.nat(20) }),
    fc.record({ kind: fc.constant('wait' as const), id: fc.nat(400) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const clock = new VirtualClock();
      const replay = new Replay<number>(() => clock.now(), { waitMaxMs: 400 });
      const failures = new Map<number, number>();
      const waiting = new Map<number, number>();
      for (const { kind, id } of steps) {
        if (kind === 'fail' && !waiting.has(id)) {
          const times = failures.get(id) ?? 0;
          failures.set(id, times + 1);
          waiting.set(id, clock.now() + Math.min(400, 100 * 2 ** times));
          replay.fail(id);
        } else if (kind === 'ack' && !waiting.has(id)) {
          failures.delete(id);
          replay.ack(id);
        } else if (kind === 'wait') {
          clock.step(clock.now() + id);
          for (let due = replay.next(); due !== undefined; due = replay.next()) {
            if ((waiting.get(due) ?? Infinity) > clock.now()) return false;
            waiting.delete(due);
          }
          if ([...waiting.values()].some((dueMs) => dueMs <= clock.now())) return false;
        }
        if (replay.waiting !== waiting.size) return false;
      }
      return true;
    }),
  );
});

const bad: TreeFailure = { cause: 'failed', code: 'C', message: 'bad', component: 'b', task: 1 };
const lost: TreeFailure = { ...bad, cause: 'lost' };

t.test('after its retries a tuple is given up, and its dead letter waits by itself', async (t) => {
  const clock = new VirtualClock();
  const replay = new Replay<string>(() => clock.now(), { retries: 2 });
  t.equal(replay.fail('a', bad), false);
  clock.step(100);
  t.strictSame(replay.due(), { id: 'a', givenUp: null });
  t.equal(replay.fail('a', lost), false, 'what is lost with a worker does not count');
  clock.step(300);
  t.strictSame(replay.due(), { id: 'a', givenUp: null });
  t.equal(replay.fail('a', bad), false);
  clock.step(700);
  t.equal(replay.next(), 'a');
  t.equal(replay.fail('a', { ...bad, message: 'the last' }), true);
  t.equal(replay.next(), undefined, 'it does not come again');
  const givenUp = { attempts: 3, failure: { ...bad, message: 'the last' } };
  t.strictSame(replay.due(), { id: 'a', givenUp }, 'its letter is due at once');
  t.equal(replay.due(), undefined);
  for (const waitMs of [100, 200, 400]) {
    t.equal(replay.fail('a', bad), false);
    clock.step(clock.now() + waitMs - 1);
    t.equal(replay.due(), undefined);
    clock.step(clock.now() + 1);
    t.strictSame(replay.due(), { id: 'a', givenUp });
  }
  replay.ack('a');
  t.equal(replay.fail('a', bad), false, 'and then it is forgotten');
});

t.test('emitDue emits again, and letters, and counts what its emit threw as a failure', async (t) => {
  const clock = new VirtualClock();
  const replay = new Replay<number>(() => clock.now(), { retries: 1 });
  const emitted: unknown[] = [];
  let refuse = false;
  const emit = Object.assign(
    (values: readonly unknown[], options: object) => {
      if (refuse) throw new Error('refused');
      emitted.push([values, options]);
    },
    { ready: () => Promise.resolve(), signal: new AbortController().signal },
  ) as unknown as Emit;
  const valuesOf = (id: number): readonly unknown[] | null => (id === 9 ? null : [id]);
  t.equal(replay.emitDue(emit, valuesOf), false);
  for (const id of [1, 9]) replay.fail(id, bad);
  clock.step(100);
  t.equal(replay.emitDue(emit, valuesOf, 'own'), true);
  t.equal(replay.emitDue(emit, valuesOf, 'own'), true, 'one without values is let go');
  t.equal(replay.waiting, 0);
  t.strictSame(emitted, [[[1], { stream: 'own', id: 1 }]]);
  replay.fail(1, bad);
  refuse = true;
  t.throws(() => replay.emitDue(emit, valuesOf), { message: 'refused' });
  t.equal(replay.waiting, 1, 'the letter is not lost');
  refuse = false;
  clock.step(200);
  t.equal(replay.emitDue(emit, valuesOf), true);
  t.strictSame(emitted[1], [['C', 'bad', 'b', 2, 'default', [1]], { stream: 'dead-letter', id: 1 }]);
});
