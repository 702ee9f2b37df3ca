// Records from outside, and a bolt of which there can be one task only.

import { Bolt, topology, type BoltContext } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class Picky extends Bolt {
  override prepare({ index }: BoltContext): void {
    if (index > 0) throw new RangeError('there can be only one');
  }

  execute(): void {
    return undefined;
  }
}

export default topology('picky', (t) => {
  t.bolt('picky', Picky).shuffle(t.spout('orders', ingest({ fields: ['what'] })));
});
