// What a topology is, once it is built and checked: plain data, and for each component a function that makes an
// instance. A worker imports the module that made it, so nothing in here is ever serialised but `describe()`
// (describe.ts). Pure: no node:* imports, any thread.

import type { Bolt } from '../component/bolt.js';
import type { CustomGrouping } from '../component/custom-grouping.js';
import type { Spout } from '../component/spout.js';
import type { ProblemList } from './problems.js';

/** Marks a topology across copies of this package: a bundle carries its own. */
export const TOPOLOGY_BRAND = Symbol.for('millrace.topology');

/** The name of the stream that is meant when none is named. */
export const DEFAULT_STREAM = 'default';

/** The groupings by name: the rule by which a stream's tuples are dealt to the tasks of a subscriber. */
export const GROUPINGS = [
  'shuffle',
  'fields',
  'partial-key',
  'all',
  'global',
  'none',
  'direct',
  'local-or-shuffle',
  'custom',
] as const;
export type GroupingName = (typeof GROUPINGS)[number];

/** What becomes of a tuple that a full feedback edge has no room for. */
export const OVERFLOWS = ['fail', 'drop'] as const;
export type Overflow = (typeof OVERFLOWS)[number];

/** Where tasks go that whole rounds over the workers leave over. */
export const PLACEMENTS = ['together', 'spread'] as const;
export type Placement = (typeof PLACEMENTS)[number];

/** The names of a stream's fields, in order. */
export type Fields = readonly string[];

/** Field names by stream name. */
export type OutputsByStream = Readonly<Record<string, Fields>>;

/** A grouping that somebody wrote, by name, and how an instance of it is made for one sending task. */
export interface CustomGroupingDefinition {
  /** What errors call it. */
  readonly name: string;
  readonly create: () => CustomGrouping;
}

/** One subscription: a bolt takes this stream of that component, dealt by this grouping. */
export interface InputDefinition {
  readonly from: string;
  readonly stream: string;
  readonly grouping: GroupingName;
  /** The key, for `fields` and `partial-key`; empty for all others. */
  readonly fields: Fields;
  /** For `shuffle` and `none`: prefer tasks of the sender's worker while that keeps up. Default true. */
  readonly locality?: boolean;
  /** For `custom` only. */
  readonly custom?: CustomGroupingDefinition;
  /** It leads tuples back and closes a cycle: it never holds its sender. Default false. */
  readonly feedback?: boolean;
  /**
   * For feedback, once it is full: `fail` refuses a tuple that is not tracked, `drop` drops it. A tracked one fails its
   * tree. Default `fail`.
   */
  readonly overflow?: Overflow;
}

/** How the engine treats a bolt's calls. */
export interface BoltBehavior {
  /** The bolt acks and fails by hand. Default false. */
  readonly manualAck: boolean;
  /** How many asynchronous calls may be under way at once in one task. Default 1. */
  readonly concurrency: number;
  /** With concurrency above 1: what calls emit leaves in the order of their inputs. Default false. */
  readonly ordered: boolean;
  /** Milliseconds between ticks, or null for none. Default null. */
  readonly tickMs: number | null;
  /**
   * Milliseconds after which an asynchronous call of `execute` or `tick` is given up, or null for never. Default null.
   */
  readonly callTimeoutMs: number | null;
}

interface ComponentBase {
  readonly id: string;
  readonly parallelism: number;
  readonly outputs: OutputsByStream;
  /** Those of its streams whose tuples go to the task that the emitter names. Default none. */
  readonly directStreams?: readonly string[];
  /** Its tasks run only on hosts that have all of these labels. Left out: on any. */
  readonly labels?: readonly string[];
  /** No task of it runs on a host with a task of the component with that id. Left out: it may be beside all. */
  readonly apart?: string;
  /** Reaches the component as `context.config`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Every key that settings may give `config`; left out or null: the ones that it has. */
  readonly configKeys?: readonly string[] | null;
  /**
   * Gives the outputs where they follow from the settings and the fields of the inputs, in their order (undefined:
   * leave that input out); null, with problems where it is its own fault, when they cannot be told.
   */
  readonly outputsFor?: (
    config: Readonly<Record<string, unknown>>,
    inputFields: readonly (Fields | null | undefined)[],
    problems: ProblemList,
  ) => OutputsByStream | null;
}

export interface SpoutDefinition extends ComponentBase {
  readonly kind: 'spout';
  /** It is known to emit without ids. Default false. */
  readonly untracked?: boolean;
  /** Makes one instance, given its settings after every override. */
  readonly create: (config: Readonly<Record<string, unknown>>) => Spout;
}

export interface BoltDefinition extends ComponentBase {
  readonly kind: 'bolt';
  readonly inputs: readonly InputDefinition[];
  readonly behavior: BoltBehavior;
  /** Makes one instance, given its settings after every override. */
  readonly create: (config: Readonly<Record<string, unknown>>) => Bolt;
}

export type ComponentDefinition = SpoutDefinition | BoltDefinition;

/** Settings of a whole topology, with their defaults filled in. */
export interface TopologyConfig {
  /** Workers to spread the tasks over. Default 1. */
  readonly workers: number;
  /** Milliseconds without progress after which an open tree fails, or null for never. Default 30,000. */
  readonly messageTimeoutMs: number | null;
  /** Open trees at which a spout task rests, or null for the engine's own bound only. Default null. */
  readonly maxSpoutPending: number | null;
  /** Whether trees are tracked at all; without it `ack(id)` follows each emit. Default true. */
  readonly tracking: boolean;
  /** Into how many groups keys are hashed; no component with fields grouping can have more tasks. Default 1,024. */
  readonly keyGroups: number;
  /**
   * Milliseconds after which a worker that never lets go of its thread is replaced, or null for never. Default 10,000.
   */
  readonly stallTimeoutMs: number | null;
  /** Heap at which a worker is replaced, or null for its share of the machine's memory. Default null. */
  readonly workerHeapMb: number | null;
  /** Memory in buffers at which a worker is replaced, or null for its share of the machine's. Default null. */
  readonly workerBuffersMb: number | null;
  /**
   * Where tasks go that whole rounds over the workers leave over: beside what they take from (`together`), or where the
   * fewest tasks are (`spread`). Default `together`.
   */
  readonly placement: Placement;
  /** All of it runs only on hosts that have all of these labels. Default none: on any. */
  readonly hostLabels: readonly string[];
  /** Higher ones get slots first, and take them from lower ones that run. Default 0. */
  readonly priority: number;
  /** It spreads onto hosts that come by itself. Default false. */
  readonly autoRebalance: boolean;
}

export interface Topology {
  readonly [TOPOLOGY_BRAND]: 1;
  readonly name: string;
  readonly version: string | null;
  readonly config: TopologyConfig;
  /** In the order in which they were defined. */
  readonly components: readonly ComponentDefinition[];
}

export function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && (value as Partial<Topology>)[TOPOLOGY_BRAND] === 1;
}
