// Records from outside, and a bolt that does with each what its field `what` says: acks, fails, holds it for ever, ends
// its thread, or prints. Says when it is opened and closed.

import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class Clerk extends Bolt {
  static readonly options = { manualAck: true } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): Promise<void> {
    this.context = context;
    return context.print('prepared');
  }

  override activate(): Promise<void> {
    return this.context.print('activated');
  }

  override deactivate(): Promise<void> {
    return this.context.print('deactivated');
  }

  async execute(tuple: Tuple<[what: string]>): Promise<void> {
    const [what] = tuple.values;
    if (what === 'fail') throw new RangeError('no such customer');
    if (what === 'die') process.exit(3);
    if (what.startsWith('print')) await this.context.print(what);
    if (what === 'hold') await this.context.print('holds');
    else this.context.ack(tuple);
  }

  override close(): Promise<void> {
    return this.context.print('closed');
  }
}

export default topology('clerk', (t) => {
  const orders = t.spout('orders', ingest({ fields: ['what'] }));
  t.bolt('clerk', Clerk).shuffle(orders);
});
