// A topology from its JSON document (schema.ts). The document is checked against the schema, the settings of each
// component against the schema of its type, and what can be made of it goes through the same validation as a topology
// written in TypeScript: one error tells everything, each problem with its place in the document. Where a value is so
// wrong that a default has to stand in, validation is not heard about it. Runs where documents are read, and in each
// worker.

import { COMPONENTS_MAX } from '../limits.js';
import { assemble } from './assemble.js';
import { isRecord } from './component-source.js';
import { configPath, defaultConfig, readConfig, readVersion } from './config.js';
import type { Topology } from './definition.js';
import { documentDrafts } from './document-components.js';
import { shown } from './names.js';
import { ProblemList, topologyInvalid } from './problems.js';
import type { ComponentRegistry, GroupingRegistry } from './registry.js';
import { ARTIFACT_PATTERN, topologySchema } from './schema.js';
import type { Settings } from './settings.js';
import { blameSettings, placeOf, settingTarget, unknownSetting } from './settings.js';
import type { Mismatch } from './shape.js';
import { mismatches } from './shape.js';
import { listed } from './suggest.js';
import type { ValidationLimits } from './validate.js';

export { parseDocument } from './json-text.js';
export { topologySchema } from './schema.js';

type JsonObject = Readonly<Record<string, unknown>>;

const UNNAMED = 'unnamed';
const ARTIFACT = new RegExp(ARTIFACT_PATTERN);

/**
 * Makes the topology that a document describes.
 *
 * @param document - parsed JSON, of whatever shape
 * @param registry - the types that it may name
 * @param settings - changes to the document before it is checked, see {@link Settings}
 * @param hasArtifact - the types of the artifact that the document names are in the registry. Default false
 * @param groupings - the groupings that the artifact exports. Default none
 * @throws MILLRACE_TOPOLOGY_INVALID with every problem in `problems`; nothing else
 */
export function topologyFromDocument(
  document: unknown,
  registry: ComponentRegistry,
  settings: Settings = {},
  limits: ValidationLimits = {},
  hasArtifact = false,
  groupings: GroupingRegistry = new Map(),
): Topology {
  const problems = new ProblemList();
  const replaced = new Set<string>();
  if (!isRecord(document)) {
    const details = {
      what: 'the document',
      expected: 'an object',
      actual: shown(document),
      description: 'see the schema',
    };
    problems.add('MILLRACE_DOCUMENT_VALUE', '', details);
    throw topologyInvalid(UNNAMED, problems.all());
  }
  const name = typeof document['name'] === 'string' ? document['name'] : UNNAMED;
  if (document['name'] !== name) replaced.add('name');
  const count = Object.keys(recordOf(document['spouts'])).length + Object.keys(recordOf(document['bolts'])).length;
  if (count > COMPONENTS_MAX) {
    // Such a document is a mistake or an attack: its further problems are not worth the time.
    problems.add('MILLRACE_TOPOLOGY_TOO_LARGE', '', { count, what: 'components', max: COMPONENTS_MAX });
    throw topologyInvalid(name, problems.all());
  }
  const { changed, settingsByPlace } = withSettings(document, settings, name, problems);
  for (const mismatch of mismatches(topologySchema, changed, '')) reportMismatch(mismatch, problems);
  if (!hasArtifact) checkArtifact(changed, problems);
  const base = {
    name,
    version: readVersion(changed['version'], problems),
    config: readConfig(recordOf(changed['config']), defaultConfig, configPath, problems),
  };
  const drafts = documentDrafts(changed, registry, groupings, problems, replaced);
  const { topology, problems: all } = assemble(base, drafts, problems, replaced, limits);
  if (all.length > 0) throw topologyInvalid(name, blameSettings(all, settingsByPlace));
  return topology;
}

function checkArtifact(document: JsonObject, problems: ProblemList): void {
  const { artifact } = document;
  if (typeof artifact !== 'string' || !ARTIFACT.test(artifact)) return;
  problems.add('MILLRACE_DOCUMENT_ARTIFACT', 'artifact', { artifact });
}

function reportMismatch(mismatch: Mismatch, problems: ProblemList): void {
  const { path } = mismatch;
  const owner = parentOf(path);
  if (mismatch.kind === 'unknown') {
    const { key, known } = mismatch;
    const details = { what: owner, key, known: listed(known) };
    problems.add('MILLRACE_DOCUMENT_UNKNOWN_KEY', path, details, { name: key, known });
  } else if (mismatch.kind === 'missing') {
    problems.add('MILLRACE_DOCUMENT_MISSING_KEY', path, {
      what: owner,
      key: mismatch.key,
      expected: mismatch.expected,
    });
  } else {
    const { expected, actual, description } = mismatch;
    problems.add('MILLRACE_DOCUMENT_VALUE', path, { what: path, expected, actual, description });
  }
}

/** `bolts.count` of `bolts.count.inputs`. */
function parentOf(path: string): string {
  const parent = path.replace(/(?:\.[^.[\]"]+|\["(?:[^"\\]|\\.)*"\]|\[\d+\]|^[^.[]+)$/, '');
  return parent === '' ? 'the document' : parent;
}

interface ChangedDocument {
  readonly changed: JsonObject;
  /** Which setting a value came from, by the path where it stands now. */
  readonly settingsByPlace: ReadonlyMap<string, string>;
}

/** The document with the settings in their places. */
function withSettings(document: JsonObject, settings: Settings, name: string, problems: ProblemList): ChangedDocument {
  const spouts = recordOf(document['spouts']);
  const bolts = recordOf(document['bolts']);
  const ids = new Set([...Object.keys(spouts), ...Object.keys(bolts)]);
  const settingsByPlace = new Map<string, string>();
  let changed = document;
  for (const [setting, value] of Object.entries(settings)) {
    const target = settingTarget(setting, ids);
    if (target === null) {
      unknownSetting(setting, name, ids, problems);
    } else if (target.kind === 'topology') {
      changed = withKey(changed, ['config', target.key], value);
      settingsByPlace.set(configPath(target.key), setting);
    } else {
      const section = Object.hasOwn(spouts, target.id) ? 'spouts' : 'bolts';
      const place = target.key === 'parallelism' ? [target.key] : ['config', target.key];
      changed = withKey(changed, [section, target.id, ...place], value);
      settingsByPlace.set(placeOf(section === 'spouts' ? 'spout' : 'bolt', target.id, target.key), setting);
    }
  }
  return { changed, settingsByPlace };
}

/**
 * A copy with that value at that place; where something on the way is no object, it is left for the schema to refuse.
 */
function withKey(object: JsonObject, [key, ...rest]: readonly string[], value: unknown): JsonObject {
  if (key === undefined) return object;
  const inner = Object.hasOwn(object, key) ? object[key] : {};
  if (rest.length > 0 && !isRecord(inner)) return object;
  const changed = rest.length === 0 ? value : withKey(recordOf(inner), rest, value);
  // A map keeps the order, and takes `__proto__` for a key like any other.
  return Object.fromEntries(new Map(Object.entries(object)).set(key, changed));
}

function recordOf(value: unknown): JsonObject {
  return isRecord(value) ? value : {};
}

/** The schemas of a registry's types by name, for documentation. */
export function typeSchemas(registry: ComponentRegistry): JsonObject {
  return Object.fromEntries(
    [...registry.values()].map(({ type, description, schema }) => [type, { description, ...schema }]),
  );
}
