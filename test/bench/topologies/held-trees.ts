// Keeps so many trees open: a bolt holds each tuple until that many younger ones have come. When none comes any more it
// lets go of all of them.

import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { Constant } from './spouts.js';

class Hold extends Bolt {
  private context: BoltContext | null = null;
  private ring: (Tuple | null)[] = [];
  private at = 0;
  private takenSinceTick = 0;

  override prepare(context: BoltContext): void {
    this.context = context;
    this.ring = new Array<Tuple | null>(context.config['trees'] as number).fill(null);
  }

  execute(tuple: Tuple): void {
    const oldest = this.ring[this.at]!;
    this.ring[this.at] = tuple;
    this.at = this.at + 1 === this.ring.length ? 0 : this.at + 1;
    this.takenSinceTick++;
    if (oldest !== null) this.context!.ack(oldest);
  }

  override tick(): void {
    if (this.takenSinceTick === 0) {
      for (const held of this.ring) if (held !== null) this.context!.ack(held);
      this.ring.fill(null);
    }
    this.takenSinceTick = 0;
  }
}

export default topology('held-trees', (t) => {
  const source = t.spout('source', Constant, { config: { tracked: true } });
  t.bolt('hold', Hold, { config: { trees: 1000 }, manualAck: true, tickEvery: '200ms' }).shuffle(source);
});
