// Sends tuples with equal keys to the same task, whichever task, worker or host sends them: the key's hash names a key
// group, and contiguous ranges of key groups belong to tasks. Equal by value: arrays and objects with equal content are
// one key, 1 and "1" are two, -0 is 0, NaN is NaN.

import type { Values } from '../component/tuple.js';
import { taskIndexOfKeyGroup } from '../plan/key-groups.js';
import { hashValue, finishHash, HASH_SEED } from '../plan/hash.js';
import type { Grouping } from './grouping.js';

export class FieldsGrouping implements Grouping {
  private readonly positions: readonly number[];
  private readonly keyGroups: number;
  private readonly taskOfGroup: Int32Array;

  constructor(positions: readonly number[], keyGroups: number, targets: number) {
    this.positions = positions;
    this.keyGroups = keyGroups;
    this.taskOfGroup = Int32Array.from({ length: keyGroups }, (_, group) =>
      taskIndexOfKeyGroup(group, keyGroups, targets),
    );
  }

  select(values: Values): number {
    let hash = HASH_SEED;
    for (let i = 0; i < this.positions.length; i++) hash = hashValue(hash, values[this.positions[i]!]);
    return this.taskOfGroup[finishHash(hash) % this.keyGroups]!;
  }
}
