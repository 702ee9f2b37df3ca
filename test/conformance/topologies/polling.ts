// A spout that is asked again and again and has nothing, until time has come.

import { Spout, topology, type Emit, type SpoutContext } from 'millrace';
import { Sink } from './parts.js';

class Polling extends Spout {
  static readonly outputs = ['at'] as const;
  private context!: SpoutContext;
  private asked = 0;
  private told = false;

  override open(context: SpoutContext): void {
    this.context = context;
  }

  nextTuple(emit: Emit): void {
    this.asked++;
    if (this.told || this.context.now() < 10_000) return;
    this.told = true;
    emit([this.asked]);
  }
}

export default topology('polling', (t) => {
  t.bolt('sink', Sink).shuffle(t.spout('polling', Polling));
});
