// A bolt that acks by hand, later, outside of any of its calls: as one does that writes to somewhere else.

import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { Source } from './parts.js';

class Outside extends Bolt {
  static readonly options = { manualAck: true } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    void this.later(tuple);
  }

  private async later(tuple: Tuple): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (tuple.values[0] === 'bad') this.context.fail(tuple, 'written in vain');
    else this.context.ack(tuple);
  }
}

export default topology(
  'outside',
  (t) => {
    t.bolt('outside', Outside).shuffle(t.spout('source', Source));
  },
  { maxSpoutPending: 1, messageTimeout: null },
);
