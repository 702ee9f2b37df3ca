// The components of a JSON document: each entry of `spouts` and `bolts` is read into a draft, whatever is wrong with
// it. A value that validation can speak about is kept as it stands; one that has no place in a draft is replaced, after
// the schema has reported it. Pure, any thread.

import type { ComponentConfig } from '../component/spec.js';
import type { ComponentKind } from './component-source.js';
import { isDynamic, isRecord, readOutputs } from './component-source.js';
import { readCustom } from './custom-source.js';
import type { CustomGroupingDefinition, GroupingName, InputDefinition, Overflow } from './definition.js';
import { DEFAULT_STREAM } from './definition.js';
import type { ComponentDraft } from './drafts.js';
import { defaultBehavior, readBehavior, readWhere } from './drafts.js';
import { componentPath, nameOf, shown } from './names.js';
import type { ProblemList } from './problems.js';
import type { ComponentRegistry, ComponentType, GroupingRegistry } from './registry.js';
import { mismatches, propertyNames } from './shape.js';
import { listed } from './suggest.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** The components of a document, spouts first, in their order. */
export function documentDrafts(
  document: JsonObject,
  registry: ComponentRegistry,
  groupings: GroupingRegistry,
  problems: ProblemList,
  replaced: Set<string>,
): readonly ComponentDraft[] {
  const reader = new ComponentReader(registry, groupings, problems, replaced);
  return (['spout', 'bolt'] as const).flatMap((kind) => {
    const section = document[`${kind}s`];
    if (!isRecord(section)) {
      if (section !== undefined) replaced.add(`${kind}s`);
      return [];
    }
    return Object.entries(section).map(([id, entry]) => reader.read(kind, id, entry));
  });
}

class ComponentReader {
  private readonly registry: ComponentRegistry;
  private readonly groupings: GroupingRegistry;
  private readonly problems: ProblemList;
  private readonly replaced: Set<string>;

  constructor(registry: ComponentRegistry, groupings: GroupingRegistry, problems: ProblemList, replaced: Set<string>) {
    this.registry = registry;
    this.groupings = groupings;
    this.problems = problems;
    this.replaced = replaced;
  }

  read(kind: ComponentKind, id: string, entry: unknown): ComponentDraft {
    const path = componentPath(kind, id);
    const isEntry = isRecord(entry);
    const fields: JsonObject = isEntry ? entry : {};
    const { type: typeName, parallelism, config, inputs, callTimeout } = fields;
    if (!isEntry) this.replaced.add(`${path}.inputs`);
    const type = typeof typeName === 'string' ? this.findType(kind, id, typeName, `${path}.type`) : null;
    const settings: ComponentConfig = isRecord(config) ? config : {};
    const isConfigured = type === null || config === undefined || isRecord(config);
    const isChecked = isConfigured && (type === null || this.checkConfig(kind, id, type, settings, `${path}.config`));
    const common = {
      kind,
      id,
      parallelism: (parallelism ?? type?.parallelism ?? 1) as number,
      config: settings,
      inputs: this.readInputs(id, inputs, `${path}.inputs`),
      where: readWhere(fields),
      untracked: false,
    };
    if (type === null) {
      return {
        ...common,
        outputs: {},
        directStreams: [],
        outputsKnown: false,
        configKeys: null,
        behavior: defaultBehavior,
        create: unusable,
      };
    }
    const { outputs } = type;
    const directStreams: string[] = [];
    return {
      ...common,
      outputs: isDynamic(outputs) ? outputs : readOutputs(outputs, id, `${path}.outputs`, this.problems, directStreams),
      directStreams,
      outputsKnown: isChecked || !isDynamic(outputs),
      configKeys: propertyNames(type.schema),
      behavior: {
        ...defaultBehavior,
        ...type.behavior,
        ...(callTimeout !== undefined && { callTimeoutMs: readBehavior({ callTimeout }).callTimeoutMs }),
      },
      create: (given, subscriptions) => type.create(given, subscriptions),
    };
  }

  private findType(kind: ComponentKind, id: string, typeName: string, path: string): ComponentType | null {
    const type = this.registry.get(typeName);
    if (type?.kind === kind) return type;
    const names = [...this.registry.values()].filter((each) => each.kind === kind).map((each) => each.type);
    const common = { component: id, kind, type: typeName, known: listed(names) };
    if (type !== undefined) {
      this.problems.add('MILLRACE_DOCUMENT_TYPE_KIND', path, { ...common, actual: type.kind });
    } else {
      this.problems.add('MILLRACE_DOCUMENT_UNKNOWN_TYPE', path, common, { name: typeName, known: names });
    }
    return null;
  }

  /** Whether the settings are what their type takes. */
  private checkConfig(
    kind: ComponentKind,
    id: string,
    type: ComponentType,
    config: ComponentConfig,
    path: string,
  ): boolean {
    const owner = `${kind} "${id}" (type "${type.type}")`;
    const found = mismatches(type.schema, config, path);
    for (const mismatch of found) {
      const key = mismatch.path === path ? 'config' : keyBelow(path, mismatch.path);
      if (mismatch.kind === 'unknown') {
        const near = { name: mismatch.key, known: mismatch.known };
        this.problems.add(
          'MILLRACE_CONFIG_UNKNOWN_KEY',
          mismatch.path,
          { owner, key, known: listed(mismatch.known) },
          near,
        );
      } else if (mismatch.kind === 'missing') {
        this.problems.add('MILLRACE_CONFIG_MISSING_KEY', mismatch.path, { owner, key, expected: mismatch.expected });
      } else {
        const { expected, actual, description } = mismatch;
        this.problems.add('MILLRACE_CONFIG_VALUE', mismatch.path, { owner, key, expected, actual, description });
      }
    }
    return found.length === 0;
  }

  private readInputs(id: string, inputs: unknown, path: string): InputDefinition[] {
    if (Array.isArray(inputs)) return inputs.map((input, index) => this.readInput(id, input, `${path}[${index}]`));
    if (inputs !== undefined) this.replaced.add(path);
    return [];
  }

  private readInput(id: string, input: unknown, path: string): InputDefinition {
    const { from, stream, grouping, fields, locality, custom, feedback, overflow }: JsonObject = isRecord(input)
      ? input
      : {};
    const groupingName = typeof grouping === 'string' ? grouping : null;
    if (groupingName === null) for (const key of ['fields', 'custom', 'locality']) this.replaced.add(`${path}.${key}`);
    if (fields !== undefined && !Array.isArray(fields)) this.replaced.add(`${path}.fields`);
    const names: readonly unknown[] = Array.isArray(fields) && groupingName !== null ? fields : [];
    const source = this.text(from, `${path}.from`);
    return {
      from: source,
      stream: stream === undefined ? DEFAULT_STREAM : this.text(stream, `${path}.stream`),
      grouping: (groupingName ?? 'all') as GroupingName,
      fields: names.map(nameOf),
      ...(locality !== undefined && { locality: locality as boolean }),
      ...(custom !== undefined && { custom: this.readGrouping(custom, id, source, path) }),
      ...(feedback !== undefined && { feedback: feedback as boolean }),
      ...(overflow !== undefined && { overflow: overflow as Overflow }),
    };
  }

  /** The grouping of that name among the exports of the artifact. */
  private readGrouping(name: unknown, component: string, source: string, path: string): CustomGroupingDefinition {
    const named = typeof name === 'string' ? this.groupings.get(name) : undefined;
    if (named !== undefined) return readCustom(named, component, source, path, this.problems);
    if (typeof name === 'string') {
      const known = [...this.groupings.keys()];
      const details = { component, source, grouping: shown(name), known: listed(known) };
      this.problems.add('MILLRACE_DOCUMENT_UNKNOWN_CUSTOM', `${path}.custom`, details, { name, known });
    }
    return { name: '', create: () => ({ choose: () => null }) };
  }

  private text(value: unknown, path: string): string {
    if (typeof value === 'string') return value;
    this.replaced.add(path);
    return nameOf(value);
  }
}

/** The rest of a path below another one, for messages; a single key stands there without its brackets. */
function keyBelow(base: string, path: string): string {
  const rest = path.slice(base.length).replace(/^\./, '');
  return /^\["(?<key>[^"\\]*)"\]$/.exec(rest)?.groups?.['key'] ?? rest;
}

function unusable(): never {
  throw new TypeError('a refused component was created');
}
