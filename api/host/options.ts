// What a host is started with. Types only, with the defaults in words; host.ts applies them and checks what the types
// cannot say.

import type { ZookeeperStoreOptions } from '../../coordination/store/zookeeper/zookeeper-store.js';
import type { Clock } from '../../engine/clock.js';
import type { TlsIdentity } from '../../engine/link/tcp/secure.js';
import type { Logger, LogLevel } from '../../engine/log.js';

/** How to reach the ensemble of a cluster; all its hosts name the same servers and the same path behind them. */
export type ZookeeperOptions = Pick<
  ZookeeperStoreOptions,
  'servers' | 'sessionTimeoutMs' | 'credentials' | 'access' | 'tls'
>;

/** How the workers of several hosts reach each other. */
export interface LinkOptions {
  /** The address of this machine on which other hosts reach it. Default `127.0.0.1`: all hosts are on one machine. */
  readonly address?: string;
  /**
   * The first and the last port that it may listen on: one for the host itself and one for each worker. Default null:
   * any that are free.
   */
  readonly ports?: readonly [first: number, last: number] | null;
  /** What all hosts of the cluster know, at least 16 characters. Default: nothing, on loopback addresses only. */
  readonly secret?: string;
  /** Certificates of both ends, as PEM: who has one of that authority belongs to the cluster. Default null: none. */
  readonly tls?: TlsIdentity | null;
}

/** What somebody else needs to end the session of a process that died. A secret. */
export interface SessionKey {
  readonly id: string;
  readonly password: string;
}

export interface HostOptions {
  /**
   * What the host is called, like no other host of its cluster: a letter or digit, then letters, digits, `.`, `_` and
   * `-`. Default `local`.
   */
  readonly name?: string;
  /**
   * The ensemble that the hosts of a cluster share. Default null: this process is a cluster of one, and needs none.
   */
  readonly zookeeper?: ZookeeperOptions | null;
  /** How workers reach those of other hosts, where there is an ensemble. Default: on loopback. */
  readonly links?: LinkOptions;
  /** Told each session with the ensemble. Default: nobody is. */
  readonly onSession?: (key: SessionKey) => void;
  /**
   * What the host is called by topologies that ask for such hosts: each of letters, digits, `.`, `_` and `-`, at most
   * `LABELS_MAX`. Default: nothing.
   */
  readonly labels?: readonly string[];
  /** Worker threads that may run at a time, over all topologies. Default: one a processor, at least two. */
  readonly slots?: number;
  /**
   * Where wishes, progress and artifacts are kept, so that a host that is started again goes on; of a host with an
   * ensemble only artifacts are in it. Default null: in memory and a temporary directory, until the host is closed.
   */
  readonly dataDirectory?: string | null;
  /**
   * The only directory whose files the built-in components of topologies that come over HTTP may use. Default null:
   * such components are refused in documents.
   */
  readonly filesDirectory?: string | null;
  /** Where the HTTP interface listens, as `127.0.0.1:7070`; port 0 is a free one. Default null: it does not. */
  readonly listen?: string | null;
  /** Takes what the host and its topologies have to say. Default: says nothing. */
  readonly logger?: Logger;
  /**
   * From which level on the logger is told, as long as the parameter `millrace.logLevel` of the cluster is not set.
   * Default `debug`: all.
   */
  readonly logLevel?: LogLevel;
  /**
   * Takes a line that a component prints; `print` of components waits for it. Default: the logger, as information.
   *
   * @param topology - the name of the topology whose component prints
   */
  readonly print?: (line: string, topology: string) => void | Promise<void>;
  /** Where time comes from. Default: the machine's. */
  readonly clock?: Clock;
  /** Submissions, by their ids, that end as failed instead of being started again. Default: none. */
  readonly heldBack?: readonly string[];
  /**
   * Told which submissions run, by their ids, whenever that changes: of what a process may crash. Default: nobody is.
   */
  readonly onRunning?: (ids: readonly string[]) => void;
}
