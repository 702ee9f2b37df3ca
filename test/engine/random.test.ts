// The generator of edge ids, against a second one that is written after the published algorithm with big integers.

import fc from 'fast-check';
import t from 'tap';
import { entropySeed, Random } from '../../engine/random.js';

interface State {
  a: number;
  b: number;
  c: number;
  d: number;
}

const MASK = 0xffffffffn;
const rotl = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & MASK;

/** xoshiro128++ 1.0, as on prng.di.unimi.it/xoshiro128plusplus.c. */
function* reference(seed: readonly [bigint, bigint, bigint, bigint]): Generator<number, never> {
  const s = [...seed] as [bigint, bigint, bigint, bigint];
  for (;;) {
    const result = (rotl((s[0] + s[3]) & MASK, 7n) + s[0]) & MASK;
    const t = (s[1] << 9n) & MASK;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11n);
    yield Number(BigInt.asIntN(32, result));
  }
}

/** splitmix32 with the constants that the engine states, by big integers. */
function* splitmix(seed: number): Generator<bigint, never> {
  let state = BigInt.asUintN(32, BigInt(seed));
  for (;;) {
    state = (state + 0x9e3779b9n) & MASK;
    let z = state;
    z = ((z ^ (z >> 16n)) * 0x21f0aaadn) & MASK;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) & MASK;
    yield z ^ (z >> 15n);
  }
}

const seeds = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

t.test('the published algorithm, from the published start', async (t) => {
  const random = new Random(0);
  Object.assign(random as unknown as State, { a: 1, b: 2, c: 3, d: 4 });
  const found = Array.from({ length: 6 }, () => random.nextInt32() >>> 0);
  t.strictSame(found, [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768]);
  const other = reference([1n, 2n, 3n, 4n]);
  t.strictSame(
    found,
    Array.from({ length: 6 }, () => other.next().value >>> 0),
  );
});

t.test('from any seed', async (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const words = splitmix(seed);
      const [a, b, c, d] = [words.next().value, words.next().value, words.next().value, words.next().value];
      const other = reference([a, b, c, d | 1n]);
      const random = new Random(seed);
      for (let i = 0; i < 50; i++) if (random.nextInt32() !== other.next().value) return false;
      return true;
    }),
  );
  t.pass('100 runs');
});

t.test('pinned: a seed repeats a run of today', async (t) => {
  const random = new Random(42);
  t.strictSame([random.nextInt32(), random.nextInt32(), random.nextInt32()], [80372226, -1700272442, -2084373000]);
});

t.test('restart leads to a place that does not depend on what was drawn before', async (t) => {
  fc.assert(
    fc.property(seeds, fc.maxSafeNat(), fc.nat(20), (seed, number, drawn) => {
      const [one, other] = [new Random(1), new Random(seed)];
      for (let i = 0; i < drawn; i++) other.nextInt32();
      one.restart(seed, number);
      other.restart(seed, number);
      return one.nextInt32() === other.nextInt32() && one.nextFloat() === other.nextFloat();
    }),
  );
  const random = new Random(0);
  const firsts = new Set<number>();
  for (const number of [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 53]) {
    random.restart(7, number);
    firsts.add(random.nextInt32());
  }
  t.equal(firsts.size, 8, 'each number has a place of its own');
});

t.test('numbers lie where they should, and everywhere there', async (t) => {
  const random = new Random(5);
  const seen = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    const float = random.nextFloat();
    if (float < 0 || float >= 1) t.fail(`${float}`);
    const below = random.nextBelow(10);
    if (!Number.isInteger(below) || below < 0 || below >= 10) t.fail(`${below}`);
    seen.add(below);
  }
  t.equal(seen.size, 10);
  let ones = 0;
  for (let i = 0; i < 1000; i++) for (let bits = random.nextInt32() >>> 0; bits > 0; bits >>>= 1) ones += bits & 1;
  t.ok(Math.abs(ones - 16_000) < 500, `${ones} of 32,000 bits are set`);
});

t.test('seeds of the machine differ', async (t) => {
  const found = new Set(Array.from({ length: 20 }, () => entropySeed()));
  t.ok(found.size > 15);
});
