// What the exports of an artifact are as types for JSON topologies: each component that a module exports is a type
// under the name of its export. Its settings pass through unchecked, because nothing says what they may be.
//
//   class with `nextTuple` or `execute`          spout or bolt; static `outputs` and `options` as in TypeScript
//   what defineSpout, defineBolt or a connector's function returned     what it says; its settings are the defaults
//   generator function, async generator function                        a spout, with `outputs` as its property
//   any other function                                                  a bolt, with `outputs` as its property
//
// Everything else (a default export, constants, helpers that are never named) is no type. Wherever documents are read:
// the thread that reads a definition, and each worker.

import { Type } from 'typebox';
import { SPEC_BRAND, isComponentSpec, type ComponentConfig, type Outputs } from '../component/spec.js';
import type { OutputsByStream } from './definition.js';
import { isClass, isDynamic, isRecord, readComponent, type ComponentKind } from './component-source.js';
import { readBehavior } from './drafts.js';
import { ProblemList } from './problems.js';
import type { ComponentRegistry, ComponentType } from './registry.js';

/** Settings of any kind. */
const anything = Type.Object({}, { description: 'Whatever the component takes.' });

/** The types that a module exports, by the names of the exports. */
export function exportedTypes(exports: Readonly<Record<string, unknown>>): ComponentRegistry {
  const types = Object.entries(exports).flatMap(([name, exported]) => {
    const kind = name === 'default' ? null : kindOf(exported);
    return kind === null ? [] : [typeOf(name, kind, exported)];
  });
  return new Map(types.flatMap((type) => (type === null ? [] : [[type.type, type] as const])));
}

function kindOf(exported: unknown): ComponentKind | null {
  if (isComponentSpec(exported)) return exported[SPEC_BRAND];
  if (typeof exported !== 'function') return null;
  if (isClass(exported)) {
    const { prototype } = exported as { readonly prototype: object };
    if ('nextTuple' in prototype) return 'spout';
    return 'execute' in prototype ? 'bolt' : null;
  }
  return /^(Async)?GeneratorFunction$/.test(exported.constructor.name) ? 'spout' : 'bolt';
}

function typeOf(type: string, kind: ComponentKind, exported: unknown): ComponentType | null {
  const isFunction = typeof exported === 'function' && !isClass(exported);
  const options = isFunction ? { outputs: (exported as { readonly outputs?: unknown }).outputs } : {};
  const parts = readComponent(kind, type, exported, options, type, new ProblemList());
  if (parts === null) return null;
  const { outputs, config: defaults, create } = parts;
  const withDefaults = (config: ComponentConfig): ComponentConfig => ({ ...defaults, ...config });
  const { parallelism } = parts.defaults;
  return {
    type,
    kind,
    description: `What the artifact exports as "${type}".`,
    schema: anything,
    // Whatever it is, reading the component says what is wrong with it.
    outputs: isDynamic(outputs)
      ? (inputs, config, around) => {
          const found: OutputsByStream | Outputs | null = outputs(inputs, withDefaults(config), around);
          return found === null ? null : (asStreams(found) as OutputsByStream);
        }
      : (outputs as ReturnType<typeof asStreams>),
    behavior: readBehavior(parts.defaults),
    ...(typeof parallelism === 'number' ? { parallelism } : {}),
    create: (config, inputs) => create(withDefaults(config), inputs),
  };
}

function asStreams(outputs: Outputs): Exclude<Outputs, readonly string[]> {
  return isRecord(outputs) ? outputs : { default: outputs };
}
