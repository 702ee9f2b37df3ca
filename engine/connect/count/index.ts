// `millrace/connect/count`: running counts by key. Light, any thread.

import { defineBolt, type BoltSpec, type DynamicOutputs } from '../../component/spec.js';
import { Count, countKey, countOutputs } from './count.js';

export { Count } from './count.js';

/**
 * A bolt that counts tuples by the fields of its fields grouping and emits, for each, these fields and `count`. Type
 * `count`.
 *
 * `t.bolt('count', count(), { parallelism: 2 }).fields(words, 'word')` emits `word`, `count`. Keys are told apart by
 * value and type: 1 and "1" are two, equal objects are one. All inputs must have the same key; without a fields
 * grouping all tuples of a task are counted together, and it emits `count` alone.
 *
 * The counts live in the memory of the task: they start empty when it is restarted or moved. A tuple that is replayed
 * is counted again, and one task takes at most 10 million keys (MILLRACE_COUNT_KEYS ends the topology).
 *
 * @throws MILLRACE_COUNT_KEY when its outputs are asked for and its inputs have different keys
 */
export function count(): BoltSpec<Count, DynamicOutputs> {
  return defineBolt<Count, DynamicOutputs>({
    type: 'count',
    outputs: countOutputs,
    configKeys: [],
    create: (_settings, inputs) => new Count(countKey(inputs)),
  });
}
