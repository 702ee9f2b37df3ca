// AckedOffsets against a model that keeps everything in a list.

import fc from 'fast-check';
import t from 'tap';
import { AckedOffsets } from '../../../engine/component/acked-offsets.js';

t.test('the low offset is the lowest open one, or what comes after the last', async (t) => {
  const offsets = new AckedOffsets(10);
  t.equal(offsets.low, 10);
  offsets.open(10, 25);
  offsets.open(25, 30);
  offsets.open(40);
  t.equal(offsets.pending, 3);
  t.equal(offsets.ack(25), true);
  t.equal(offsets.low, 10);
  t.equal(offsets.ack(10), true);
  t.equal(offsets.low, 40);
  t.equal(offsets.ack(40), true);
  t.equal(offsets.low, 41);
  t.equal(offsets.pending, 0);
});

t.test('an ack of what is not open changes nothing', async (t) => {
  const offsets = new AckedOffsets();
  t.equal(offsets.ack(0), false);
  offsets.open(0);
  offsets.open(1);
  t.equal(offsets.ack(1), true);
  t.equal(offsets.ack(1), false);
  t.equal(offsets.ack(2), false);
  t.equal(offsets.low, 0);
  offsets.ack(0);
  t.equal(offsets.ack(0), false);
  t.equal(offsets.low, 2);
});

t.test('offsets must ascend', async (t) => {
  const offsets = new AckedOffsets();
  offsets.open(5, 8);
  t.throws(() => offsets.open(7), RangeError);
  t.throws(() => offsets.open(9, 9), RangeError);
  t.throws(() => offsets.open(NaN), RangeError);
  offsets.open(8);
  t.equal(offsets.pending, 2);
});

t.test('one that stays open does not make memory grow with what goes by', async (t) => {
  const offsets = new AckedOffsets();
  offsets.open(0);
  for (let offset = 1; offset <= 1_000_000; offset++) {
    offsets.open(offset);
    offsets.ack(offset);
  }
  t.equal(offsets.low, 0);
  t.equal(offsets.pending, 1);
  t.ok((offsets as unknown as { offsets: Float64Array }).offsets.length <= 128);
  offsets.ack(0);
  t.equal(offsets.low, 1_000_001);
});

t.test('equals the model', async () => {
  const step = fc.record({
    open: fc.boolean(),
    gap: fc.nat(5),
    length: fc.integer({ min: 1, max: 9 }),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.nat(100), fc.array(step, { maxLength: 600 }), (start, steps) => {
      const offsets = new AckedOffsets(start);
      const open: number[] = [];
      let next = start;
      for (const { open: opens, gap, length, pick } of steps) {
        if (opens || open.length === 0) {
          const offset = next + gap;
          next = offset + length;
          offsets.open(offset, next);
          open.push(offset);
        } else {
          const [offset = -1] = open.splice(pick % open.length, 1);
          if (!offsets.ack(offset)) return false;
        }
        if (offsets.low !== (open[0] ?? next) || offsets.pending !== open.length) return false;
      }
      return true;
    }),
  );
});
