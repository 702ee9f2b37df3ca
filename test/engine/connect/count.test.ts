// The count: its key by value, its running counts, and what it says of inputs that do not agree.

import fc from 'fast-check';
import t from 'tap';
import { Count, countKey, countOutputs } from '../../../engine/connect/count/count.js';
import { count } from '../../../engine/connect/count/index.js';
import { keyOf } from '../../../engine/connect/count/key.js';
import type { InputDefinition } from '../../../engine/model/definition.js';
import { fakeContext, recorder, thrownBy, tupleOf } from './fakes.js';

function byFields(...fields: string[]): InputDefinition {
  return { from: 'words', stream: 'default', grouping: 'fields', fields };
}

t.test('each tuple gives its key and how often that came by', async (t) => {
  const { emit, emitted } = recorder();
  const bolt = count().create({}, [byFields('word')]);
  bolt.prepare(fakeContext());
  for (const word of ['nathan', 'bob', 'joey', 'nathan']) bolt.execute(tupleOf({ at: 1, word }), emit);
  t.strictSame(
    emitted.map((each) => each.values),
    [
      ['nathan', 1],
      ['bob', 1],
      ['joey', 1],
      ['nathan', 2],
    ],
  );
});

t.test('several fields are one key, in the order of the grouping, whatever the order of the stream', async (t) => {
  const { emit, emitted } = recorder();
  const bolt = new Count(['b', 'a']);
  bolt.prepare(fakeContext());
  bolt.execute(tupleOf({ a: 'x', b: 'y' }), emit);
  bolt.execute(tupleOf({ b: 'y', c: 0, a: 'x' }), emit);
  bolt.execute(tupleOf({ a: 'y', b: 'x' }), emit);
  t.strictSame(
    emitted.map((each) => each.values),
    [
      ['y', 'x', 1],
      ['y', 'x', 2],
      ['x', 'y', 1],
    ],
  );
  t.throws(() => bolt.execute(tupleOf({ a: 1 }), emit), { message: /field "b"/ });
});

t.test('without a key everything is counted together', async (t) => {
  const { emit, emitted } = recorder();
  const bolt = count().create({}, [{ ...byFields(), grouping: 'global' }]);
  bolt.execute(tupleOf({ a: 1 }), emit);
  bolt.execute(tupleOf({ a: 2 }), emit);
  t.strictSame(emitted[1]?.values, [2]);
});

t.test('keys are told apart by value and type', async (t) => {
  const different: unknown[] = [
    ...[
      1,
      '1',
      1n,
      true,
      'true',
      null,
      'null',
      undefined,
      '',
      NaN,
      'NaN',
      Infinity,
      '\u0000k1,',
      '\u0000',
      '\u0000s\u0000',
    ],
    ...[new Date(1), new Date(2), [], [1], ['1'], [[1]], {}, { a: 1 }, { a: '1' }, { a: 1, b: 2 }, new Uint8Array([1])],
  ];
  for (const places of [[0], [0, 0]]) {
    const keys = new Set(different.map((value) => keyOf([value], places)));
    t.equal(keys.size, different.length);
  }
  const map = new Map<unknown, number>();
  const alike: readonly (readonly [unknown, unknown])[] = [
    [0, -0],
    [NaN, NaN],
    [
      [1, 'a', null],
      [1, 'a', null],
    ],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [{ a: -0 }, { a: 0 }],
    [new Date(5), new Date(5)],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ];
  for (const [one, other] of alike) {
    map.clear();
    map.set(keyOf([one], [0]), 1);
    t.ok(map.has(keyOf([other], [0])));
    t.equal(keyOf([one, 1], [0, 1]), keyOf([other, 1], [0, 1]));
  }
});

t.test('two keys are equal exactly when their values are', async () => {
  const value = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom(null, true, ',', '"'),
  );
  const pair = fc.tuple(value, value);
  fc.assert(
    fc.property(pair, pair, (one, other) => {
      const equal = one[0] === other[0] && one[1] === other[1];
      return (keyOf(one, [0, 1]) === keyOf(other, [0, 1])) === equal;
    }),
  );
});

t.test('its outputs follow from its inputs, which must agree', async (t) => {
  t.strictSame(countOutputs([byFields('word')]), { default: ['word', 'count'] });
  t.strictSame(countOutputs([byFields('a', 'b'), byFields('a', 'b')]), { default: ['a', 'b', 'count'] });
  t.strictSame(countOutputs([{ ...byFields(), grouping: 'shuffle' }]), { default: ['count'] });
  t.strictSame(countOutputs([]), { default: ['count'] });
  for (const inputs of [
    [byFields('a'), byFields('b')],
    [byFields('a', 'b'), byFields('b', 'a')],
    [byFields('a'), { ...byFields(), grouping: 'global' as const }],
    [byFields('count')],
  ]) {
    t.equal(thrownBy(() => countKey(inputs)).code, 'MILLRACE_COUNT_KEY');
  }
});

t.test('more keys than one task takes end the topology by name', async (t) => {
  const { emit } = recorder();
  const bolt = new Count(['a'], 2);
  bolt.prepare(fakeContext());
  bolt.execute(tupleOf({ a: 1 }), emit);
  bolt.execute(tupleOf({ a: 2 }), emit);
  bolt.execute(tupleOf({ a: 1 }), emit);
  t.match(
    thrownBy(() => bolt.execute(tupleOf({ a: 3 }), emit)),
    { code: 'MILLRACE_COUNT_KEYS', fatal: true },
  );
});
