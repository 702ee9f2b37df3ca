// What may travel in a tuple: it arrives as it was, its size is estimated, and what cannot travel is refused by its
// place.

import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { pack, unpack } from '../../../engine/codec/pack.js';
import { freezeValues, measureValues, ValueRefused } from '../../../engine/codec/values.js';
import { VALUE_DEPTH_MAX } from '../../../engine/limits.js';

const wellFormed = fc.string({ unit: 'binary', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 40 });
const typed = fc.oneof(
  fc.int8Array({ maxLength: 9 }),
  fc.uint8ClampedArray({ maxLength: 9 }),
  fc.int16Array({ maxLength: 9 }),
  fc.uint16Array({ maxLength: 9 }),
  fc.int32Array({ maxLength: 9 }),
  fc.uint32Array({ maxLength: 9 }),
  fc.float32Array({ maxLength: 9 }),
  fc.float64Array({ maxLength: 9 }),
  fc.bigInt64Array({ maxLength: 9 }),
  fc.bigUint64Array({ maxLength: 9 }),
);
const leaf = fc.oneof(
  wellFormed,
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.double().map((value) => (value === 0 ? 0 : value)),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 700n), max: 2n ** 700n }),
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    false,
    0n,
    2n ** 63n,
    2n ** 64n,
    -(2n ** 63n) - 1n,
    Number.NaN,
    -Infinity,
  ),
  fc.date({ noInvalidDate: true }),
  bytes,
  typed,
  bytes.map((each) => each.slice().buffer),
);
/** A key that msgpackr renames; what it does with it is stated below. */
const key = wellFormed.filter((each) => each !== '__proto__');

/** All plain data that travels unchanged. */
const plainData = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value;
const values = fc.array(plainData, { maxLength: 5 });

t.test('plain data arrives as it was', async (t) => {
  const property = fc.property(values, (each) => {
    measureValues(each);
    if (!isDeepStrictEqual(unpack(pack(each).slice()), each)) throw new Error(inspect(unpack(pack(each).slice())));
  });
  fc.assert(property, { numRuns: 200 });
  t.pass('200 runs');
});

t.test('the estimate is at least a third of the packed size, and at most nine times', async (t) => {
  const property = fc.property(values, (each) => {
    const estimate = measureValues(each);
    const packed = pack(each).length;
    // Text packs to up to three bytes a code unit; small numbers, and what is empty, to one byte instead of nine.
    if (packed > 3 * estimate + 5) throw new Error(`${packed} packed, ${estimate} estimated`);
    if (estimate > 9 * packed + 16) throw new Error(`${packed} packed, ${estimate} estimated`);
  });
  fc.assert(property, { numRuns: 200 });
  t.pass('200 runs');
});

t.test('what arrives changed', async (t) => {
  const travel = (value: unknown): unknown => unpack(pack([value]).slice());
  t.ok(Object.is((travel(-0) as number[])[0], 0), '-0 arrives as 0');
  t.strictSame(travel('a\ud800b'), ['a\ufffd\ufffd\ufffdb'], 'half a surrogate pair is no text and is replaced');
  t.strictSame(travel(JSON.parse('{"__proto__":1}')), [{ __proto_: 1 }], 'the key __proto__ is renamed');
  t.strictSame(
    travel(Object.assign(new Array<number>(3), { 0: 1, 2: 3 })),
    [[1, undefined, 3]],
    'a hole: as undefined',
  );
  t.strictSame(travel(Object.assign(Object.create(null), { a: 1 })), [{ a: 1 }], 'without a prototype: a plain object');
  t.strictSame(travel({ [Symbol('s')]: 1, b: 2 }), [{ b: 2 }], 'what a symbol names stays behind');
  const view = travel(new Uint16Array([1, 2, 3, 4]).subarray(1, 3)) as readonly [Uint16Array];
  t.strictSame([...view[0]], [2, 3]);
  t.equal(view[0].buffer.byteLength, 4, 'a view brings its own part of the buffer only');
});

t.test('what is unpacked shares no memory with the frame', async (t) => {
  const frame = pack([new Uint8Array([1, 2, 3]), new Float64Array([1.5]), 'text'.repeat(20)]).slice();
  const arrived = unpack(frame);
  frame.fill(0);
  t.ok(
    isDeepStrictEqual(arrived, unpack(pack([new Uint8Array([1, 2, 3]), new Float64Array([1.5]), 'text'.repeat(20)]))),
  );
});

class Point {
  x = 1;
}

t.test('what cannot travel is refused, with its place', async (t) => {
  const cycle: unknown[] = [];
  cycle.push({ back: cycle });
  let deep: unknown = 1;
  for (let i = 0; i <= VALUE_DEPTH_MAX; i++) deep = [deep];
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [() => 1, /^a function$/],
    [Symbol('s'), /^a symbol$/],
    [new Point(), /^an instance of Point$/],
    [new Map(), /^an instance of Map$/],
    [new Set(), /^an instance of Set$/],
    [/x/, /^an instance of RegExp$/],
    [new Error('x'), /^an instance of Error$/],
    [Promise.resolve(), /^an instance of Promise$/],
    [new SharedArrayBuffer(1), /^an instance of SharedArrayBuffer$/],
    [Object.create({ constructor: 7 }), /^an instance of a class$/],
    [new String('x'), /^an instance of String$/],
  ];
  for (const [value, what] of cases) {
    t.match(refusalOf([value]), { path: 'values[0]', what });
    t.match(refusalOf([1, 'x', { a: [true, { 'b c': value }] }]), { path: 'values[2].a[1].b c', what });
  }
  const nested = { what: `nested deeper than ${VALUE_DEPTH_MAX}, or a cycle` };
  t.match(refusalOf([0, cycle]), nested);
  t.match(refusalOf([deep]), { ...nested, path: `values${'[0]'.repeat(VALUE_DEPTH_MAX + 1)}` });
  t.doesNotThrow(() => measureValues(deep as unknown[]), 'one level less is not too deep');
});

t.test('text counts a byte a code unit, binary data what it holds', async (t) => {
  t.equal(measureValues([]), 1);
  t.equal(measureValues(['x'.repeat(100)]), 106);
  t.equal(measureValues([new Uint8Array(1000)]), 1009);
  t.equal(measureValues([{ ab: 'c' }]), 1 + 5 + 2 + 5 + 1 + 5);
  t.equal(measureValues([1, 2]), measureValues([1.5, -(2 ** 40)]));
});

t.test('freezing goes all the way down, and leaves binary data alone', async (t) => {
  const bytes = new Uint8Array(2);
  const inner = { b: 2 };
  const frozen: unknown[] = [{ a: [1, inner], bytes }, null, 'x'];
  freezeValues(frozen);
  t.throws(() => frozen.push('more'), TypeError);
  t.throws(() => (inner.b = 3), TypeError);
  bytes[0] = 1;
  t.equal(bytes[0], 1);
});

function refusalOf(each: readonly unknown[]): ValueRefused | null {
  try {
    measureValues(each);
    return null;
  } catch (error) {
    if (error instanceof ValueRefused) return error;
    throw error;
  }
}
