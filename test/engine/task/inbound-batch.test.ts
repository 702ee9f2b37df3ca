// Batches that wait packed: they come out as they were, and what cannot be read fails its trees.

import fc from 'fast-check';
import t from 'tap';
import type { AckTarget } from '../../../engine/ack/ack-target.js';
import { listHeader } from '../../../engine/codec/columns.js';
import { pack } from '../../../engine/codec/pack.js';
import { ReceivedTexts, TextDictionary } from '../../../engine/codec/text-dictionary.js';
import { DICTIONARY_TEXTS_MAX, TEXT_USERS_DROPPED_AT } from '../../../engine/limits.js';
import { InboundBatch, type Tracks } from '../../../engine/task/inbound-batch.js';
import { Origin } from '../../../engine/task/task-tuple.js';

const origin = new Origin('source', 'default', 0, 3, ['n'], null);

function ledgerOf(failed: number[][]): AckTarget {
  const nothing = (): void => undefined;
  return {
    spoutTask: 1,
    incarnation: 2,
    dead: false,
    ack: nothing,
    fail: (hi, lo) => failed.push([hi, lo]),
    touch: nothing,
  };
}

/** Ledger, offset, edge of each tuple. */
function tracksOf(rows: readonly (readonly [number, number, number, number])[], failed: number[][] = []): Tracks {
  return { ints: Int32Array.from(rows.flat()), ledgers: [ledgerOf(failed), null], bases: [2 ** 32 + 7, 0] };
}

t.test('tuples of one tree share their root; those of a dead incarnation and untracked ones say so', async (t) => {
  const tracks = tracksOf([
    [0, 1, 10, 11],
    [0, 1, 20, 21],
    [1, 5, 30, 31],
    [-1, 0, 0, 0],
    [0, 2, 40, 41],
  ]);
  const batch = new InboundBatch(origin, 5, pack([['a'], ['b'], ['c'], ['d'], ['e']]).slice(), tracks);
  const first = batch.next();
  t.strictSame([first.values, first.task, first.stream], [['a'], 3, 'default']);
  t.strictSame([first.root!.hi, first.root!.lo, batch.edgeHi, batch.edgeLo], [1, 8, 10, 11]);
  const second = batch.next();
  t.equal(second.root, first.root);
  t.equal(batch.edgeHi, 20);
  t.equal(batch.next().root, null);
  t.ok(batch.dead);
  t.equal(batch.next().root, null);
  t.notOk(batch.dead);
  t.equal(batch.next().root!.lo, 9);
  t.equal(batch.left, 0);
});

t.test('what is no rows, or another number of them, is refused when it is opened, and fails its trees', async (t) => {
  for (const payload of [pack('x'), pack([['a']]), pack([1, 2]), Uint8Array.of(0xc1)]) {
    const failed: number[][] = [];
    const rows = tracksOf(
      [
        [0, 1, 1, 1],
        [0, 4, 1, 1],
      ],
      failed,
    );
    const batch = new InboundBatch(origin, 2, payload.slice(), rows);
    t.throws(() => batch.next(), { code: 'MILLRACE_FRAME_INVALID' });
    t.equal(batch.left, 2, 'nothing of it was taken');
    t.equal(batch.abandon(), 2);
    t.strictSame(failed, [
      [1, 8],
      [1, 11],
    ]);
    t.equal(batch.left, 0);
  }
});

/** A batch in columns: numbers of texts, and numbers. */
function inColumns(numbers: readonly number[], texts: readonly string[]): InboundBatch {
  const columns = [Uint16Array.from(numbers), Int32Array.from(numbers)].map((column) => pack(column).slice());
  const payload = Buffer.concat([listHeader(2), ...columns]);
  return new InboundBatch(origin, numbers.length, payload, null, texts);
}

t.test('however many generations go by, what waits has its texts, and nobody keeps an old list', async (t) => {
  const step = fc.oneof(
    fc.record({ does: fc.constant('come' as const), texts: fc.array(fc.nat(300), { minLength: 1, maxLength: 30 }) }),
    fc.record({ does: fc.constant('take' as const), batch: fc.nat(), tuples: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ does: fc.constant('turn over' as const) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const sender = new TextDictionary();
    const receiver = new ReceivedTexts();
    const waiting: { readonly batch: InboundBatch; readonly expected: string[] }[] = [];
    const send = (): void => {
      const { generation, firstFresh, fresh } = sender;
      const before = receiver.texts;
      const count = fresh.length;
      if (count > 0) receiver.add(generation, firstFresh, count, sender.takeFresh());
      sender.endFrame();
      if (receiver.texts === before) return;
      // Whoever still kept the old list would see this.
      before.fill('overwritten');
    };
    let filler = 0;
    for (const each of steps) {
      if (each.does === 'come') {
        const expected = each.texts.map((text) => `text ${text}`);
        const numbers = expected.map((text) => sender.numberOf(text));
        send();
        if (numbers.includes(-1)) continue;
        const batch = inColumns(numbers, receiver.texts);
        receiver.usedBy(batch);
        waiting.push({ batch, expected });
      } else if (each.does === 'turn over') {
        for (let i = 0; i <= DICTIONARY_TEXTS_MAX; i++) sender.numberOf(`filler ${filler++}`);
        send();
      } else if (waiting.length > 0) {
        const at = each.batch % waiting.length;
        const { batch, expected } = waiting[at]!;
        for (let i = 0; i < each.tuples && batch.left > 0; i++) {
          if (batch.next().values[0] !== expected.shift()) return false;
        }
        if (batch.left === 0) waiting.splice(at, 1);
      }
    }
    send();
    return waiting.every(({ batch, expected }) => {
      while (batch.left > 0) if (batch.next().values[0] !== expected.shift()) return false;
      return expected.length === 0;
    });
  });
  fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});

t.test('what waits and cannot be read is still refused when its turn comes, after its generation', async (t) => {
  const receiver = new ReceivedTexts();
  receiver.add(0, 0, 1, pack(['a']));
  const beyond = inColumns([0, 1], receiver.texts);
  const broken = new InboundBatch(origin, 2, Uint8Array.of(0xc1, 0xc1), null, receiver.texts);
  const inRows = new InboundBatch(origin, 1, pack([['a']]).slice(), null);
  for (const batch of [beyond, broken, inRows]) receiver.usedBy(batch);
  receiver.add(1, 0, 2, pack(['b', 'c']));
  for (const batch of [beyond, broken]) {
    t.throws(() => batch.next(), { code: 'MILLRACE_FRAME_INVALID' });
    t.equal(batch.abandon(), 2);
  }
  t.strictSame(inRows.next().values, ['a']);
});

t.test('batches that are used up are not kept for long, whether a generation ends or not', async (t) => {
  const receiver = new ReceivedTexts();
  receiver.add(0, 0, 1, pack(['a']));
  const slow = inColumns([0], receiver.texts);
  receiver.usedBy(slow);
  let taken = 0;
  for (let i = 0; i < 10_000; i++) {
    const batch = inColumns([0], receiver.texts);
    receiver.usedBy(batch);
    batch.next();
    taken++;
  }
  t.equal(taken, 10_000);
  t.ok(receiver.kept < 2 * TEXT_USERS_DROPPED_AT, `${receiver.kept} are kept`);
  t.equal(slow.next().values[0], 'a');
});
