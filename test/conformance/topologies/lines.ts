// The built-in components under test: lines of a file, held at a gate, and counted.

import { Bolt, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { count } from 'millrace/connect/count';
import { fileLines } from 'millrace/connect/file';
import { Command, Opener, passed, Sink } from './parts.js';

class Held extends Bolt {
  static readonly outputs = ['line'] as const;
  private gate = '';

  override prepare(context: BoltContext): void {
    this.gate = String(context.config['gate']);
  }

  async execute(tuple: Tuple, emit: Emit): Promise<void> {
    await passed(this.gate);
    emit(tuple.values);
  }
}

export default topology(
  'lines',
  (t) => {
    const lines = t.spout('lines', fileLines({ path: 'set by the test' }), { parallelism: 2 });
    const held = t.bolt('held', Held, { parallelism: 2, config: { gate: '' } }).shuffle(lines, { locality: false });
    const counted = t.bolt('count', count(), { parallelism: 2 }).fields(held, 'line');
    t.bolt('sink', Sink).shuffle(counted);
    t.bolt('opener', Opener, { parallelism: 2 }).all(t.spout('command', Command));
  },
  { messageTimeout: null, maxSpoutPending: 20 },
);
