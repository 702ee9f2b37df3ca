// What the compiler knows of a topology: which streams a component emits, with which fields and which types of values.
// A handle carries this in properties that never exist at run time, and a subscription is an assignment to them: an
// unknown stream or field, or a stream whose values the bolt cannot take, does not compile. Types only.
//
//   class Split ─ outputs ──────► fields of each stream ┐
//               ─ Emit<D, N> ───► values of each stream ┴► Emitted ──► BoltHandle ── .shuffle(…) ──► execute(Tuple<I>)
//
// Where a component says nothing of its values (`Emit` without parameters) they fit every bolt that takes as many.

import type { SpoutContext } from '../component/context.js';
import type { CustomGroupingSource } from '../component/custom-grouping.js';
import type { Emit } from '../component/emit.js';
import type { Bolt } from '../component/bolt.js';
import type { BoltSpec, ComponentConfig, DynamicOutputs, Outputs, SpoutSpec } from '../component/spec.js';
import type { Spout } from '../component/spout.js';
import type { Tuple, Values } from '../component/tuple.js';
import type { Overflow } from './definition.js';

declare const FIELDS: unique symbol;
declare const VALUES: unique symbol;
declare const DEALT: unique symbol;

/** Options of a subscription that leads back. */
export interface FeedbackOptions {
  /**
   * What becomes of a tuple that is not tracked where the feedback is full: `fail` refuses it at the emitter, `drop`
   * drops and counts it. A tracked one fails its tree, so that its spout replays it. Default `fail`.
   */
  readonly overflow?: Overflow;
}

interface AnyStreamHandle<F extends string, V> {
  /** The id of the component that emits it. */
  readonly componentId: string;
  readonly streamName: string;
  /** For the compiler only. */
  readonly [FIELDS]?: F | undefined;
  /** For the compiler only. */
  readonly [VALUES]?: V | undefined;
}

/** One stream of one component: what a bolt subscribes to. */
export interface StreamHandle<F extends string = string, V = Values> extends AnyStreamHandle<F, V> {
  /** For the compiler only. */
  readonly [DEALT]?: 'by a grouping' | undefined;
  /**
   * The same stream, for a bolt whose tuples it comes from: each cycle names the subscription that leads back, and that
   * one never holds its sender. `a.shuffle(b.feedback())`, where `b` takes `a`.
   */
  feedback(options?: FeedbackOptions): StreamHandle<F, V>;
}

/** A stream whose tuples go to the task that its emitter names (`emit.direct`): what `.direct(source)` takes. */
export interface DirectStreamHandle<F extends string = string, V = Values> extends AnyStreamHandle<F, V> {
  /** For the compiler only. */
  readonly [DEALT]?: 'by its emitter' | undefined;
  /** As {@link StreamHandle.feedback}. */
  feedback(options?: FeedbackOptions): DirectStreamHandle<F, V>;
}

/** The streams of a component by name. */
export type EmittedStreams = Readonly<
  Record<string, StreamHandle<string, unknown> | DirectStreamHandle<string, unknown>>
>;

/** Stands for the values of a default stream that is not declared; fits no bolt. */
export interface NothingEmitted {
  readonly 'this component emits nothing on its default stream': never;
}

/** Stands in the way of a component whose `outputs` and `Emit` name different streams or numbers of values. */
export interface OutputsDisagree<S> {
  readonly 'the outputs do not fit the type parameters of Emit, on stream': S;
}

type DefaultFields<E> = E extends { readonly default: StreamHandle<infer F, unknown> } ? F : never;
type DefaultValues<E> = E extends { readonly default: StreamHandle<string, infer V> } ? V : NothingEmitted;

/** Options of a shuffle. */
export interface ShuffleOptions {
  /**
   * Tuples stay in the worker of their sender while its tasks keep up and its thread has time to spare. False: all
   * tasks get the same share from the start. Default true.
   */
  readonly locality?: boolean;
}

/** A component of a topology: stands for its default stream, and gives the others by name. */
export interface SourceHandle<E extends EmittedStreams> extends StreamHandle<DefaultFields<E>, DefaultValues<E>> {
  /** Another stream than the default one. */
  stream<S extends keyof E & string>(name: S): E[S];
}

/** A spout of a topology. */
export type SpoutHandle<E extends EmittedStreams = EmittedStreams> = SourceHandle<E>;

/**
 * A bolt of a topology, and where its inputs are stated: one call for each stream that it takes.
 *
 * @typeParam I - the values that its `execute` takes
 * @typeParam E - its streams
 */
export interface BoltHandle<
  I extends Values = Values,
  E extends EmittedStreams = EmittedStreams,
> extends SourceHandle<E> {
  /** Each tuple goes to one task, all getting the same share, but less those that fall behind. */
  shuffle(source: StreamHandle<string, I>, options?: ShuffleOptions): this;
  /** Tuples with equal values in these fields go to the same task. */
  fields<F extends string>(source: StreamHandle<F, I>, ...fields: readonly [NoInfer<F>, ...NoInfer<F>[]]): this;
  /** Each tuple goes to every task. */
  all(source: StreamHandle<string, I>): this;
  /** All tuples go to the first task. */
  global(source: StreamHandle<string, I>): this;
  /**
   * Tuples with equal values in these fields go to one of two tasks, the one that this sender gave less: a key that is
   * much more frequent than the others is worked on by two.
   */
  partialKey<F extends string>(source: StreamHandle<F, I>, ...fields: readonly [NoInfer<F>, ...NoInfer<F>[]]): this;
  /** Says that it does not matter which task gets a tuple: as `shuffle`. */
  none(source: StreamHandle<string, I>, options?: ShuffleOptions): this;
  /**
   * Each tuple goes to the task that its emitter names, in `emit.direct`. Only for streams that are declared direct.
   */
  direct(source: DirectStreamHandle<string, I>): this;
  /** As `shuffle`, among the tasks of the sender's own worker only, if there are any. */
  localOrShuffle(source: StreamHandle<string, I>): this;
  /** Each tuple goes to the tasks that the function, or an instance of the class, chooses. */
  custom<V extends I>(source: StreamHandle<string, V>, grouping: CustomGroupingSource<NoInfer<V>>): this;
}

// --- components as they are given
// -------------------------------------------------------------------------------------

/** A class of spouts; each task makes one, giving it the config. `outputs` is a static property. */
export type SpoutClass = new (config: never) => Spout;

/** A class of bolts; each task makes one, giving it the config. `outputs` and `options` are static properties. */
export type BoltClass = new (config: never) => Bolt;

/** A spout that is one function: called once a task, it gives the lists of values to emit, one after another. */
export type IterableFunction = (
  context: SpoutContext,
) => Iterable<Values | []> | AsyncIterable<Values | []> | Promise<Iterable<Values | []> | AsyncIterable<Values | []>>;

interface AnyBoltFunction {
  // A method, so that a function which takes narrower tuples fits.
  call(tuple: Tuple, emit: Emit): void | Promise<void>;
}

/** What `t.spout` takes. */
export type SpoutSource = SpoutClass | SpoutSpec | IterableFunction;

/** What `t.bolt` takes. */
export type BoltSource = BoltClass | BoltSpec | AnyBoltFunction['call'];

interface SpoutOf<V extends Values> {
  nextTuple(emit: Emit<V>): void;
}

interface BoltOf<T, E> {
  execute(tuple: T, emit: E): void;
}

type Item<R> = R extends Iterable<infer V> | AsyncIterable<infer V> ? (V extends Values ? V : Values) : Values;

/** The instance behind whatever `t.spout` or `t.bolt` is given. */
type InstanceOf<C> = C extends new (config: never) => infer I
  ? I
  : C extends { create(config: never, inputs: never): infer I }
    ? I
    : C extends (
          context: never,
        ) => Iterable<Values> | AsyncIterable<Values> | Promise<Iterable<Values> | AsyncIterable<Values>>
      ? SpoutOf<Item<Awaited<ReturnType<C>>>>
      : C extends (tuple: infer T, emit: infer E) => void | Promise<void>
        ? BoltOf<T, E>
        : never;

/** What its constructor takes; any settings when it takes none, for they reach it as `context.config` too. */
export type ConfigOf<C> = C extends new (config: infer G) => unknown
  ? unknown extends G
    ? ComponentConfig
    : G
  : ComponentConfig;

/** Whether it cannot be made without a config. */
export type NeedsConfig<C> = C extends new () => unknown
  ? false
  : C extends new (config: infer G) => unknown
    ? Readonly<Record<never, never>> extends G
      ? false
      : true
    : false;

// --- what it takes
// ----------------------------------------------------------------------------------------------------

type ValuesIn<T> = T extends Tuple<infer V> ? V : Values;

/** The values that a bolt's `execute` takes. */
export type InputOf<C> = InstanceOf<C> extends { execute(tuple: infer T, emit: never): unknown } ? ValuesIn<T> : Values;

// --- what it emits
// ----------------------------------------------------------------------------------------------------

type EmitOfExecute<I> = I extends { execute(tuple: never, emit: infer E): unknown } ? E : never;
type EmitOfNextTuple<I> = I extends { nextTuple(emit: infer E): unknown } ? E : never;
type EmitOfTick<I> = I extends { tick?(emit: infer E): unknown } ? E : never;
type EmitOfFinish<I> = I extends { finish?(emit: infer E): unknown } ? E : never;
/** Every `Emit` that a component's methods take. */
type EmitsOf<I> = EmitOfExecute<I> | EmitOfNextTuple<I> | EmitOfTick<I> | EmitOfFinish<I>;

/** Values that are not just any values; never for those, which is how the methods that were not overridden drop out. */
type Stated<V> = Values extends V ? never : V;
type DefaultOf<E> = E extends Emit<infer D, infer _N> ? Stated<D> : never;
type NamedOf<E, S> = E extends Emit<infer _D, infer N> ? (S extends keyof N ? Stated<N[S]> : never) : never;
type NamesOf<E> = E extends Emit<infer _D, infer N> ? (string extends keyof N ? never : keyof N) : never;

/** The stated values of a stream; never when none are. */
type StatedOn<I, S> = S extends 'default' ? DefaultOf<EmitsOf<I>> : NamedOf<EmitsOf<I>, S>;

type Mutable<V> = V extends Values ? { -readonly [K in keyof V]: V[K] } : never;
type AnyOfLength<F extends readonly string[]> = number extends F['length']
  ? never
  : { -readonly [K in keyof F]: never };
type ValuesOn<I, S, F extends readonly string[]> = [StatedOn<I, S>] extends [never]
  ? AnyOfLength<F>
  : Mutable<StatedOn<I, S>>;

/** The field names of one stream, dealt by groupings or direct. */
type FieldsIn<D> = D extends readonly string[]
  ? D
  : D extends { readonly direct: infer F extends readonly string[] }
    ? F
    : never;

/** Field names by stream, however the outputs are written. */
type ByStream<O> = O extends readonly string[]
  ? O extends readonly []
    ? Readonly<Record<never, never>>
    : { readonly default: O }
  : O;

/** The outputs of a component, else those in the options of a function. */
type OutputsOf<C, O> = C extends { readonly outputs: infer S } ? S : O;

type StreamsOf<I, B> = {
  readonly [S in keyof B & string]: B[S] extends readonly string[]
    ? StreamHandle<B[S][number], ValuesOn<I, S, B[S]>>
    : B[S] extends { readonly direct: infer F extends readonly string[] }
      ? DirectStreamHandle<F[number], ValuesOn<I, S, F>>
      : StreamHandle<never, NothingEmitted>;
};

type DynamicStream<I> = StreamHandle<string, ValuesOn<I, 'default', readonly string[]>>;
type Dynamic<I> = Readonly<Record<string, DynamicStream<I>>> & { readonly default: DynamicStream<I> };

/** The streams of a component, with their fields and values. */
export type EmittedBy<C, O> =
  OutputsOf<C, O> extends (...given: never) => unknown
    ? Dynamic<InstanceOf<C>>
    : StreamsOf<InstanceOf<C>, ByStream<OutputsOf<C, O>>>;

type SameLength<V, F> = [V] extends [never]
  ? true
  : V extends Values
    ? F extends readonly string[]
      ? number extends F['length'] | V['length']
        ? true
        : V['length'] extends F['length']
          ? true
          : false
      : false
    : false;

type StatedNames<I> = NamesOf<EmitsOf<I>> | ([DefaultOf<EmitsOf<I>>] extends [never] ? never : 'default');
type Disagreeing<I, B> = {
  [S in (keyof B & string) | (StatedNames<I> & string)]: S extends keyof B
    ? false extends SameLength<StatedOn<I, S>, FieldsIn<B[S]>>
      ? S
      : never
    : S;
}[(keyof B & string) | (StatedNames<I> & string)];

/** Nothing to add to a component whose outputs fit its `Emit`, else something that it does not have. */
export type Agrees<C, O> =
  OutputsOf<C, O> extends (...given: never) => unknown
    ? unknown
    : [Disagreeing<InstanceOf<C>, ByStream<OutputsOf<C, O>>>] extends [never]
      ? unknown
      : OutputsDisagree<Disagreeing<InstanceOf<C>, ByStream<OutputsOf<C, O>>>>;

/** What the options of a component may state as its outputs: those of a function only. */
export type OutputsOption<C, O extends Outputs> = C extends { readonly outputs: Outputs | DynamicOutputs }
  ? { readonly outputs?: never }
  : { readonly outputs?: O };
