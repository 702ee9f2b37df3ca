// Topologies for tests of plans, given by how many tasks each component has.

import { defaultConfig } from '../../../engine/model/config.js';
import type { TopologyDescription } from '../../../engine/model/describe.js';

/** A topology of a spout `0` and bolts that take from the stated ones before them. */
export function describe(
  parallelisms: readonly number[],
  sources: readonly (readonly number[])[] = [],
): TopologyDescription {
  return {
    name: 'planned',
    version: null,
    config: defaultConfig,
    components: parallelisms.map((parallelism, index) => {
      const base = { id: String(index), parallelism, outputs: { default: ['a'] }, config: {} };
      if (index === 0) return { ...base, kind: 'spout' };
      const from = sources[index] ?? [index - 1];
      return {
        ...base,
        kind: 'bolt',
        behavior: { manualAck: false, concurrency: 1, ordered: false, tickMs: null, callTimeoutMs: null },
        inputs: from.map((each) => ({ from: String(each), stream: 'default', grouping: 'shuffle', fields: [] })),
      };
    }),
  };
}
