// Two tasks of one bolt share what they hold: the second one acks the tuple of the first while the emit that sent both
// is still under way. One thread only.

import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { Source } from './parts.js';

let firstOfTwo: Tuple | null = null;

class Sharing extends Bolt {
  static readonly options = { manualAck: true } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    if (this.context.index === 0) {
      firstOfTwo = tuple;
      return;
    }
    this.context.ack(firstOfTwo!);
    this.context.ack(tuple);
  }
}

export default topology('sharing', (t) => {
  t.bolt('sharing', Sharing, { parallelism: 2 }).all(t.spout('source', Source));
});
