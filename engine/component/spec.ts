// A component that is not written as a class in the topology itself: what a connector's function (`fileLines({ … })`)
// returns and `t.spout` / `t.bolt` take. It carries its type name, its settings and what it emits, so that the same
// component can be described, shown and written as JSON. Known by a brand and never by `instanceof`, because a bundle
// carries a copy of this module of its own. Pure: no schema library, any thread.

import type { BoltBehavior, Fields, InputDefinition, OutputsByStream } from '../model/definition.js';
import type { Bolt } from './bolt.js';
import type { Spout } from './spout.js';

/** Marks a spec, with its kind as value, across copies of this package. */
export const SPEC_BRAND = Symbol.for('millrace.component-spec');

/** The settings of one component. */
export type ComponentConfig = Readonly<Record<string, unknown>>;

/** The fields of a stream whose tuples go to the task that the emitter names: `{ direct: ['word'] }`. */
export interface DirectFields {
  readonly direct: Fields;
}

/** What a component emits: the field names of its default stream, or those of each stream by name. */
export type Outputs = readonly string[] | Readonly<Record<string, Fields | DirectFields>>;

/** What else is known when a component has to say what it emits. */
export interface OutputsSurroundings {
  /** The id of the component. */
  readonly component: string;
  /** The fields of the stream of each input, in the order of the inputs; null where they are not known. */
  readonly inputFields: readonly (Fields | null)[];
}

/**
 * What a component emits when that follows from what it is given, as the built-in `count` emits the key of its fields
 * grouping. The compiler then lets subscribers name any field; validation checks them.
 *
 * It may return null when that cannot be told because the fields of an input are not known. What it throws becomes a
 * problem of the topology; the problems of a `MillraceError`, with paths that start at the component, are listed one by
 * one.
 */
export type DynamicOutputs = (
  inputs: readonly InputDefinition[],
  config: ComponentConfig,
  around: OutputsSurroundings,
) => OutputsByStream | null;

/**
 * A spout with its settings, ready for `t.spout`.
 *
 * @typeParam S - the spout that it makes: the compiler reads the types of its values from `nextTuple`
 * @typeParam O - what it emits
 */
export interface SpoutSpec<S extends Spout = Spout, O extends Outputs | DynamicOutputs = Outputs | DynamicOutputs> {
  readonly [SPEC_BRAND]: 'spout';
  readonly type: string;
  readonly outputs: O;
  readonly config: ComponentConfig;
  /** Every key that `config` may have, so that a setting of an option that was left out is known; null when unknown. */
  readonly configKeys: readonly string[] | null;
  create(config: ComponentConfig): S;
}

/** A bolt with its settings, ready for `t.bolt`. */
export interface BoltSpec<B extends Bolt = Bolt, O extends Outputs | DynamicOutputs = Outputs | DynamicOutputs> {
  readonly [SPEC_BRAND]: 'bolt';
  readonly type: string;
  readonly outputs: O;
  readonly config: ComponentConfig;
  readonly configKeys: readonly string[] | null;
  /** How the engine treats its calls, unless the options of `t.bolt` say otherwise. */
  readonly behavior: Partial<BoltBehavior>;
  /** @param inputs - what the bolt subscribes to, which `count` takes its key from */
  create(config: ComponentConfig, inputs: readonly InputDefinition[]): B;
}

/** Any component with its settings. */
export type ComponentSpec = SpoutSpec | BoltSpec;

/** What {@link defineSpout} is given. */
export interface SpoutSpecParts<S extends Spout, O extends Outputs | DynamicOutputs> {
  /** The name of the type, as JSON topologies have it: `file-lines`. */
  readonly type: string;
  readonly outputs: O;
  /** Plain data. Default none. */
  readonly config?: ComponentConfig;
  /** Every key that `config` may have. Left out: the keys that it has are the only ones that settings can change. */
  readonly configKeys?: readonly string[];
  /** Makes one instance a task, given the settings after every override. */
  readonly create: (config: ComponentConfig) => S;
}

/** What {@link defineBolt} is given. */
export interface BoltSpecParts<B extends Bolt, O extends Outputs | DynamicOutputs> {
  readonly type: string;
  /** Default: it emits nothing. */
  readonly outputs?: O;
  readonly config?: ComponentConfig;
  readonly configKeys?: readonly string[];
  readonly behavior?: Partial<BoltBehavior>;
  /** Makes one instance a task, given the settings after every override and what the bolt subscribes to. */
  readonly create: (config: ComponentConfig, inputs: readonly InputDefinition[]) => B;
}

/** A bolt that emits nothing. */
export type NoOutputs = readonly [];

/** Makes a spout of a type and its settings into what `t.spout` takes. */
export function defineSpout<S extends Spout>(parts: SpoutSpecParts<S, DynamicOutputs>): SpoutSpec<S, DynamicOutputs>;
export function defineSpout<S extends Spout, const O extends Outputs | DynamicOutputs>(
  parts: SpoutSpecParts<S, O>,
): SpoutSpec<S, O>;
export function defineSpout<S extends Spout, O extends Outputs | DynamicOutputs>(
  parts: SpoutSpecParts<S, O>,
): SpoutSpec<S, O> {
  return {
    [SPEC_BRAND]: 'spout',
    type: parts.type,
    outputs: parts.outputs,
    config: parts.config ?? {},
    configKeys: parts.configKeys ?? null,
    create: (config) => parts.create(config),
  };
}

/** Makes a bolt of a type and its settings into what `t.bolt` takes. */
export function defineBolt<B extends Bolt>(
  parts: BoltSpecParts<B, DynamicOutputs> & { readonly outputs: DynamicOutputs },
): BoltSpec<B, DynamicOutputs>;
export function defineBolt<B extends Bolt, const O extends Outputs | DynamicOutputs = NoOutputs>(
  parts: BoltSpecParts<B, O>,
): BoltSpec<B, O>;
export function defineBolt<B extends Bolt, O extends Outputs | DynamicOutputs>(
  parts: BoltSpecParts<B, O>,
): BoltSpec<B, O> {
  return {
    [SPEC_BRAND]: 'bolt',
    type: parts.type,
    outputs: parts.outputs ?? ([] as unknown as O),
    config: parts.config ?? {},
    configKeys: parts.configKeys ?? null,
    behavior: parts.behavior ?? {},
    create: (config, inputs) => parts.create(config, inputs),
  };
}

/** Whether that is a component with its settings, of this or another copy of this package. */
export function isComponentSpec(value: unknown): value is ComponentSpec {
  if (typeof value !== 'object' || value === null) return false;
  const kind = (value as Partial<ComponentSpec>)[SPEC_BRAND];
  return kind === 'spout' || kind === 'bolt';
}
