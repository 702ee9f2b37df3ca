// Whatever may travel comes back equal, and whatever does not is refused: nothing is changed on its way in silence.
// The one exception is told in the docs: -0 comes back as 0.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { pack, unpack } from '../../../engine/codec/pack.js';
import { measureValues, measureWrapped, ValueRefused } from '../../../engine/codec/values.js';
import { registerExtension } from '../../../engine/component/extension.js';
import { VALUE_DEPTH_MAX } from '../../../engine/limits.js';
import { HASH_SEED, hashValue } from '../../../engine/plan/hash.js';

class Money {
  readonly amount: bigint;
  readonly #currency: string;

  constructor(amount: bigint, currency: string) {
    this.amount = amount;
    this.#currency = currency;
  }

  get currency(): string {
    return this.#currency;
  }
}

class Box {
  readonly content: unknown;

  constructor(content: unknown) {
    this.content = content;
  }
}

class Precious extends Money {}

registerExtension(Money, {
  number: 1,
  pack: (money) => [money.amount, money.currency],
  unpack: ([amount, currency]) => new Money(amount, currency),
});
registerExtension(Box, { number: 63, pack: (box) => box.content, unpack: (content: unknown) => new Box(content) });

/** The same without what is allowed to differ, and instances by what they hold. */
function plain(value: unknown): unknown {
  if (value === 0) return 0;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Money) return { money: [value.amount, value.currency] };
  if (value instanceof Box) return { box: plain(value.content) };
  if (Array.isArray(value)) return Array.from(value, plain);
  if (value instanceof ArrayBuffer) return { buffer: [...new Uint8Array(value)] };
  if (ArrayBuffer.isView(value)) {
    const bytes = [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    return { view: value instanceof Uint8Array ? 'Uint8Array' : value.constructor.name, bytes };
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  // Code units, halves of surrogate pairs among them.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 }).map((units) => String.fromCharCode(...units)),
);
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 63), 1e-320),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.constantFrom(0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n),
  fc.date({ noInvalidDate: false }),
  bytes,
  bytes.map((each) => Buffer.from(each)),
  bytes.map((each) => each.slice().buffer),
  bytes.map((each) => new DataView(each.slice().buffer)),
  fc.array(fc.integer(), { maxLength: 20 }).map((each) => Int32Array.from(each)),
  fc.array(fc.integer(), { maxLength: 20 }).map((each) => Int8Array.from(each)),
  fc.array(fc.integer(), { maxLength: 20 }).map((each) => Int16Array.from(each)),
  fc.array(fc.integer(), { maxLength: 20 }).map((each) => Uint16Array.from(each)),
  fc.array(fc.integer(), { maxLength: 20 }).map((each) => Uint32Array.from(each)),
  fc.array(fc.integer(), { maxLength: 20 }).map((each) => Uint8ClampedArray.from(each)),
  fc.array(fc.double(), { maxLength: 20 }).map((each) => Float32Array.from(each)),
  fc.array(fc.double(), { maxLength: 20 }).map((each) => Float64Array.from(each)),
  fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 9 }).map((each) => BigUint64Array.from(each)),
  fc
    .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 9 })
    .map((each) => BigInt64Array.from(each)),
  fc.tuple(fc.bigInt(), text).map(([amount, currency]) => new Money(amount, currency)),
);
/** What must be refused. */
const odd = fc.constantFrom<unknown>(
  () => 1,
  Symbol('s'),
  new Map([[1, 2]]),
  new Set([1]),
  new WeakMap(),
  /x/,
  new Error('e'),
  new Precious(1n, 'EUR'),
  Object(5),
  Object('text'),
  new Date(Number.NaN),
  Promise.resolve(1),
  new SharedArrayBuffer(3),
  new (class extends Date {})(5),
  JSON.parse('{"__proto__": 1}'),
);
const key = fc.oneof(
  fc.constantFrom('constructor', '__proto__', 'toJSON', 'length', 'hasOwnProperty', 'prototype', '', '0', '-1', 'then'),
  text,
);

function valueOf(inner: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      inner,
      fc.array(tie('value'), { maxLength: 6 }),
      fc.dictionary(key, tie('value'), { maxKeys: 6 }),
      tie('value').map((content) => new Box(content)),
    ),
  })).value;
}

/** Whether it was refused; throws when it came back as something else. */
function travel(values: readonly unknown[]): boolean {
  try {
    measureValues(values);
  } catch (error) {
    if (!(error instanceof ValueRefused)) throw error;
    return true;
  }
  const found = unpack(pack(values).slice());
  if (!isDeepStrictEqual(plain(found), plain(values))) throw new Error('it came back as something else');
  if (hashValue(HASH_SEED, found) !== hashValue(HASH_SEED, values)) throw new Error('its key group is another one');
  return false;
}

t.test('what may travel comes back equal, with the same key group', async (t) => {
  let travelled = 0;
  let refused = 0;
  const property = fc.property(fc.array(valueOf(leaf), { maxLength: 5 }), (values) => {
    if (travel(values)) refused++;
    else travelled++;
  });
  fc.assert(property, { numRuns: 3000 });
  t.ok(travelled > 500, `${travelled} travelled`);
  t.ok(refused > 50, `${refused} were refused: halves of surrogate pairs, dates that are none, odd keys`);
});

t.test('what may not is refused wherever it stands, with its place', async (t) => {
  const around = fc.array(fc.constantFrom('list', 'object', 'box'), { maxLength: 8 });
  const property = fc.property(odd, around, (value, wrappers) => {
    let whole = value;
    for (const wrapper of wrappers) {
      whole = wrapper === 'list' ? [1, whole] : wrapper === 'object' ? { a: whole } : new Box(whole);
    }
    const path = wrappers
      .toReversed()
      .map((wrapper) => (wrapper === 'list' ? '[1]' : wrapper === 'object' ? '.a' : '.Box'))
      .join('');
    try {
      measureValues(['x', whole]);
    } catch (error) {
      if (!(error instanceof ValueRefused)) throw error;
      if (error.path !== `values[1]${path}`)
        throw new Error(`${error.path} instead of values[1]${path}`, { cause: error });
      return;
    }
    throw new Error('it was not refused');
  });
  fc.assert(property, { numRuns: 500 });
  t.pass('500 runs');
});

t.test('an instance of a registered class is one on the other side, private fields and all', async (t) => {
  const [found] = unpack(pack([new Money(5n, 'EUR')]).slice()) as [Money];
  t.ok(found instanceof Money);
  t.strictSame([found.amount, found.currency], [5n, 'EUR']);
  const euro = hashValue(HASH_SEED, new Money(5n, 'EUR'));
  t.equal(euro, hashValue(HASH_SEED, new Money(5n, 'EUR')));
  t.not(euro, hashValue(HASH_SEED, new Money(5n, 'USD')), 'and a key by what it is made of');
});

t.test('a number or a class that is registered twice is refused, the same again is not', async (t) => {
  const data = { pack: () => 1, unpack: () => new Money(1n, '') };
  registerExtension(Money, { number: 1, ...data });
  class Other {}
  const other = { pack: () => 1, unpack: () => new Other() };
  for (const number of [0, 64, -1, 1.5, Number.NaN, '2' as unknown as number]) {
    t.throws(() => registerExtension(Other, { number, ...other }), { code: 'MILLRACE_EXTENSION_NUMBER' });
  }
  t.throws(() => registerExtension(Other, { number: 1, ...other }), {
    code: 'MILLRACE_EXTENSION_NUMBER',
    message: /"Other" clashes with number 1 of class "Money"/,
  });
  t.throws(() => registerExtension(Money, { number: 2, ...data }), { code: 'MILLRACE_EXTENSION_NUMBER' });
  for (const none of [Object, undefined, () => 1]) {
    t.throws(() => registerExtension(none as unknown as typeof Other, { number: 3, ...other }), {
      code: 'MILLRACE_EXTENSION_CLASS',
    });
  }
});

t.test('a dead letter may hold what is as deep as a tuple may be', async (t) => {
  let deep: unknown = 1;
  for (let depth = 0; depth < VALUE_DEPTH_MAX; depth++) deep = [deep];
  t.doesNotThrow(() => measureValues([deep]));
  const letter = ['CODE', 'error', null, 3, 'default', [deep]];
  t.throws(() => measureValues(letter), { message: /nested deeper/ });
  t.ok(measureWrapped(letter) > measureValues([deep]));
  t.strictSame(unpack(pack(letter).slice()), letter);
});
