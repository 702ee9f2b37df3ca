// What feeds a peer that runs in this thread: texts in turn until its time is over. Counts what it gave while it
// measured, and takes the processor time of that.

import { coresSince, type Measured, type Timing } from '../measured.js';

/** Units between two looks at the clock. */
const STRIDE = 256;

export class TimedSource {
  /** What the last step of the peer has taken; it counts it here. */
  arrived = 0;
  private readonly texts: readonly string[];
  private readonly measureFromMs: number;
  private readonly endMs: number;
  private emitted = 0;
  private measuredFrom: { readonly emitted: number; readonly atMs: number; readonly cpu: NodeJS.CpuUsage } | null =
    null;
  private rate = { perSecond: 0, cores: 0 };

  constructor(texts: readonly string[], { warmUpMs, measureMs }: Timing) {
    this.texts = texts;
    this.measureFromMs = performance.now() + warmUpMs;
    this.endMs = this.measureFromMs + measureMs;
  }

  /** The next text; null when the time is over. */
  next(): string | null {
    if (this.emitted % STRIDE === 0 && this.isOver(performance.now())) return null;
    return this.texts[this.emitted++ % this.texts.length]!;
  }

  *[Symbol.iterator](): Generator<string> {
    for (let text = this.next(); text !== null; text = this.next()) yield text;
  }

  measured(): Measured {
    const { emitted, arrived } = this;
    return { ...this.rate, latency: null, counts: { emitted, acked: 0, failed: 0, arrived } };
  }

  private isOver(nowMs: number): boolean {
    const { measuredFrom: from, emitted } = this;
    if (from === null) {
      if (nowMs >= this.measureFromMs) this.measuredFrom = { emitted, atMs: nowMs, cpu: process.cpuUsage() };
      return false;
    }
    if (nowMs < this.endMs) return false;
    const elapsedMs = nowMs - from.atMs;
    this.rate = { perSecond: ((emitted - from.emitted) / elapsedMs) * 1000, cores: coresSince(from.cpu, elapsedMs) };
    return true;
  }
}
