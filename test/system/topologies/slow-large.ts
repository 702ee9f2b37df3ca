// As slow-bolt.ts, with payloads of a megabyte: what waits is counted in bytes, or it would be gigabytes.

import { Spout, topology, type Emit, type NextTuple, type SpoutContext } from 'millrace';
import { Sink, Slow } from './slow-bolt.js';

/** Emits blocks of `blockBytes`, `count` of them; those of failed trees come again. */
class Blocks extends Spout {
  static readonly outputs = ['number', 'block'] as const;
  private next = 0;
  private count = 0;
  private blockBytes = 0;
  private readonly again: number[] = [];

  override open(context: SpoutContext): void {
    this.count = Number(context.config['count']);
    this.blockBytes = Number(context.config['blockBytes']);
  }

  nextTuple(emit: Emit<[number: number, block: Uint8Array]>): NextTuple {
    const number = this.again.shift() ?? (this.next < this.count ? this.next++ : null);
    if (number === null) return 'done';
    emit([number, new Uint8Array(this.blockBytes).fill(number)], { id: number });
    return undefined;
  }

  override fail(id: unknown): void {
    this.again.push(id as number);
  }
}

export default topology(
  'slow-large',
  (t) => {
    const config = { count: 1e12, blockBytes: 1024 * 1024 };
    const numbers = t.spout('numbers', Blocks, { config });
    const slow = t.bolt('slow', Slow, { config: { busyUs: 1000 } }).shuffle(numbers);
    t.bolt('sink', Sink).global(slow);
  },
  { placement: 'spread' },
);
