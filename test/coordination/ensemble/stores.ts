// Stores of a real ensemble for the suites that run on every store: each has a chroot of its own, and its sessions can
// be ended from outside, as ZooKeeper does with silent ones.

import type { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import type { Store } from '../../../coordination/store/contract.js';
import type { ZookeeperSession } from '../../../coordination/store/zookeeper/zookeeper-session.js';
import { ZookeeperStore } from '../../../coordination/store/zookeeper/zookeeper-store.js';
import type { Opened } from '../store/contract.js';

/** Opens one store after the other; what it gives closes all sessions of its store. */
export function storesOn({ connectString }: Ensemble): () => Promise<Opened> {
  let stores = 0;
  return async () => {
    const inner = new ZookeeperStore({ servers: `${connectString}/store/${stores++}` });
    const sessions = new Map<string, ZookeeperSession>();
    const store: Store = {
      connect: async (options) => {
        const session = await inner.connect(options);
        sessions.set(session.id, session);
        return session;
      },
    };
    return {
      store,
      expire: async ({ id }) => void (await inner.endSession(id, sessions.get(id)!.password)),
      close: async () => void (await Promise.all([...sessions.values()].map((session) => session.close()))),
    };
  };
}
