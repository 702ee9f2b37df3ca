// The root entry `millrace`: all that a topology in TypeScript needs. It is bundled into the code of users and loaded
// by every worker, so it stays light: no server, no schema library, nothing of the engine that runs topologies. Any
// thread.

export { AckedOffsets } from './component/acked-offsets.js';
export { Bolt } from './component/bolt.js';
export type { BoltFunction } from './component/bolt.js';
export type {
  BoltContext,
  ComponentContext,
  ComponentMetrics,
  Counter,
  Gauge,
  UserHistogram,
  SpoutContext,
} from './component/context.js';
export type { ChooseTasks, Chosen, CustomGrouping, CustomGroupingSource } from './component/custom-grouping.js';
export { DEAD_LETTER, deadLetterOf, deadLetterOutput } from './component/dead-letter.js';
export type { DeadLetter, GivenUp } from './component/dead-letter.js';
export { registerExtension } from './component/extension.js';
export type { Extension } from './component/extension.js';
export type { Emit, EmitOptions } from './component/emit.js';
export { iterableSpout } from './component/iterable-spout.js';
export type { IterableSpoutOptions, ValuesIterable, ValuesSource } from './component/iterable-spout.js';
export { Replay } from './component/replay.js';
export type { Due, ReplayOptions } from './component/replay.js';
export { defineBolt, defineSpout } from './component/spec.js';
export type {
  BoltSpec,
  BoltSpecParts,
  ComponentConfig,
  DirectFields,
  DynamicOutputs,
  NoOutputs,
  Outputs,
  OutputsSurroundings,
  SpoutSpec,
  SpoutSpecParts,
} from './component/spec.js';
export { Spout } from './component/spout.js';
export type { FailCause, NextTuple, TreeFailure } from './component/spout.js';
export type { Tuple, Values } from './component/tuple.js';
export { MillraceError, isMillraceError } from './errors.js';
export type { ErrorCode, Problem } from './errors.js';
export type { Logger, LogLevel } from './log.js';
export { topology } from './model/builder.js';
export type {
  BoltOptions,
  FunctionSpoutOptions,
  SpoutOptions,
  TopologyBuilder,
  TopologyOptions,
} from './model/builder.js';
export type { TopologySettings } from './model/config.js';
export { isTopology } from './model/definition.js';
export type {
  BoltBehavior,
  ComponentDefinition,
  CustomGroupingDefinition,
  GroupingName,
  InputDefinition,
  OutputsByStream,
  Overflow,
  Topology,
  TopologyConfig,
} from './model/definition.js';
export type { Duration } from './model/duration.js';
export type { ParameterValues } from './model/parameters.js';
export type {
  BoltClass,
  BoltHandle,
  BoltSource,
  DirectStreamHandle,
  FeedbackOptions,
  ShuffleOptions,
  SpoutClass,
  SpoutHandle,
  SpoutSource,
  StreamHandle,
} from './model/streams.js';
