// Topologies for tests of plans, given by how many tasks each component has.

import fc from 'fast-check';
import { defaultConfig } from '../../../engine/model/config.js';
import type { Placement } from '../../../engine/model/definition.js';
import type { TopologyDescription } from '../../../engine/model/describe.js';

/** A topology of a spout `0` and bolts that take from the stated ones, by default the one before; none: a spout too. */
export function describe(
  parallelisms: readonly number[],
  sources: readonly (readonly number[])[] = [],
  placement: Placement = 'together',
): TopologyDescription {
  return {
    name: 'planned',
    version: null,
    config: { ...defaultConfig, placement },
    components: parallelisms.map((parallelism, index) => {
      const base = { id: String(index), parallelism, outputs: { default: ['a'] }, config: {} };
      const from = sources[index] ?? (index === 0 ? [] : [index - 1]);
      if (from.length === 0) return { ...base, kind: 'spout' };
      return {
        ...base,
        kind: 'bolt',
        behavior: { manualAck: false, concurrency: 1, ordered: false, tickMs: null, callTimeoutMs: null },
        inputs: from.map((each) => ({ from: String(each), stream: 'default', grouping: 'shuffle', fields: [] })),
      };
    }),
  };
}

/** Topologies of up to twelve components, each of which takes from any others, with cycles, or from none. */
export function anyTopology(placement: Placement): fc.Arbitrary<TopologyDescription> {
  const component = fc.record({
    parallelism: fc.integer({ min: 1, max: 30 }),
    from: fc.array(fc.nat({ max: 11 }), { maxLength: 3 }),
  });
  return fc.array(component, { minLength: 1, maxLength: 12 }).map((all) =>
    describe(
      all.map(({ parallelism }) => parallelism),
      all.map(({ from }) => [...new Set(from)].filter((source) => source < all.length)),
      placement,
    ),
  );
}
