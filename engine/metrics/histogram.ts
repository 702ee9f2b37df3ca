// A histogram of times over shared memory: a worker records, the main thread reads at any moment. Buckets grow with the
// value (16 to each power of two, so a percentile is at most 6 % off), as in HdrHistogram (hdrhistogram.github.io).
//
//   microseconds  0 1 2 ... 15 | 16 .. 31 | 32,33 34,35 .. | 64..67 ..        up to 2^42 us = 50 days
//   bucket        0 1 2 ... 15 | 16 .. 31 | 32    33    .. | 48     ..
//
// One writer; `record` allocates nothing. Counts are doubles so that they never wrap.

const SUB_BITS = 4;
const SUB_COUNT = 1 << SUB_BITS;
const POWERS = 42 - SUB_BITS;
const BUCKETS = SUB_COUNT * (POWERS + 1);

export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Histogram {
  /** What to reserve in shared memory for each histogram. */
  static readonly WORDS = BUCKETS;

  private readonly buckets: Float64Array;

  constructor(buckets: Float64Array = new Float64Array(BUCKETS)) {
    this.buckets = buckets;
  }

  record(milliseconds: number): void {
    this.buckets[bucketOf(milliseconds * 1000)]!++;
  }

  /** Adds what another one has recorded. */
  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) this.buckets[bucket]! += other.buckets[bucket]!;
  }

  get count(): number {
    let sum = 0;
    for (const count of this.buckets) sum += count;
    return sum;
  }

  /** The time in milliseconds that this share (0 to 1) of all recorded ones does not exceed; 0 when there are none. */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.count * share));
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      sum += this.buckets[bucket]!;
      if (sum >= wanted) return highestOf(bucket) / 1000;
    }
    return 0;
  }

  summary(): Latency {
    return {
      count: this.count,
      p50Ms: this.percentileMs(0.5),
      p99Ms: this.percentileMs(0.99),
      maxMs: this.percentileMs(1),
    };
  }
}

function bucketOf(microseconds: number): number {
  const value = microseconds < 0 ? 0 : Math.floor(microseconds);
  if (value < SUB_COUNT * 2) return value;
  const power = Math.floor(Math.log2(value)) - SUB_BITS;
  return power >= POWERS ? BUCKETS - 1 : power * SUB_COUNT + Math.floor(value / 2 ** power);
}

function highestOf(bucket: number): number {
  if (bucket < SUB_COUNT * 2) return bucket;
  const power = Math.floor(bucket / SUB_COUNT) - 1;
  return (SUB_COUNT + (bucket % SUB_COUNT) + 1) * 2 ** power - 1;
}
