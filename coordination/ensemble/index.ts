// A real ZooKeeper ensemble on this machine, for tests and for trying things out.

export { Ensemble, serves, type ServerChoice, type ServerState, type ServerStatus } from './ensemble.js';
export { ENSEMBLE_SIZES, type EnsembleOptions } from './options.js';
export { findZooKeeper, type Installation } from './installation.js';
export { startEnsemble, type StartedEnsemble } from './start.js';
export type { EnsembleRoute, EnsembleServer, EnsembleTls } from './configuration.js';
