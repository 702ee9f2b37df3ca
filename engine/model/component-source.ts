// Reads what `t.spout` and `t.bolt` are given: a class, a spec, or a function, all made into the same parts. Told apart
// by what they are, never by `instanceof`: a bundle carries copies of `Spout` and `Bolt` of its own. Pure, any thread.

import type { Bolt, BoltFunction } from '../component/bolt.js';
import { FunctionBolt } from '../component/function-bolt.js';
import type { IterableSpoutOptions, ValuesSource } from '../component/iterable-spout.js';
import { iterableSpout } from '../component/iterable-spout.js';
import type { ComponentConfig, DirectFields, DynamicOutputs } from '../component/spec.js';
import { SPEC_BRAND, isComponentSpec } from '../component/spec.js';
import type { Spout } from '../component/spout.js';
import type { InputDefinition, OutputsByStream } from './definition.js';
import { DEFAULT_STREAM } from './definition.js';
import { keyPath, shown } from './names.js';
import type { ProblemList } from './problems.js';

export type ComponentKind = 'spout' | 'bolt';

/** Makes one instance of a component, given its settings and, for a bolt, what it subscribes to. */
export type CreateComponent = (config: ComponentConfig, inputs: readonly InputDefinition[]) => Spout | Bolt;

/** A component before it stands in a topology. */
export interface ComponentParts {
  /** As given: to be read by {@link readOutputs}. */
  readonly outputs: unknown;
  readonly config: ComponentConfig;
  readonly configKeys: readonly string[] | null;
  /** Options that hold where `t.spout` or `t.bolt` is given none: behaviour, parallelism. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly create: CreateComponent;
}

const EXPECTED: Readonly<Record<ComponentKind, string>> = {
  spout: 'give a class that extends Spout, what a connector such as fileLines() returned, or a generator function',
  bolt: 'give a class that extends Bolt, what a connector such as log() returned, or a function (tuple, emit) => …',
};

type AnyClass = (new (config: ComponentConfig) => Spout | Bolt) & {
  readonly outputs?: unknown;
  readonly options?: unknown;
};

/** The parts of what was given, or null (and a problem) when it is no such component. */
export function readComponent(
  kind: ComponentKind,
  id: string,
  given: unknown,
  options: Readonly<Record<string, unknown>>,
  path: string,
  problems: ProblemList,
): ComponentParts | null {
  const refuse = (what: string): null => {
    const details = { component: id, kind, what, expected: EXPECTED[kind] };
    problems.add('MILLRACE_TOPOLOGY_COMPONENT', path, details);
    return null;
  };
  if (isComponentSpec(given)) {
    if (given[SPEC_BRAND] !== kind) return refuse(`"${given.type}" is a ${given[SPEC_BRAND]}`);
    refuseOutputs(options, 'a component of this type has', id, path, problems);
    const defaults = given[SPEC_BRAND] === 'bolt' ? behaviorDefaults(given.behavior) : {};
    const { outputs, config, configKeys } = given;
    return { outputs, config, configKeys, defaults, create: (settings, inputs) => given.create(settings, inputs) };
  }
  if (typeof given !== 'function') return refuse(`it is ${shown(given)}`);
  const call = kind === 'spout' ? 'nextTuple' : 'execute';
  if (isClass(given)) {
    const prototype = given.prototype as Readonly<Record<string, unknown>>;
    const otherKind = kind === 'spout' ? 'bolt' : 'spout';
    const otherCall = kind === 'spout' ? 'execute' : 'nextTuple';
    if (!(call in prototype) && otherCall in prototype) return refuse(`class ${given.name} is a ${otherKind}`);
    if (given.outputs !== undefined) refuseOutputs(options, `class ${given.name} has`, id, path, problems);
    const defaults = isRecord(given.options) ? given.options : {};
    const outputs = given.outputs ?? options['outputs'];
    return { outputs, config: {}, configKeys: null, defaults, create: (config) => new given(config) };
  }
  const outputs = options['outputs'];
  const common = { outputs, config: {}, configKeys: null, defaults: {} };
  if (kind === 'bolt') return { ...common, create: () => new FunctionBolt(given as BoltFunction) };
  const iteration: IterableSpoutOptions = {
    ...(typeof options['tracked'] === 'boolean' && { tracked: options['tracked'] }),
    ...(typeof options['pendingMax'] === 'number' && { pendingMax: options['pendingMax'] }),
    ...(typeof options['retries'] === 'number' && { retries: options['retries'] }),
  };
  return { ...common, create: () => iterableSpout(given as ValuesSource, iteration) };
}

function refuseOutputs(
  options: Readonly<Record<string, unknown>>,
  owner: string,
  id: string,
  path: string,
  problems: ProblemList,
): void {
  if (options['outputs'] === undefined) return;
  const what = `${owner} outputs of its own, which the options cannot change`;
  problems.add('MILLRACE_TOPOLOGY_OUTPUTS', `${path}.outputs`, { component: id, what });
}

function behaviorDefaults(behavior: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { tickMs, callTimeoutMs, ...others } = behavior;
  return {
    ...others,
    ...(tickMs !== undefined && { tickEvery: tickMs }),
    ...(callTimeoutMs !== undefined && { callTimeout: callTimeoutMs }),
  };
}

/**
 * Field names by stream of whatever was given as outputs; what is none is reported and left out. The result has no
 * prototype, so that a stream called `constructor` is there only when it was declared.
 *
 * @param direct - takes the names of direct streams; left out: there can be none
 */
export function readOutputs(
  given: unknown,
  id: string,
  path: string,
  problems: ProblemList,
  direct?: string[],
): OutputsByStream {
  const outputs = Object.create(null) as Record<string, readonly string[]>;
  const add = (stream: string, fields: unknown, fieldsPath: string): void => {
    // Wrong names of fields are the business of validation, which shows them.
    if (Array.isArray(fields)) {
      outputs[stream] = [...(fields as readonly string[])];
    } else if (direct !== undefined && isDirectFields(fields)) {
      outputs[stream] = [...fields.direct];
      direct.push(stream);
    } else {
      const what = `those of stream "${stream}" are ${shown(fields)}`;
      problems.add('MILLRACE_TOPOLOGY_OUTPUTS', fieldsPath, { component: id, what });
    }
  };
  if (given === undefined || given === null) return outputs;
  if (Array.isArray(given)) {
    if (given.length > 0) add(DEFAULT_STREAM, given, path);
  } else if (isRecord(given)) {
    for (const [stream, fields] of Object.entries(given)) add(stream, fields, keyPath(path, stream));
  } else {
    problems.add('MILLRACE_TOPOLOGY_OUTPUTS', path, { component: id, what: `they are ${shown(given)}` });
  }
  return outputs;
}

function isDirectFields(value: unknown): value is DirectFields {
  return isRecord(value) && Array.isArray(value['direct']) && Object.keys(value).length === 1;
}

export function isDynamic(outputs: unknown): outputs is DynamicOutputs {
  return typeof outputs === 'function';
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether that is a class, or a function that is used as one of components. */
export function isClass(value: unknown): value is AnyClass {
  if (typeof value !== 'function') return false;
  if (/^class\b/.test(Function.prototype.toString.call(value))) return true;
  const prototype: unknown = value.prototype;
  return isRecord(prototype) && ('execute' in prototype || 'nextTuple' in prototype);
}
