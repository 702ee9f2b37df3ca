// Asynchronous bolts whose calls wait at the gate that their tuple names: one at a time, three at a time, and three at
// a time with their output in order. Each emits before and after its gate, and how many calls of its task are under
// way.

import { Bolt, topology, type Emit, type Tuple } from 'millrace';
import { Command, Opener, passed, Sink, Source } from './parts.js';

class Gated extends Bolt {
  static readonly outputs = ['value', 'when', 'underWay'] as const;
  private underWay = 0;

  async execute(tuple: Tuple, emit: Emit): Promise<void> {
    const [value] = tuple.values;
    this.underWay++;
    emit([value, 'before', this.underWay]);
    await passed(String(value));
    emit([value, 'after', this.underWay]);
    this.underWay--;
  }
}

export default topology('gated', (t) => {
  const command = t.spout('command', Command);
  t.bolt('opener', Opener, { parallelism: 2 }).all(command);
  const one = t.bolt('one', Gated).shuffle(t.spout('one-source', Source));
  const three = t.bolt('three', Gated, { concurrency: 3 }).shuffle(t.spout('three-source', Source));
  const ordered = t
    .bolt('ordered', Gated, { concurrency: 3, ordered: true })
    .shuffle(t.spout('ordered-source', Source));
  t.bolt('one-sink', Sink).shuffle(one);
  t.bolt('three-sink', Sink).shuffle(three);
  t.bolt('ordered-sink', Sink).shuffle(ordered);
});
