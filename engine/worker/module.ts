// Where workers get their topology from: a module that defines it, or a JSON document over the built-in components and
// what an artifact exports. The throw-away thread that reads a definition first and every worker after it load the same
// way, so they see the same.
//
// What documents need (the schema library above all) is only loaded for documents: a module starts sooner without it.

import { failure, isMillraceError, reasonOf } from '../errors.js';
import { isTopology, type Topology } from '../model/definition.js';
import { canonicalJson, describe, type TopologyDescription } from '../model/describe.js';
import { applySettings, type Settings } from '../model/settings.js';
import { describeExport } from './exported.js';

export type TopologySource =
  /** An ES module whose default export is a topology. */
  | { readonly kind: 'module'; readonly url: string; readonly settings: Settings }
  /** A topology as JSON, over the built-in components … */
  | {
      readonly kind: 'document';
      readonly document: unknown;
      readonly settings: Settings;
      /** … and the exports of this ES module, the artifact that the document names. An export hides a built-in type. */
      readonly artifactUrl?: string;
    };

/**
 * Imports or builds the topology, with its settings applied.
 *
 * @param file - what to call the module in errors; its URL by default
 * @throws MILLRACE_TOPOLOGY_INVALID with every problem; MILLRACE_DEFINITION_EXPORT when the module exports something
 * else; whatever the module itself throws
 */
export async function loadTopology(source: TopologySource, file?: string): Promise<Topology> {
  if (source.kind === 'document') return await loadDocument(source);
  const module = (await import(source.url)) as Readonly<Record<string, unknown>>;
  const topology: unknown = module['default'];
  if (isTopology(topology)) return applySettings(topology, source.settings);
  throw failure('MILLRACE_DEFINITION_EXPORT', { file: file ?? source.url, ...describeExport(module) });
}

async function loadDocument(source: Extract<TopologySource, { readonly kind: 'document' }>): Promise<Topology> {
  const { document, settings, artifactUrl } = source;
  const [{ builtins }, { typesFor }, { topologyFromDocument }] = await Promise.all([
    import('../connect/registry.js'),
    import('../connect/further-types.js'),
    import('../model/document.js'),
  ]);
  const known = await typesFor(document, builtins);
  if (artifactUrl === undefined) return topologyFromDocument(document, known, settings);
  const [{ exportedTypes }, { exportedGroupings }] = await Promise.all([
    import('../model/exported-types.js'),
    import('../model/custom-source.js'),
  ]);
  const exports = (await import(artifactUrl)) as Readonly<Record<string, unknown>>;
  const types = new Map([...known, ...exportedTypes(exports)]);
  return topologyFromDocument(document, types, settings, {}, true, exportedGroupings(exports));
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

/**
 * What a worker has loaded has to be what its supervisor has read.
 *
 * @throws MILLRACE_WORKER_DEFINITION
 */
export function checkDefinition(
  definition: Topology,
  { worker, description }: { readonly worker: number; readonly description: TopologyDescription },
): void {
  if (canonicalJson(describe(definition)) === canonicalJson(description)) return;
  throw failure('MILLRACE_WORKER_DEFINITION', { worker, topology: description.name });
}
