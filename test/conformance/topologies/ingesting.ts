// Orders from outside, and a bolt that does with each what its field `what` says: acks, fails, holds it until its next
// tick, or for ever.

import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class Clerk extends Bolt {
  static readonly options = { manualAck: true, tickEvery: '1s' } as const;
  private readonly held: Tuple[] = [];
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    const what = tuple.get('what');
    if (what === 'fail') throw new RangeError(`no such customer as ${String(tuple.get('customer'))}`);
    if (what === 'wait') this.held.push(tuple);
    if (what === 'ack') this.context.ack(tuple);
  }

  override tick(): void {
    for (const tuple of this.held.splice(0)) this.context.ack(tuple);
  }
}

export default topology(
  'ingesting',
  (t) => {
    const orders = t.spout('orders', ingest({ fields: ['customer', 'what'] }), { parallelism: 2 });
    const others = t.spout(
      'others',
      function* () {
        yield* [];
      },
      { outputs: ['customer', 'what'] },
    );
    t.bolt('clerk', Clerk, { parallelism: 2 }).fields(orders, 'customer').shuffle(others, { locality: false });
  },
  { messageTimeout: '10s' },
);
