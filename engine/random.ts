// Randomness comes in through this class, so that a seed repeats a run. Edge ids are drawn here on every tuple that
// waits in a queue, so `nextInt32` allocates nothing and keeps its state in four small integers.
//
// xoshiro128++ 1.0 by David Blackman and Sebastiano Vigna, public domain (prng.di.unimi.it), seeded by splitmix32.

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number) {
    let state = seed | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = next();
    this.b = next();
    this.c = next();
    this.d = next() | 1;
  }

  /**
   * Starts again at the place that belongs to this seed and number: the same two always give the same numbers, whatever
   * was drawn before. Numbers up to 2^53.
   */
  restart(seed: number, number: number): void {
    const low = number | 0;
    const high = Math.floor(number / 4294967296) | 0;
    const first = mix(mix(mix((seed + 0x9e3779b9) | 0) ^ low) ^ high);
    const second = mix(mix(mix((seed + 0x3c6ef372) | 0) ^ high) ^ low);
    this.a = first;
    this.b = second;
    this.c = mix((first + 0x9e3779b9) | 0);
    this.d = mix((second + 0x9e3779b9) | 0) | 1;
  }

  /** 32 uniform random bits, as a signed integer. */
  nextInt32(): number {
    const sum = (this.a + this.d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + this.a) | 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  nextFloat(): number {
    const high = this.nextInt32() >>> 5;
    const low = this.nextInt32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A whole number from 0 to below the bound. */
  nextBelow(bound: number): number {
    return Math.floor(this.nextFloat() * bound);
  }
}

/** The mixing step of splitmix32: each bit of the input changes each bit of the output half of the time. */
function mix(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** A seed from the system's entropy, for runs that nobody asked to repeat. */
export function entropySeed(): number {
  return globalThis.crypto.getRandomValues(new Int32Array(1))[0] ?? 1;
}
