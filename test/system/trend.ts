// Whether what was measured over time is flat: the straight line through the second half of the samples must not rise,
// from its first sample to its last, by more than a share of their mean or a least amount, whatever is more. The first
// half may rise as it likes: queues fill, code is compiled, heaps find their size. What is only had again, because
// memory was handed back in between, is no rise. Pure.

/** What a rise may be without being one. */
export interface Flatness {
  readonly share: number;
  readonly least: number;
}

export interface Trend {
  /** By how much the line rises over the second half; below zero when it falls. */
  readonly rise: number;
  readonly mean: number;
  readonly allowed: number;
  readonly flat: boolean;
}

/** @param samples - taken at even times, oldest first */
export function trendOf(samples: readonly number[], { share, least }: Flatness): Trend {
  const before = samples.slice(0, Math.floor(samples.length / 2));
  const half = samples.slice(before.length);
  const mean = half.reduce((sum, value) => sum + value, 0) / Math.max(1, half.length);
  const middle = (half.length - 1) / 2;
  let covariance = 0;
  let variance = 0;
  half.forEach((value, at) => {
    covariance += (at - middle) * (value - mean);
    variance += (at - middle) ** 2;
  });
  const rise = variance === 0 ? 0 : (covariance / variance) * (half.length - 1);
  const allowed = Math.max(share * Math.abs(mean), least);
  const isHadAgain = Math.max(...half) <= Math.max(...before) + allowed;
  return { rise, mean, allowed, flat: rise <= allowed || isHadAgain };
}
