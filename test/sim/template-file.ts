// A topology of one's own for the simulation: read as a host would read it, once, in a throw-away thread. Of what its
// components do nothing runs; how many tasks and workers they have, and its settings, are what is simulated.

import { readDefinition } from '../../api/definition.js';
import { openTopologyFile } from '../../api/topology-file.js';
import type { Template } from './topologies.js';

/** @throws what reading a topology's file and its definition throws */
export async function readTemplate(file: string): Promise<Template> {
  const { source, dispose } = await openTopologyFile(file, {});
  try {
    const description = await readDefinition(source, { file });
    const { settings = {} } = source;
    if (source.kind === 'document') {
      return { source: { kind: 'document', document: source.document }, settings, description };
    }
    // Its bundle is gone when this returns, and nothing loads it.
    return { source: { kind: 'module', url: source.url }, settings, description };
  } finally {
    await dispose();
  }
}
