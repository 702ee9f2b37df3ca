// A bolt that ticks every 30 s, emits at each tick, and takes tuples that it may hold.

import { Bolt, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { Sink, Source } from './parts.js';

class Ticking extends Bolt {
  static readonly outputs = ['at'] as const;
  static readonly options = { tickEvery: '30s' } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(_tuple: Tuple): void {
    return undefined;
  }

  override tick(emit: Emit): void {
    emit([this.context.now()]);
  }
}

export default topology('ticking', (t) => {
  const ticking = t.bolt('ticking', Ticking).shuffle(t.spout('source', Source));
  t.bolt('sink', Sink).shuffle(ticking);
});
