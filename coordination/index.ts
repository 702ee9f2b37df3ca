// `millrace/coordination`: what processes agree on. Stores with one contract (a ZooKeeper ensemble, this process, a
// simulation), and recipes on the contract alone.

export type {
  AccessRule,
  CallOptions,
  ConnectOptions,
  CreateMode,
  CreateOptions,
  Credentials,
  Operation,
  OperationResult,
  Permission,
  Session,
  SessionEvent,
  SessionState,
  Stat,
  Store,
  StoreNode,
  Subscription,
} from './store/contract.js';
export { digestOf } from './store/access.js';
export { EmbeddedStore, type EmbeddedStoreOptions } from './store/embedded/embedded-store.js';
export type { Between, SimulatedFaults } from './store/simulated/faults.js';
export { SimulatedStore, type SimulatedStoreOptions } from './store/simulated/simulated-store.js';
export type { ConnectString, ServerAddress } from './store/zookeeper/connect-string.js';
export type { ZookeeperTls } from './store/zookeeper/dial.js';
export { ZookeeperStore, type ZookeeperStoreOptions } from './store/zookeeper/zookeeper-store.js';

export { SessionKeeper, type SessionKeeperOptions } from './store/session-keeper.js';
export { fromNode, toData } from './store/json-node.js';
export { childOf, nameOf, parentOf } from './store/node-path.js';
export { hasCode, isPassing, isSessionOver, operationOf } from './store/store-errors.js';

export * from './recipes/index.js';
export { TreeCache, type TreeCacheOptions, type TreeEvent } from './recipes/tree-cache.js';

export { RealClock, VirtualClock, type Clock, type Timer } from '../engine/clock.js';
export { MillraceError, isMillraceError, type ErrorCode } from '../engine/errors.js';
export type { Logger, LogLevel } from '../engine/log.js';
