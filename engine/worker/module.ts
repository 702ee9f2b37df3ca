// Where workers get their topology from: a module that defines it, or a JSON document over the built-in components. The
// throw-away thread that reads a definition first and every worker after it load the same way, so they see the same.

import { builtins } from '../connect/registry.js';
import { failure, isMillraceError, reasonOf } from '../errors.js';
import { isTopology, type Topology } from '../model/definition.js';
import { topologyFromDocument } from '../model/document.js';
import { applySettings, type Settings } from '../model/settings.js';

export type TopologySource =
  /** An ES module whose default export is a topology. */
  | { readonly kind: 'module'; readonly url: string; readonly settings: Settings }
  /** A topology as JSON, over the built-in components. */
  | { readonly kind: 'document'; readonly document: unknown; readonly settings: Settings };

/**
 * Imports or builds the topology, with its settings applied.
 *
 * @throws MILLRACE_TOPOLOGY_INVALID with every problem; MILLRACE_TOPOLOGY_EXPORT when the module exports something else;
 * whatever the module itself throws
 */
export async function loadTopology(source: TopologySource): Promise<Topology> {
  if (source.kind === 'document') return topologyFromDocument(source.document, builtins, source.settings);
  const module = (await import(source.url)) as Readonly<Record<string, unknown>>;
  const topology: unknown = module['default'];
  if (!isTopology(topology)) throw failure('MILLRACE_TOPOLOGY_EXPORT', { found: describeExport(module) });
  return applySettings(topology, source.settings);
}

/** The same, with what a module threw turned into an error of the catalogue that names the topology. */
export async function loadTopologyInWorker(source: TopologySource, name: string): Promise<Topology> {
  try {
    return await loadTopology(source);
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw failure('MILLRACE_WORKER_MODULE', { topology: name, reason: reasonOf(error) }, { cause: error });
  }
}

function describeExport(module: Readonly<Record<string, unknown>>): string {
  const found = module['default'];
  if (found === undefined) {
    const names = Object.keys(module).join(', ');
    return names === '' ? 'no exports' : `no default export, only ${names}`;
  }
  if (found === null) return 'null';
  if (typeof found === 'object') return Array.isArray(found) ? 'a list' : 'an object that topology() did not make';
  return `a ${typeof found}`;
}
