// The store that a host keeps its cluster in: a ZooKeeper ensemble that many hosts share, or the embedded one, which
// serves this process alone. Main thread.

import { join } from 'node:path';
import type { Session, Store } from '../../coordination/store/contract.js';
import type { Clock } from '../../engine/clock.js';
import type { Logger } from '../../engine/log.js';
import type { HostOptions, ZookeeperOptions } from './options.js';

/** A store, and what ends it. */
export interface OpenedStore {
  readonly store: Store;
  /** Other hosts may be in it. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/**
 * Opens the store of a host.
 *
 * @throws MILLRACE_STORE_IN_USE, MILLRACE_STORE_NEWER, MILLRACE_STORE_CORRUPT, MILLRACE_STORE_DIRECTORY
 * @throws MILLRACE_ZOOKEEPER_CONNECT_STRING, MILLRACE_ZOOKEEPER_OPTION, MILLRACE_STORE_CREDENTIALS,
 * MILLRACE_STORE_ACCESS
 */
export async function openStore(
  { zookeeper = null, dataDirectory = null, onSession }: HostOptions,
  clock: Clock,
  logger: Logger,
): Promise<OpenedStore> {
  if (zookeeper !== null) return await onEnsemble(zookeeper, onSession, clock, logger);
  const { EmbeddedStore } = await import('../../coordination/store/embedded/embedded-store.js');
  const directory = dataDirectory === null ? null : join(dataDirectory, 'store');
  const store = await EmbeddedStore.open({ directory, clock, logger });
  return { store, shared: false, close: async () => await store.close() };
}

async function onEnsemble(
  options: ZookeeperOptions,
  onSession: HostOptions['onSession'],
  clock: Clock,
  logger: Logger,
): Promise<OpenedStore> {
  // Whoever has no ensemble need not load its client.
  const { ZookeeperStore } = await import('../../coordination/store/zookeeper/zookeeper-store.js');
  const inner = new ZookeeperStore({ ...options, clock, logger });
  const store: Store = {
    connect: async (given): Promise<Session> => {
      const session = await inner.connect(given);
      onSession?.({ id: session.id, password: session.password });
      return session;
    },
  };
  return { store, shared: true, close: async () => undefined };
}
