// Samples of figures that only grow, over a window of time that ends now: somebody offers one every second, one is kept
// whenever its time has come, and what is asked for is what there was at the oldest that is kept. Pure, on the main
// thread.
//
//   samples   [ -10 s | -9 s | … | -1 s ]          rate = (figures now - figures then) / (now - then)

/** How often samples are to be offered. */
export const SAMPLE_EVERY_MS = 1000;

export interface Sample<T> {
  readonly atMs: number;
  readonly figures: T;
}

export class Window<T> {
  private readonly everyMs: number;
  private readonly samplesMax: number;
  private readonly samples: Sample<T>[] = [];

  /** @param everyMs - one is kept this often, so many at most */
  constructor(everyMs: number, samplesMax: number) {
    this.everyMs = everyMs;
    this.samplesMax = samplesMax;
  }

  /** @param figures - taken only when the time of a sample has come */
  offer(atMs: number, figures: () => T): void {
    const last = this.samples.at(-1);
    if (last !== undefined && atMs - last.atMs < this.everyMs) return;
    this.samples.push({ atMs, figures: figures() });
    if (this.samples.length > this.samplesMax) this.samples.shift();
  }

  /** Where the window begins; null while nothing was offered. */
  get oldest(): Sample<T> | null {
    return this.samples[0] ?? null;
  }
}
