// Rates of counters that only grow, over the last ten seconds: somebody samples them every second, and what is asked
// for is the difference between now and the oldest sample that is kept. Pure, on the main thread.
//
//   samples   [ -10 s | -9 s | … | -1 s ]          rate = (counts now - counts then) / (now - then)

/** How often samples are to be taken. */
export const SAMPLE_EVERY_MS = 1000;
const SAMPLES_MAX = 10;

interface Sample {
  readonly atMs: number;
  readonly counts: readonly number[];
}

export class Rates {
  private readonly samples: Sample[] = [];

  /** @param counts - the counters, in the same order each time */
  sample(atMs: number, counts: readonly number[]): void {
    this.samples.push({ atMs, counts });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }

  /** How much each counter grew a second; 0 while there is nothing to compare with. */
  perSecond(atMs: number, counts: readonly number[]): number[] {
    const [oldest] = this.samples;
    const seconds = oldest === undefined ? 0 : (atMs - oldest.atMs) / 1000;
    return counts.map((count, at) => (seconds > 0 ? (count - (oldest?.counts[at] ?? 0)) / seconds : 0));
  }
}
