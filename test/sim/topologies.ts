// What is submitted in a simulated world: topologies of one's own, or small ones of the seed.

import { defaultConfig } from '../../engine/model/config.js';
import type { BoltDescription, ComponentDescription, TopologyDescription } from '../../engine/model/describe.js';
import type { Random } from '../../engine/random.js';
import type { NewTopology } from '../../coordination/topologies.js';

const BEHAVIOR: BoltDescription['behavior'] = {
  manualAck: false,
  concurrency: 1,
  ordered: false,
  tickMs: null,
  callTimeoutMs: null,
};

/** A topology as it was read; its name is given anew for each submission. */
export type Template = Pick<NewTopology, 'source' | 'settings' | 'description'>;

/** A submission under that name. */
export function submissionOf(template: Template, name: string, workers: number, active: boolean): NewTopology {
  const description: TopologyDescription = { ...template.description, name };
  return { ...template, description, posted: false, workers, artifacts: [], active, submittedAtMs: 0 };
}

/** Some spouts and bolts, as the seed says. */
export function randomTemplate(random: Random): Template {
  const spouts = 1 + random.nextBelow(2);
  const components = Array.from({ length: spouts + random.nextBelow(3) }, (_, number): ComponentDescription => {
    const parallelism = 1 + random.nextBelow(4);
    const common = { parallelism, config: {}, outputs: { default: ['value'] } };
    if (number < spouts) return { kind: 'spout', id: `spout-${number}`, ...common };
    const input = { from: `spout-${number % spouts}`, stream: 'default', grouping: 'shuffle', fields: [] } as const;
    return { kind: 'bolt', id: `bolt-${number}`, ...common, inputs: [input], behavior: BEHAVIOR };
  });
  const config = { ...defaultConfig, workers: 1, messageTimeoutMs: 30_000, keyGroups: 1024 };
  const description: TopologyDescription = { name: 'made', version: null, config, components };
  return { source: { kind: 'document', document: {} }, settings: {}, description };
}
