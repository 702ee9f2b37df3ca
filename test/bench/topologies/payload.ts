// A spout that emits text of so many bytes.

import { Spout, topology, type Emit, type SpoutContext } from 'millrace';
import { Sink } from './bolts.js';

class Texts extends Spout {
  static readonly outputs = ['text'] as const;
  private text = '';
  private id = 0;

  override open(context: SpoutContext): void {
    this.text = 'x'.repeat(context.config['bytes'] as number);
  }

  nextTuple(emit: Emit<[text: string]>): void {
    emit([this.text], { id: this.id++ });
  }
}

export default topology('payload', (t) => {
  const source = t.spout('source', Texts, { config: { bytes: 10 } });
  t.bolt('sink', Sink).shuffle(source);
});
