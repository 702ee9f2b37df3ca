// Tuples that wait in columns: first in, first out, however the columns grow and move.

import fc from 'fast-check';
import t from 'tap';
import { Outbox } from '../../../engine/codec/outbox.js';

t.test('whatever is pushed and dropped, what waits is what was pushed last', async (t) => {
  const steps = fc.array(fc.oneof(fc.record({ push: fc.nat(200) }), fc.record({ drop: fc.nat(200) })), {
    maxLength: 60,
  });
  const property = fc.property(steps, (all) => {
    const outbox = new Outbox();
    const model: number[] = [];
    let next = 0;
    for (const step of all) {
      if ('push' in step) {
        for (let i = 0; i < step.push; i++) {
          model.push(next);
          outbox.push([next], next & 7, null, next, -next, next + 1);
          next++;
        }
      } else {
        const count = Math.min(step.drop, model.length);
        model.splice(0, count);
        outbox.drop(count);
      }
      if (outbox.waiting !== model.length) throw new Error('another number waits');
      model.forEach((n, i) => {
        const row = outbox.first + i;
        const found = [outbox.values[row]?.[0], outbox.streamAt(row), outbox.bytesAt(row), outbox.edgeLoAt(row)];
        if (found.join() !== [n, n & 7, n + 1, -n].join()) throw new Error(`${found.join()} instead of ${n}`);
      });
      const kept = outbox.values.filter((values) => values !== null).length;
      if (kept !== model.length) throw new Error('what was dropped is kept');
    }
  });
  fc.assert(property, { numRuns: 200 });
  t.pass('200 runs');
});
