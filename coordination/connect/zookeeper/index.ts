// `millrace/connect/zookeeper`: the changes of nodes as a spout, writes of nodes as a bolt. Light until they run: the
// client is loaded when a task opens. Any thread.

import type { deadLetterOutput } from '../../../engine/component/dead-letter.js';
import {
  defineBolt,
  defineSpout,
  type BoltSpec,
  type DynamicOutputs,
  type NoOutputs,
  type SpoutSpec,
} from '../../../engine/component/spec.js';
import { WRITER_CONCURRENCY } from '../../../engine/limits.js';
import type { Duration } from '../../../engine/model/duration.js';
import { changesOutputs, ZookeeperChanges, type CHANGE_FIELDS } from './changes.js';
import { writerOutputs, ZookeeperWriter } from './writer.js';
import type { WriteAction } from './write.js';

export { ZookeeperChanges, type ChangeValues } from './changes.js';
export { ZookeeperWriter } from './writer.js';

/** Which ZooKeeper, and for whom. */
export interface ZookeeperPlaceConfig {
  /** The servers, and the path that stands for the root, made when it is missing: `zk1:2181,zk2:2181/prod`. */
  readonly servers: string;
  /** Whom to speak for, as `user:password`, one or a list. Default nobody. */
  readonly users?: string | readonly string[];
}

/** Settings of {@link zookeeperChanges}. */
export interface ZookeeperChangesConfig extends ZookeeperPlaceConfig {
  /** The node to follow, with all below it; it need not be there yet. Default `/`. */
  readonly path?: string;
  /** How data comes: `bytes`, `text` (UTF-8) or `json`. Default `bytes`. */
  readonly data?: 'bytes' | 'text' | 'json';
  /** Nodes that are followed at most; more end the topology. Default 10,000, at most 25,000. */
  readonly nodesMax?: number;
  /** Changes that may be out and not done before no more are emitted. Default 1,000. */
  readonly pendingMax?: number;
  /** How often a change is emitted again before it is given up, on the stream `dead-letter`. Default: without end. */
  readonly retries?: number;
}

/**
 * A spout of the nodes at and below a path: first as they are, then after each change. Type `zookeeper-changes`.
 *
 * It emits `path`, `kind` (`set` or `deleted`), `data` (null when deleted), `version`, `createRevision` and
 * `modifyRevision` (bigints; the zxid of ZooKeeper), tracked.
 *
 * It tells states: when a node changes faster than its tuples are done, states in between are left out, the last one
 * never is. One tuple of a node is out at a time, so its states arrive in order; one that failed is emitted again after
 * 100 ms, 200 ms, … up to 30 s, unless a newer state goes instead. Over a lost connection nothing is missed; after a
 * lost session all is read again and only what differs is emitted, deletions too.
 *
 * A task that is started again emits the present state anew, and tells nothing of what was deleted while it was away.
 * It runs in one task only. All tasks of a worker that name the same servers and users share one session.
 *
 * @throws when it starts, and keeps the topology from running: MILLRACE_CONNECT_SETTING,
 * MILLRACE_ZOOKEEPER_CONNECT_STRING
 * @throws when it runs: MILLRACE_CHANGES_TOO_MANY, which ends the topology; MILLRACE_STORE_CONTENT for data that is not
 * what `data` says, which is left out and reported
 */
export function zookeeperChanges(
  config: ZookeeperChangesConfig & { readonly retries: number },
): SpoutSpec<ZookeeperChanges, { readonly default: typeof CHANGE_FIELDS } & typeof deadLetterOutput>;
export function zookeeperChanges(config: ZookeeperChangesConfig): SpoutSpec<ZookeeperChanges, typeof CHANGE_FIELDS>;
export function zookeeperChanges(config: ZookeeperChangesConfig): SpoutSpec<ZookeeperChanges> {
  return defineSpout<ZookeeperChanges, DynamicOutputs>({
    type: 'zookeeper-changes',
    outputs: changesOutputs,
    config: { ...config },
    configKeys: ['servers', 'users', 'path', 'data', 'nodesMax', 'pendingMax', 'retries'],
    create: (settings) => new ZookeeperChanges(settings),
  });
}

/** Settings of {@link zookeeperWriter}. */
export interface ZookeeperWriterConfig extends ZookeeperPlaceConfig {
  /** What a tuple does: `put` creates or sets, `create` and `set` only that, `delete`. Default `put`. */
  readonly action?: WriteAction;
  /** A field that says it instead: `put`, `create` or `delete`, or the `set` and `deleted` of a change. */
  readonly actionField?: string;
  /** The field with the path. Default `path`. */
  readonly pathField?: string;
  /** The field with the data: bytes and text go as they are, null as no data, others as JSON. Default `data`. */
  readonly dataField?: string;
  /** A field with the version that the node must have, or null for any. Default: any. */
  readonly versionField?: string;
  /** Stands in front of every path: `/copy`. Default nothing. */
  readonly base?: string;
  /** Create what is missing above a node. Default true. */
  readonly parents?: boolean;
  /**
   * What is refused for good fails its tuple, or goes to the stream `dead-letter` and counts as done. Default `fail`.
   */
  readonly refused?: 'fail' | 'dead-letter';
  /** How long a write may take, with all its tries. Default `10s`. */
  readonly timeout?: Duration;
}

/**
 * A bolt that writes a node for each tuple, and acks it when the write is acknowledged. Type `zookeeper-writer`.
 *
 * What passes (no connection, another leader, a lost session or answer) is tried again after 50 ms, 100 ms, … up to 5 s
 * until `timeout` is over; then the tuple fails. What the store refuses for good, such as another version
 * (MILLRACE_STORE_BAD_VERSION), fails it at once, or goes to `dead-letter` with the error.
 *
 * Writes of one path keep the order of their tuples within a task: use a fields grouping on the path with several. A
 * tuple may come again, and then: `create` and a guarded `set` or `put` that are done already count as done (the same
 * data, at the next version); so does `delete` of what is not there. What is not guarded by a version is repeated, and
 * overwrites or deletes what somebody else wrote in between. All tasks of a worker that name the same servers and users
 * share one session.
 *
 * @throws when it starts, and keeps the topology from running: MILLRACE_CONNECT_SETTING,
 * MILLRACE_ZOOKEEPER_CONNECT_STRING
 */
export function zookeeperWriter(
  config: ZookeeperWriterConfig & { readonly refused: 'dead-letter' },
): BoltSpec<ZookeeperWriter, typeof deadLetterOutput>;
export function zookeeperWriter(config: ZookeeperWriterConfig): BoltSpec<ZookeeperWriter, NoOutputs>;
export function zookeeperWriter(config: ZookeeperWriterConfig): BoltSpec<ZookeeperWriter> {
  return defineBolt<ZookeeperWriter, DynamicOutputs>({
    type: 'zookeeper-writer',
    outputs: writerOutputs,
    config: { ...config },
    configKeys: [
      ...['servers', 'users', 'action', 'actionField', 'pathField', 'dataField', 'versionField'],
      ...['base', 'parents', 'refused', 'timeout'],
    ],
    behavior: { concurrency: WRITER_CONCURRENCY },
    create: (settings) => new ZookeeperWriter(settings),
  });
}
