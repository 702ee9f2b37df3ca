// Latency in buckets: close to what was recorded, whole in shared memory.

import fc from 'fast-check';
import t from 'tap';
import { Histogram } from '../../../engine/metrics/histogram.js';

/** A time as it comes back: the end of its bucket. */
function recorded(milliseconds: number): number {
  const histogram = new Histogram();
  histogram.record(milliseconds);
  return histogram.percentileMs(1);
}

t.test('a time is at most a sixteenth above what was recorded, and never more than a microsecond below', async (t) => {
  const check = (microseconds: number): void => {
    const found = recorded(microseconds / 1000) * 1000;
    if (found < microseconds - 1 || found > microseconds * (1 + 1 / 16) + 1)
      t.fail(`${microseconds} came back as ${found}`);
  };
  fc.assert(fc.property(fc.double({ min: 0, max: 2 ** 42 - 1, noNaN: true }), check), { numRuns: 1000 });
  fc.assert(fc.property(fc.integer({ min: 0, max: 100_000 }), check), { numRuns: 1000 });
  for (let power = 0; power < 42; power++) for (const off of [-1, 0, 1]) check(Math.max(0, 2 ** power + off));
  t.pass();
});

t.test('what lies outside counts at the edge', async (t) => {
  t.equal(recorded(-5), 0);
  t.equal(recorded(1e30), (2 ** 42 - 1) / 1000);
  t.equal(recorded(Infinity), (2 ** 42 - 1) / 1000);
});

t.test('percentiles', async (t) => {
  const histogram = new Histogram();
  t.strictSame(histogram.summary(), { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  for (let i = 1; i <= 1000; i++) histogram.record(i / 1000);
  const { count, p50Ms, p99Ms, maxMs } = histogram.summary();
  t.equal(count, 1000);
  for (const [found, wanted] of [
    [p50Ms, 0.5],
    [p99Ms, 0.99],
    [maxMs, 1],
    [histogram.percentileMs(0), 0.001],
  ] as const) {
    t.ok(found >= wanted && found <= wanted * (1 + 1 / 16) + 0.001, `${found} for ${wanted}`);
  }
});

t.test('adding is recording in one what the other recorded', async (t) => {
  const times = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 50 });
  fc.assert(
    fc.property(times, times, (left, right) => {
      const words = [0, 1, 2].map(() => new Float64Array(Histogram.WORDS));
      const [one, other, both] = words.map((each) => new Histogram(each));
      for (const time of left) one!.record(time);
      for (const time of right) other!.record(time);
      for (const time of [...left, ...right]) both!.record(time);
      one!.add(other!);
      const sums = words.map((each) => each[Histogram.WORDS - 1]!);
      const isClose = Math.abs(sums[0]! - sums[2]!) <= 1e-9 * sums[2]!;
      return isClose && words[0]!.every((count, word) => count === words[2]![word] || word === Histogram.WORDS - 1);
    }),
  );
  t.pass('100 runs');
});

t.test('what was recorded since an earlier look, without empty buckets', async (t) => {
  const times = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 50 });
  fc.assert(
    fc.property(times, times, (before, after) => {
      const words = [0, 1].map(() => new Float64Array(Histogram.WORDS));
      const [whole, rest] = words.map((each) => new Histogram(each));
      for (const time of before) whole!.record(time);
      const earlier = whole!.sparse();
      for (const time of after) whole!.record(time);
      rest!.addSparse(whole!.sparse());
      rest!.subtract(earlier);
      const recorded = new Histogram();
      for (const time of after) recorded.record(time);
      const { sum, mean, ...found } = rest!.distribution();
      const { sum: wantedSum, mean: wantedMean, ...wanted } = recorded.distribution();
      const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1, whole!.sum);
      return JSON.stringify(found) === JSON.stringify(wanted) && close(sum, wantedSum) && close(mean, wantedMean);
    }),
  );
  t.strictSame(new Histogram().sparse(), { buckets: [], sum: 0 });
  t.equal(new Histogram().distribution().mean, 0);
});
