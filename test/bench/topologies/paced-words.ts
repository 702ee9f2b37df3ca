// The word count under a steady load: each sentence has a time at which it is meant to be emitted, whether its spout is
// held up or not, and its latency counts from then (so that waiting at the door is part of it, too).
//
// Between two sentences the spout lets the event loop go round, then sleeps for up to `napMs` on its thread, which
// timers of Node cannot do for less than a millisecond; 0 goes round without sleeping and takes a whole core.

import { Spout, topology, type Emit, type SpoutContext, type UserHistogram } from 'millrace';
import { SENTENCES } from '../data/sentences.js';
import { Count, Split } from './bolts.js';

class PacedSentences extends Spout {
  static readonly outputs = ['sentence'] as const;
  private readonly lock = new Int32Array(new SharedArrayBuffer(4));
  private context: SpoutContext | null = null;
  private latency: UserHistogram | null = null;
  private periodMs = 0;
  private napMs = 0;
  private startMs = 0;
  private recordFromMs = 0;
  private emitted = 0;

  override open(context: SpoutContext): void {
    const { rate, napMs } = context.config as { readonly rate: number; readonly napMs: number };
    this.context = context;
    this.latency = context.metrics.histogram('latency');
    this.periodMs = (1000 * context.parallelism) / rate;
    this.napMs = napMs;
  }

  override activate(): void {
    const { warmUpMs } = this.context!.config as { readonly warmUpMs: number };
    this.startMs = performance.now();
    this.recordFromMs = this.startMs + warmUpMs;
    this.emitted = 0;
  }

  nextTuple(emit: Emit<[sentence: string]>): void | Promise<void> {
    const meantMs = this.startMs + this.emitted * this.periodMs;
    if (performance.now() < meantMs) return this.until(meantMs);
    emit([SENTENCES[this.emitted++ % SENTENCES.length]!], { id: meantMs });
  }

  override ack(id: unknown): void {
    const meantMs = id as number;
    if (meantMs >= this.recordFromMs) this.latency!.record(performance.now() - meantMs);
  }

  /** Until then, or for a nap; what has been emitted leaves first. */
  private until(meantMs: number): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        const leftMs = Math.min(meantMs - performance.now(), this.napMs);
        if (leftMs > 0) Atomics.wait(this.lock, 0, 0, leftMs);
        this.context!.wake();
        resolve();
      });
    });
  }
}

export default topology('paced-words', (t) => {
  const source = t.spout('source', PacedSentences, { config: { rate: 1000, warmUpMs: 0, napMs: 0.1 } });
  const split = t.bolt('split', Split).shuffle(source);
  t.bolt('count', Count).fields(split, 'word');
});
