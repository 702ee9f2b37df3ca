// Settings that change a topology without changing its definition: `messageTimeout` (a key of its config),
// `lines.path` (a key of a component's config) and `count.parallelism`. The changed topology is checked like any other.
// Pure, any thread.

import type { Problem } from '../errors.js';
import { CONFIG_KEYS, isConfigKey, readConfig } from './config.js';
import type { ComponentKind } from './component-source.js';
import type { ComponentDefinition, Topology } from './definition.js';
import { componentPath, keyPath } from './names.js';
import { ProblemList, topologyInvalid } from './problems.js';
import { withOutputs } from './outputs.js';
import { listed } from './suggest.js';
import { problemsOf } from './validate.js';

/** Settings by name, as plain data. */
export type Settings = Readonly<Record<string, unknown>>;

/** What a setting changes. */
export type SettingTarget =
  | { readonly kind: 'topology'; readonly key: string }
  | { readonly kind: 'component'; readonly id: string; readonly key: string };

const PARALLELISM = 'parallelism';

/**
 * What a setting of that name changes, or null when there is no such thing. Ids may have dots: the longest one counts.
 */
export function settingTarget(name: string, componentIds: ReadonlySet<string>): SettingTarget | null {
  if (isConfigKey(name)) return { kind: 'topology', key: name };
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const id = name.slice(0, dot);
    if (componentIds.has(id) && dot + 1 < name.length) return { kind: 'component', id, key: name.slice(dot + 1) };
  }
  return null;
}

/** Where a setting stands, for problems: `settings["lines.path"]`. */
export function settingPath(name: string): string {
  return keyPath('settings', name);
}

/** Where the value of a setting ends up in a topology: `spouts.lines.config.path`. */
export function placeOf(kind: ComponentKind, id: string, key: string): string {
  const path = componentPath(kind, id);
  return key === PARALLELISM ? `${path}.${key}` : keyPath(`${path}.config`, key);
}

/** The problems, with the path of the setting where a value came from one: the user has to mend it there. */
export function blameSettings(problems: readonly Problem[], settingsByPlace: ReadonlyMap<string, string>): Problem[] {
  return problems.map((problem) => {
    for (const [place, setting] of settingsByPlace) {
      const rest = problem.path.startsWith(place) ? problem.path.slice(place.length) : null;
      if (rest !== null && /^(?:[.[]|$)/.test(rest)) return { ...problem, path: settingPath(setting) + rest };
    }
    return problem;
  });
}

/** Reports a setting that changes nothing. */
export function unknownSetting(name: string, topology: string, ids: ReadonlySet<string>, problems: ProblemList): void {
  const dot = name.lastIndexOf('.');
  const id = dot > 0 ? name.slice(0, dot) : name;
  const known = dot > 0 ? [...ids] : [...CONFIG_KEYS, ...ids];
  const details = {
    owner: `topology "${topology}"`,
    key: name,
    known: listed([...CONFIG_KEYS, ...[...ids].map((each) => `${each}.…`)]),
  };
  problems.add('MILLRACE_CONFIG_UNKNOWN_KEY', settingPath(name), details, { name: id, known });
}

/**
 * The topology with these settings.
 *
 * A component takes the keys that its definition gave a value, and those that its type declares.
 *
 * @throws MILLRACE_TOPOLOGY_INVALID with every problem: a setting that is not known or of a wrong type, and what is
 * wrong with the topology that results
 */
export function applySettings(topology: Topology, settings: Settings): Topology {
  const problems = new ProblemList();
  const ids = new Set(topology.components.map((component) => component.id));
  const config = new Map<string, unknown>();
  const changes = new Map<string, Map<string, unknown>>();
  const settingsByPlace = new Map<string, string>();
  for (const [name, value] of Object.entries(settings)) {
    const target = settingTarget(name, ids);
    if (target === null) {
      unknownSetting(name, topology.name, ids, problems);
    } else if (target.kind === 'topology') {
      config.set(target.key, value);
    } else {
      const ofComponent = changes.get(target.id) ?? new Map<string, unknown>();
      changes.set(target.id, ofComponent.set(target.key, value));
      const kind = topology.components.find(({ id }) => id === target.id)?.kind ?? 'bolt';
      settingsByPlace.set(placeOf(kind, target.id, target.key), name);
    }
  }
  const readTopologyConfig = readConfig(Object.fromEntries(config), topology.config, settingPath, problems);
  const given = topology.components.map((component) =>
    changedComponent(component, changes.get(component.id), problems),
  );
  const ofOutputs = new ProblemList();
  const { components, unknown } = withOutputs(given, new Set(), ofOutputs);
  const changed: Topology = { ...topology, config: readTopologyConfig, components };
  const found = [...ofOutputs.all(), ...problemsOf(changed, {}, unknown)];
  const all = [...problems.all(), ...blameSettings(found, settingsByPlace)];
  if (all.length > 0) throw topologyInvalid(topology.name, all);
  return changed;
}

function changedComponent(
  component: ComponentDefinition,
  changes: ReadonlyMap<string, unknown> | undefined,
  problems: ProblemList,
): ComponentDefinition {
  if (changes === undefined) return component;
  const known = component.configKeys ?? Object.keys(component.config);
  const entries = [...changes].filter(([key]) => key !== PARALLELISM);
  for (const [key] of entries) {
    if (known.includes(key)) continue;
    const details = { owner: `${component.kind} "${component.id}"`, key, known: listed([PARALLELISM, ...known]) };
    const near = { name: key, known: [PARALLELISM, ...known] };
    problems.add('MILLRACE_CONFIG_UNKNOWN_KEY', settingPath(`${component.id}.${key}`), details, near);
  }
  const config = { ...component.config, ...Object.fromEntries(entries) };
  const parallelism = (changes.has(PARALLELISM) ? changes.get(PARALLELISM) : component.parallelism) as number;
  return { ...component, config, parallelism };
}
