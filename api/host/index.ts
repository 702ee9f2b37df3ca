// What `import … from 'millrace/host'` gives: a host inside of a Node service.

export { Host, type SubmitOptions } from './host.js';
export type { HostOptions } from './options.js';
export { RunningTopology, type IngestOptions, type TopologyEnd } from './running.js';
export type {
  ArtifactInfo,
  ComponentDetails,
  ComponentError,
  HostHealth,
  HostService,
  KillRequest,
  Submission,
  TopologyDetails,
  TopologyState,
  TopologySummary,
} from './service.js';
