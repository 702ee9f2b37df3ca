// A bolt with real work: a fixed computation for each tuple, which takes about 20 microseconds at 3 GHz. Not so much
// time by the clock: that would pass as well while the thread does not run.

import { Bolt, topology, type Emit, type Tuple } from 'millrace';
import { Sink } from './bolts.js';
import { Constant } from './spouts.js';

const STEPS = 15_000;

class Busy extends Bolt {
  static readonly outputs = ['value', 'sum'] as const;

  execute(tuple: Tuple<[value: string]>, emit: Emit<[value: string, sum: number]>): void {
    const value = tuple.values[0];
    let sum = value.length;
    for (let i = 0; i < STEPS; i++) sum = Math.imul(sum ^ (sum >>> 15), 0x85ebca6b) + i;
    emit([value, sum]);
  }
}

export default topology('busy', (t) => {
  const source = t.spout('source', Constant, { config: { tracked: true } });
  const busy = t.bolt('busy', Busy).shuffle(source);
  t.bolt('sink', Sink).shuffle(busy);
});
