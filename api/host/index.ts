// What `import … from 'millrace/host'` gives: a host inside of a Node service.

export { Host, type SubmitOptions } from './host.js';
export type { HostOptions } from './options.js';
export { RunningTopology, type IngestOptions, type TopologyEnd } from './running.js';
export type {
  ArtifactInfo,
  ComponentDetails,
  ComponentError,
  HostHealth,
  HostMeasured,
  HostService,
  KeptParameters,
  KillRequest,
  RefusedReplacement,
  ReplacementBegun,
  ReplacementStage,
  ReplacementStatus,
  Submission,
  SubmissionMetrics,
  TopologyDetails,
  TopologyState,
  TopologySummary,
  WorkerSlot,
} from './service.js';
export type {
  ComponentSnapshot,
  Distributions,
  Recent,
  TaskSnapshot,
  TopologyMetrics,
  UserFigures,
  WindowName,
  WorkerSnapshot,
} from '../../engine/metrics/snapshot.js';
export type { Condition, ConditionState } from '../../engine/metrics/condition.js';
export type { Distribution } from '../../engine/metrics/histogram.js';
