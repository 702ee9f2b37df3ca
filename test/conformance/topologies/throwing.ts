// A bolt that throws what its tuple tells it to, in every way in which user code can fail.

import { Bolt, topology, type BoltContext, type Tuple } from 'millrace';
import { Source } from './parts.js';

class Throwing extends Bolt {
  execute(tuple: Tuple): void | Promise<void> {
    switch (tuple.values[0]) {
      case 'throw':
        throw new Error('thrown on purpose');
      case 'reject':
        return Promise.reject(new Error('rejected on purpose'));
      case 'text':
        throw 'only text' as unknown;
      case 'null':
        throw null as unknown;
      default:
        return undefined;
    }
  }
}

/** Throws in `endBatch` while a tuple of its batch says so. */
class Batching extends Bolt {
  private bad = false;
  private taken = 0;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    this.taken++;
    if (tuple.values[0] === 'batch') this.bad = true;
  }

  override async endBatch(): Promise<void> {
    const { bad, taken } = this;
    this.bad = false;
    this.taken = 0;
    await this.context.print(`batch of ${taken}`);
    if (bad) throw new Error('the batch is refused');
  }
}

export default topology('throwing', (t) => {
  t.bolt('bolt', Throwing).shuffle(t.spout('source', Source));
  t.bolt('batch', Batching).shuffle(t.spout('batch-source', Source));
});
