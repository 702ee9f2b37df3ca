// Which components stand in a cycle together, and in which order.

import fc from 'fast-check';
import t from 'tap';
import { cyclesOf, type CyclePart } from '../../../engine/model/cycles.js';

const part = (id: string, ...from: string[]): CyclePart => ({
  id,
  inputs: from.map((each) => ({ from: each.replace('*', ''), feedback: each.endsWith('*') })),
});

t.test('cycles, each in the order of its tuples', async (t) => {
  t.strictSame(cyclesOf([part('s'), part('a', 's'), part('b', 'a', 's')]), []);
  t.strictSame(cyclesOf([part('s'), part('a', 's', 'a*')]), [['a']]);
  t.strictSame(cyclesOf([part('c', 'b'), part('a', 's', 'c*'), part('b', 'a'), part('s')]), [['a', 'b', 'c']]);
  t.strictSame(
    new Set(
      cyclesOf([part('a', 's', 'b*'), part('b', 'a'), part('c', 'b', 'd*'), part('d', 'c'), part('s')]).map(String),
    ),
    new Set(['a,b', 'c,d']),
    'one behind the other are two',
  );
  t.strictSame(
    cyclesOf([part('a', 's', 'b*', 'c*'), part('b', 'a'), part('c', 'a'), part('s')]).map((ids) => ids[0]),
    ['a'],
  );
});

t.test('those that reach each other are together, and nobody else', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const edges = fc.array(fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids)), { maxLength: 14 });
  fc.assert(
    fc.property(edges, (all) => {
      const parts = ids.map((id) => part(id, ...all.filter(([, to]) => to === id).map(([from]) => from)));
      const reached = (from: string): Set<string> => {
        const found = new Set<string>();
        const open = all.filter(([start]) => start === from).map(([, to]) => to);
        for (let id = open.pop(); id !== undefined; id = open.pop()) {
          if (found.has(id)) continue;
          found.add(id);
          open.push(...all.filter(([start]) => start === id).map(([, to]) => to));
        }
        return found;
      };
      const cycles = cyclesOf(parts);
      return ids.every((one) =>
        ids.every((other) => {
          const together = cycles.some((cycle) => cycle.includes(one) && cycle.includes(other));
          return together === (reached(one).has(other) && reached(other).has(one));
        }),
      );
    }),
  );
  t.pass('100 runs');
});
