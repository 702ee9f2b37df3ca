// Sends tuples with equal keys to the same task, whichever task, worker or host sends them: the key's hash names a key
// group, and contiguous ranges of key groups belong to tasks. Equal by value: arrays and objects with equal content are
// one key, 1 and "1" are two, -0 is 0, NaN is NaN.
//
// A text that is the whole key is mostly one that was seen before: the last text of each slot and where it goes are
// kept, so that only texts that are new, or whose slot another one took, are hashed.
//
//   slot = first, middle and last character, length      texts[slot] = "moon"      tasks[slot] = 3

import type { Values } from '../component/tuple.js';
import { DICTIONARY_TEXT_LENGTH_MAX, KEY_SLOTS } from '../limits.js';
import { taskIndexOfKeyGroup } from '../plan/key-groups.js';
import { hashValue, finishHash, HASH_SEED } from '../plan/hash.js';
import type { Grouping } from './grouping.js';

export class FieldsGrouping implements Grouping {
  private readonly positions: readonly number[];
  /** The place of a key that is one field; -1 for keys of several. */
  private readonly only: number;
  private readonly keyGroups: number;
  private readonly taskOfGroup: Int32Array;
  private readonly texts = new Array<string>(KEY_SLOTS).fill('');
  private readonly tasks = new Int32Array(KEY_SLOTS).fill(-1);

  constructor(positions: readonly number[], keyGroups: number, targets: number) {
    this.positions = positions;
    this.only = positions.length === 1 ? positions[0]! : -1;
    this.keyGroups = keyGroups;
    this.taskOfGroup = Int32Array.from({ length: keyGroups }, (_, group) =>
      taskIndexOfKeyGroup(group, keyGroups, targets),
    );
  }

  select(values: Values): number {
    if (this.only < 0) return this.hashed(values);
    const key = values[this.only];
    if (typeof key !== 'string' || key.length === 0 || key.length > DICTIONARY_TEXT_LENGTH_MAX)
      return this.hashed(values);
    const { length } = key;
    const ends = key.charCodeAt(0) * 31 + key.charCodeAt(length - 1);
    const slot = (ends * 31 + key.charCodeAt(length >> 1) * 7 + length) & (KEY_SLOTS - 1);
    if (this.texts[slot] === key) return this.tasks[slot]!;
    const task = this.hashed(values);
    this.texts[slot] = key;
    this.tasks[slot] = task;
    return task;
  }

  private hashed(values: Values): number {
    let hash = HASH_SEED;
    for (let i = 0; i < this.positions.length; i++) hash = hashValue(hash, values[this.positions[i]!]);
    return this.taskOfGroup[finishHash(hash) % this.keyGroups]!;
  }
}
