// `millrace/client`: talk to a host over HTTP.

export { MillraceClient, type CallOptions, type ClientOptions } from './client.js';
export type {
  ArtifactInfo,
  ComponentDetails,
  ComponentError,
  HostHealth,
  HostState,
  HostSummary,
  KeptParameters,
  KillRequest,
  RefusalSummary,
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
} from '../host/service.js';
export type { Plan, TaskPlan } from '../../engine/plan/plan.js';
export type { Latency } from '../../engine/metrics/histogram.js';
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
export {
  isMillraceError,
  type ErrorCode,
  type MillraceError,
  type Problem,
  type WireError,
} from '../../engine/errors.js';
