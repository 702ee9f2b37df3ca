// The types that a JSON topology may name: `file-lines`, `count`, … Each has the schema of its settings, from which a
// document is checked and documented, and makes the same component that its function makes in a TypeScript topology.
// Which types there are is decided by whoever reads the document; the model knows none. Types only, any thread.

import type { TSchema } from 'typebox';
import type { Bolt } from '../component/bolt.js';
import type { CustomGroupingSource } from '../component/custom-grouping.js';
import type { DynamicOutputs, Outputs } from '../component/spec.js';
import type { Spout } from '../component/spout.js';
import type { BoltBehavior, InputDefinition, OutputsByStream } from './definition.js';

/** One type of component. */
export interface ComponentType {
  /** What documents call it. */
  readonly type: string;
  readonly kind: 'spout' | 'bolt';
  /** One sentence for people. */
  readonly description: string;
  /**
   * Its settings: an object schema, with a description on each property and no additional ones. One that is open, as
   * for components of artifacts, takes anything.
   */
  readonly schema: TSchema;
  /** Which of its settings name files, one or a list: whoever runs other people's topologies confines these. */
  readonly paths?: readonly string[];
  /** Which of its settings name addresses that it listens on: whoever runs other people's topologies confines these. */
  readonly addresses?: readonly string[];
  /** What it emits, given its inputs and its checked settings where it depends on them. */
  readonly outputs: OutputsByStream | Exclude<Outputs, readonly string[]> | DynamicOutputs;
  /** Tasks where a document does not say. Default 1. */
  readonly parallelism?: number;
  /** How the engine treats its calls; the defaults where it does not say. */
  readonly behavior?: Partial<BoltBehavior>;
  /** Makes one instance a task, given the settings after every override and, for a bolt, what it subscribes to. */
  readonly create: (config: Readonly<Record<string, unknown>>, inputs: readonly InputDefinition[]) => Spout | Bolt;
}

/** Types by name. */
export type ComponentRegistry = ReadonlyMap<string, ComponentType>;

/** Custom groupings by the names of the exports of an artifact. */
export type GroupingRegistry = ReadonlyMap<string, CustomGroupingSource>;
