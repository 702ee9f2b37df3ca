// Sends tuples with equal keys to one of two tasks, whichever this sender has given less so far ("the power of two
// choices": Nasir et al., ICDE 2015). The two are the same for every sender, on every host: a frequent key is worked on
// by two tasks instead of one, so what they make of it has to be put together behind them.

import type { Values } from '../component/tuple.js';
import { finishHash, HASH_SEED, hashValue } from '../plan/hash.js';
import type { Grouping } from './grouping.js';

/** Tells the second choice from the first one. */
const SECOND_SEED = 0x9e3779b9 | 0;

export class PartialKeyGrouping implements Grouping {
  private readonly positions: readonly number[];
  private readonly sent: Float64Array;

  /** @param targets - how many tasks there are, at least 2 */
  constructor(positions: readonly number[], targets: number) {
    this.positions = positions;
    this.sent = new Float64Array(targets);
  }

  select(values: Values): number {
    const { sent } = this;
    let hash = HASH_SEED;
    for (let i = 0; i < this.positions.length; i++) hash = hashValue(hash, values[this.positions[i]!]);
    const first = finishHash(hash) % sent.length;
    const step = 1 + (finishHash(hash ^ SECOND_SEED) % (sent.length - 1));
    const second = (first + step) % sent.length;
    const index = sent[second]! < sent[first]! ? second : first;
    sent[index]!++;
    return index;
  }
}
