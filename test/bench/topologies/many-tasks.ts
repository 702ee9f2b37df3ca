// A constant spout, and a bolt of which there may be thousands of tasks. With `idle: true` it emits nothing, so that
// only their number costs.

import { Spout, topology, type Emit, type SpoutContext } from 'millrace';
import { Sink } from './bolts.js';

class MaybeConstant extends Spout {
  static readonly outputs = ['value'] as const;
  private idle = false;
  private id = 0;

  override open(context: SpoutContext): void {
    this.idle = context.config['idle'] === true;
  }

  nextTuple(emit: Emit<[value: string]>): void {
    if (!this.idle) emit(['some data'], { id: this.id++ });
  }
}

export default topology('many-tasks', (t) => {
  const source = t.spout('source', MaybeConstant, { config: { idle: false } });
  t.bolt('sink', Sink).shuffle(source);
});
