// Records that are answered when they are added up; told so, it ends its thread.

import { Bolt, topology, type Tuple } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class Sum extends Bolt {
  private sum = 0;

  execute(tuple: Tuple<[amount: number]>): void {
    const [amount] = tuple.values;
    if (amount === -1) process.exit(1);
    this.sum += amount;
  }
}

export default topology('desk', (t) => {
  const amounts = t.spout('amounts', ingest({ fields: ['amount'] }));
  t.bolt('sum', Sum).shuffle(amounts);
});
