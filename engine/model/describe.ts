// A topology as plain data: what is shown, sent to workers and compared by them. Everything that can be JSON is in it
// as it is; what cannot (a function in a config) is in it as text, so that the description of a topology is the same in
// every thread that reads the same module. Pure, any thread.

import { VALUE_DEPTH_MAX } from '../limits.js';
import { defaultConfig } from './config.js';
import type {
  BoltBehavior,
  ComponentDefinition,
  InputDefinition,
  OutputsByStream,
  Topology,
  TopologyConfig,
} from './definition.js';

interface DescriptionBase {
  readonly id: string;
  readonly parallelism: number;
  readonly outputs: OutputsByStream;
  /** Left out when none of its streams is direct. */
  readonly directStreams?: readonly string[];
  /** Left out when it may run on any host. */
  readonly labels?: readonly string[];
  /** Left out when it may be beside all. */
  readonly apart?: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A subscription with the name of its custom grouping instead of what makes it. */
export interface InputDescription extends Omit<InputDefinition, 'custom'> {
  readonly custom?: string;
}

export interface SpoutDescription extends DescriptionBase {
  readonly kind: 'spout';
}

export interface BoltDescription extends DescriptionBase {
  readonly kind: 'bolt';
  readonly inputs: readonly InputDescription[];
  readonly behavior: BoltBehavior;
}

export type ComponentDescription = SpoutDescription | BoltDescription;

/** A topology without what makes its instances; safe for JSON and ports. */
export interface TopologyDescription {
  readonly name: string;
  readonly version: string | null;
  readonly config: TopologyConfig;
  readonly components: readonly ComponentDescription[];
}

/** Describes a topology. */
export function describe(topology: Topology): TopologyDescription {
  const { name, version, config, components } = topology;
  const { workers, messageTimeoutMs, maxSpoutPending, tracking, keyGroups } = config;
  const { stallTimeoutMs, workerHeapMb, workerBuffersMb, placement } = configOf(config);
  const { hostLabels, priority, autoRebalance } = configOf(config);
  return {
    name,
    version,
    config: {
      workers,
      messageTimeoutMs,
      maxSpoutPending,
      tracking,
      keyGroups,
      stallTimeoutMs,
      workerHeapMb,
      workerBuffersMb,
      placement,
      hostLabels: [...hostLabels],
      priority,
      autoRebalance,
    },
    components: components.map(describeComponent),
  };
}

/** The description as one of this version: what an older one wrote lacks settings that it did not know. */
export function upToDate(description: TopologyDescription): TopologyDescription {
  return { ...description, config: configOf(description.config) };
}

/** A bundle brings the version of this package that it was made with: its topology may lack newer settings. */
function configOf(config: Partial<TopologyConfig>): TopologyConfig {
  return { ...defaultConfig, ...config };
}

function describeComponent(component: ComponentDefinition): ComponentDescription {
  const { id, parallelism } = component;
  const outputs = Object.fromEntries(
    Object.entries(component.outputs).map(([stream, fields]) => [stream, [...fields]]),
  );
  const config = plain(component.config, []) as Readonly<Record<string, unknown>>;
  const { directStreams = [] } = component;
  const { labels = [], apart } = component;
  const where = {
    ...(directStreams.length > 0 && { directStreams: [...directStreams] }),
    ...(labels.length > 0 && { labels: [...labels] }),
    ...(apart !== undefined && { apart }),
  };
  if (component.kind === 'spout') return { kind: 'spout', id, parallelism, outputs, ...where, config };
  const inputs = component.inputs.map(describeInput);
  const { manualAck, concurrency, ordered, tickMs, callTimeoutMs } = component.behavior;
  return {
    kind: 'bolt',
    id,
    parallelism,
    outputs,
    ...where,
    config,
    inputs,
    behavior: { manualAck, concurrency, ordered, tickMs, callTimeoutMs },
  };
}

function describeInput(input: InputDefinition): InputDescription {
  const { from, stream, grouping, fields, locality, custom, feedback, overflow } = input;
  return {
    from,
    stream,
    grouping,
    fields: [...fields],
    ...(locality !== undefined && { locality }),
    ...(custom !== undefined && { custom: custom.name }),
    ...(feedback !== undefined && { feedback }),
    ...(overflow !== undefined && { overflow }),
  };
}

/** That value as JSON would have it, or as text where JSON has nothing for it. */
function plain(value: unknown, inside: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : `[${value}]`;
    case 'bigint':
      return `[${value}n]`;
    case 'undefined':
      return undefined;
    case 'function':
      return `[function ${value.name}]`;
    case 'symbol':
      return `[${String(value)}]`;
    default:
      return value === null ? null : plainObject(value as object, inside);
  }
}

function plainObject(value: object, inside: readonly object[]): unknown {
  if (inside.includes(value)) return '[circular]';
  if (inside.length >= VALUE_DEPTH_MAX) return '[deep]';
  const within = [...inside, value];
  const item = (each: unknown): unknown => plain(each, within) ?? null;
  if (Array.isArray(value)) return value.map(item);
  if (value instanceof Date) return `[date ${value.getTime()}]`;
  if (value instanceof RegExp) return `[${String(value)}]`;
  if (value instanceof Map) return { '[map]': [...value].map(item) };
  if (value instanceof Set) return { '[set]': [...value].map(item) };
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { [`[${value.constructor.name}]`]: [...bytes] };
  }
  const entries = Object.entries(value).map(([key, each]) => [key, plain(each, within)] as const);
  return Object.fromEntries(entries.filter(([, each]) => each !== undefined));
}

/** JSON with the keys of every object sorted: equal for equal data, so that it can be compared and hashed. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(
      Object.entries(each).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)),
    );
  });
}
