// A histogram of times over shared memory: a worker records, the main thread reads at any moment. Buckets grow with the
// value (16 to each power of two, so a percentile is at most 6 % off), as in HdrHistogram (hdrhistogram.github.io).
//
//   microseconds  0 1 2 ... 15 | 16 .. 31 | 32,33 34,35 .. | 64..67 ..        up to 2^42 us = 50 days
//   bucket        0 1 2 ... 15 | 16 .. 31 | 32    33    .. | 48     ..     | the last word: the sum of all
//
// One writer; `record` allocates nothing. Counts are doubles so that they never wrap. It serves for other figures than
// times too: a millisecond is then a unit, and a microsecond a thousandth of one.

const SUB_BITS = 4;
const SUB_COUNT = 1 << SUB_BITS;
const POWERS = 42 - SUB_BITS;
const BUCKETS = SUB_COUNT * (POWERS + 1);
/** The word behind the buckets. */
const SUM = BUCKETS;

export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What a histogram says of the figures that it was given, in their unit. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** A histogram without its empty buckets: bucket, count, bucket, count … and the sum of what was recorded. */
export interface SparseHistogram {
  readonly buckets: readonly number[];
  readonly sum: number;
}

export class Histogram {
  /** What to reserve in shared memory for each histogram. */
  static readonly WORDS = BUCKETS + 1;

  private readonly buckets: Float64Array;

  constructor(buckets: Float64Array = new Float64Array(Histogram.WORDS)) {
    this.buckets = buckets;
  }

  record(milliseconds: number): void {
    this.buckets[bucketOf(milliseconds * 1000)]!++;
    this.buckets[SUM]! += milliseconds;
  }

  /** Adds what another one has recorded. */
  add(other: Histogram): void {
    for (let word = 0; word <= SUM; word++) this.buckets[word]! += other.buckets[word]!;
  }

  /** Adds what another one had recorded. */
  addSparse(other: SparseHistogram): void {
    this.change(other, 1);
  }

  /** Takes away what was recorded until then: what is left was recorded since. */
  subtract(earlier: SparseHistogram): void {
    this.change(earlier, -1);
  }

  sparse(): SparseHistogram {
    const buckets: number[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if (this.buckets[bucket]! !== 0) buckets.push(bucket, this.buckets[bucket]!);
    }
    return { buckets, sum: this.sum };
  }

  get count(): number {
    let count = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) count += this.buckets[bucket]!;
    return count;
  }

  /** The sum of all that was recorded. */
  get sum(): number {
    return this.buckets[SUM]!;
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

  distribution(): Distribution {
    const { count, sum } = this;
    return {
      count,
      sum,
      mean: count > 0 ? sum / count : 0,
      p50: this.percentileMs(0.5),
      p90: this.percentileMs(0.9),
      p99: this.percentileMs(0.99),
      p999: this.percentileMs(0.999),
      max: this.percentileMs(1),
    };
  }

  summary(): Latency {
    return {
      count: this.count,
      p50Ms: this.percentileMs(0.5),
      p99Ms: this.percentileMs(0.99),
      maxMs: this.percentileMs(1),
    };
  }

  private change({ buckets, sum }: SparseHistogram, sign: 1 | -1): void {
    for (let at = 0; at < buckets.length; at += 2) this.buckets[buckets[at]!]! += sign * buckets[at + 1]!;
    this.buckets[SUM]! += sign * sum;
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
