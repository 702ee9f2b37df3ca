// A spout whose one call emits ten tuples and then waits until all of them are acked.

import { Spout, topology, type Emit, type SpoutContext } from 'millrace';
import { Sink } from './parts.js';

class Awaiting extends Spout {
  static readonly outputs = ['number'] as const;
  private context!: SpoutContext;
  private acked = 0;
  private allAcked: () => void = () => undefined;

  override open(context: SpoutContext): void {
    this.context = context;
  }

  async nextTuple(emit: Emit): Promise<'done'> {
    const all = new Promise<void>((resolve) => (this.allAcked = resolve));
    for (let number = 0; number < 10; number++) emit([number], { id: number });
    await all;
    await this.context.print('all acked');
    return 'done';
  }

  override ack(): void {
    if (++this.acked === 10) this.allAcked();
  }
}

export default topology(
  'awaiting',
  (t) => {
    t.bolt('sink', Sink, { parallelism: 2 }).shuffle(t.spout('awaiting', Awaiting), { locality: false });
  },
  { maxSpoutPending: 3, messageTimeout: null },
);
