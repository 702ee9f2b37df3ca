// A bolt that emits so many tuples for each one that it takes.

import { Bolt, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { Sink } from './bolts.js';
import { Constant } from './spouts.js';

class Fan extends Bolt {
  static readonly outputs = ['value'] as const;
  private children = 1;

  override prepare(context: BoltContext): void {
    this.children = context.config['children'] as number;
  }

  execute(tuple: Tuple<[value: string]>, emit: Emit<[value: string]>): void {
    for (let i = 0; i < this.children; i++) emit([tuple.values[0]]);
  }
}

export default topology('fan-out', (t) => {
  const source = t.spout('source', Constant, { config: { tracked: true } });
  const fan = t.bolt('fan', Fan, { config: { children: 1 } }).shuffle(source);
  t.bolt('sink', Sink).shuffle(fan);
});
