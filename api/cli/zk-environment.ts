// What `millrace zk` works with in a real process: its streams and signals, and the stores that it can look into. A
// data directory is opened as a host would open it, so it is not there for both at once; one that no host ever had is
// not made. Main thread.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { RealClock } from '../../engine/clock.js';
import { unpack } from '../../engine/codec/pack.js';
import { failure } from '../../engine/errors.js';
import { listenForSignals } from './signals.js';
import type { OpenedPlace, ZkEnvironment, ZkPlace } from './zk.js';

type ServersPlace = Extract<ZkPlace, { readonly kind: 'zookeeper' }>;

/** The environment of this process. */
export function zkEnvironment(): ZkEnvironment {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    clock: new RealClock(),
    env: process.env,
    onSignal: listenForSignals,
    open: openPlace,
    unpack,
  };
}

/**
 * Opens a place.
 *
 * @throws MILLRACE_ZK_DATA, and what opening the store throws
 */
export async function openPlace(place: ZkPlace, signal: AbortSignal): Promise<OpenedPlace> {
  return place.kind === 'data' ? await openData(place.directory, signal) : await openServers(place, signal);
}

async function openData(data: string, signal: AbortSignal): Promise<OpenedPlace> {
  const directory = join(data, 'store');
  try {
    await access(join(directory, 'format'));
  } catch (error) {
    throw failure('MILLRACE_ZK_DATA', { directory: data }, { cause: error });
  }
  const store = await EmbeddedStore.open({ directory });
  const session = await store.connect({ signal });
  return { session, close: async () => await store.close() };
}

/**
 * Opens servers. A store would make its chroot; here nothing is made, so it has to be there.
 *
 * @throws MILLRACE_STORE_NO_NODE for the chroot; MILLRACE_ZOOKEEPER_CONNECT_STRING, MILLRACE_STORE_CREDENTIALS,
 * MILLRACE_STORE_UNAVAILABLE
 */
async function openServers({ servers, users }: ServersPlace, signal: AbortSignal): Promise<OpenedPlace> {
  const { ZookeeperStore } = await import('../../coordination/store/zookeeper/zookeeper-store.js');
  const credentials = users.map((text) => {
    const colon = text.indexOf(':');
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  });
  const store = new ZookeeperStore({ servers, credentials });
  const { chroot } = store.address;
  if (chroot !== '') {
    const whole = new ZookeeperStore({ servers: servers.slice(0, servers.indexOf('/')), credentials });
    const session = await whole.connect({ signal });
    const stat = await session.exists(chroot, { signal }).finally(async () => await session.close());
    if (stat === null) throw failure('MILLRACE_STORE_NO_NODE', { path: chroot });
  }
  const session = await store.connect({ signal });
  return { session, close: async () => await session.close() };
}
