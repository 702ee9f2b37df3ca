// The components of a JSON document: each entry of `spouts` and `bolts` is read into a draft, whatever is wrong with
// it. A value that validation can speak about is kept as it stands; one that has no place in a draft is replaced, after
// the schema has reported it. Pure, any thread.

import type { ComponentConfig } from '../component/spec.js';
import type { ComponentKind } from './component-source.js';
import { isDynamic, isRecord, readOutputs } from './component-source.js';
import type { GroupingName, InputDefinition } from './definition.js';
import { DEFAULT_STREAM } from './definition.js';
import type { ComponentDraft } from './drafts.js';
import { defaultBehavior, readBehavior } from './drafts.js';
import { componentPath, nameOf } from './names.js';
import type { ProblemList } from './problems.js';
import type { ComponentRegistry, ComponentType } from './registry.js';
import { mismatches, propertyNames } from './shape.js';
import { listed } from './suggest.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** The components of a document, spouts first, in their order. */
export function documentDrafts(
  document: JsonObject,
  registry: ComponentRegistry,
  problems: ProblemList,
  replaced: Set<string>,
): readonly ComponentDraft[] {
  const reader = new ComponentReader(registry, problems, replaced);
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
  private readonly problems: ProblemList;
  private readonly replaced: Set<string>;

  constructor(registry: ComponentRegistry, problems: ProblemList, replaced: Set<string>) {
    this.registry = registry;
    this.problems = problems;
    this.replaced = replaced;
  }

  read(kind: ComponentKind, id: string, entry: unknown): ComponentDraft {
    const path = componentPath(kind, id);
    const isEntry = isRecord(entry);
    const { type: typeName, parallelism, config, inputs, callTimeout }: JsonObject = isEntry ? entry : {};
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
      inputs: this.readInputs(inputs, `${path}.inputs`),
    };
    if (type === null) {
      return {
        ...common,
        outputs: {},
        outputsKnown: false,
        configKeys: null,
        behavior: defaultBehavior,
        create: unusable,
      };
    }
    const { outputs } = type;
    return {
      ...common,
      outputs: isDynamic(outputs) ? outputs : readOutputs(outputs, id, `${path}.outputs`, this.problems),
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

  private readInputs(inputs: unknown, path: string): InputDefinition[] {
    if (Array.isArray(inputs)) return inputs.map((input, index) => this.readInput(input, `${path}[${index}]`));
    if (inputs !== undefined) this.replaced.add(path);
    return [];
  }

  private readInput(input: unknown, path: string): InputDefinition {
    const { from, stream, grouping, fields }: JsonObject = isRecord(input) ? input : {};
    const groupingName = typeof grouping === 'string' ? grouping : null;
    if (groupingName === null) this.replaced.add(`${path}.fields`);
    if (fields !== undefined && !Array.isArray(fields)) this.replaced.add(`${path}.fields`);
    const names: readonly unknown[] = Array.isArray(fields) && groupingName !== null ? fields : [];
    return {
      from: this.text(from, `${path}.from`),
      stream: stream === undefined ? DEFAULT_STREAM : this.text(stream, `${path}.stream`),
      grouping: (groupingName ?? 'all') as GroupingName,
      fields: names.map(nameOf),
    };
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
