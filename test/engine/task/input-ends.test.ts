// Which source tasks have ended, when markers of old and new wirings come in any order.

import fc from 'fast-check';
import t from 'tap';
import { InputEnds } from '../../../engine/task/input-ends.js';

t.test('it has ended when every source has', async (t) => {
  const inputs = new InputEnds([3, 5, 5]);
  t.notOk(inputs.ended);
  inputs.end(3, 0);
  inputs.end(4, 0);
  t.notOk(inputs.ended);
  inputs.end(5, 0);
  t.ok(inputs.ended);
  t.ok(new InputEnds([]).ended);
});

t.test('a source that runs again ends again; a late end of its old wiring does not count', async (t) => {
  const inputs = new InputEnds([1, 2]);
  inputs.end(1, 0);
  inputs.end(2, 0);
  inputs.forget(new Set([1, 9]), 1);
  t.notOk(inputs.ended);
  inputs.end(1, 0);
  t.notOk(inputs.ended);
  inputs.end(1, 1);
  t.ok(inputs.ended);
});

t.test('an end of the new wiring counts, also when it comes before this worker has heard of it', async (t) => {
  const inputs = new InputEnds([1]);
  inputs.end(1, 2);
  inputs.forget(new Set([1]), 1);
  t.ok(inputs.ended);
  inputs.forget(new Set([1]), 2);
  t.ok(inputs.ended);
  inputs.forget(new Set([1]), 3);
  t.notOk(inputs.ended);
});

t.test('whatever the order: it has ended when the newest end of each is as new as its last start', async (t) => {
  const step = fc.record({ source: fc.nat(2), revision: fc.nat(5), kind: fc.constantFrom('end', 'forget') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const inputs = new InputEnds([0, 1, 2]);
      const ends = [-1, -1, -1];
      const starts = [0, 0, 0];
      let wiring = 0;
      for (const { source, revision, kind } of steps) {
        if (kind === 'end') {
          ends[source] = Math.max(ends[source]!, revision);
          inputs.end(source, revision);
        } else {
          // Wirings come in order.
          wiring = Math.max(wiring, revision);
          starts[source] = wiring;
          inputs.forget(new Set([source]), wiring);
        }
        if (inputs.ended !== ends.every((end, each) => end >= starts[each]!)) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass('500 runs');
});
