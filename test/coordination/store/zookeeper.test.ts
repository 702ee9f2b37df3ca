// The store on ZooKeeper passes the suite of the contract, on three real servers; each test has a chroot of its own.

import t from 'tap';
import type { Store } from '../../../coordination/store/contract.js';
import type { ZookeeperSession } from '../../../coordination/store/zookeeper/zookeeper-session.js';
import { ZookeeperStore } from '../../../coordination/store/zookeeper/zookeeper-store.js';
import { runningEnsemble } from '../ensemble/running.js';
import { contractSuite, type Opened } from './contract.js';

const ensemble = await runningEnsemble(t);

let stores = 0;

async function opened(): Promise<Opened> {
  const inner = new ZookeeperStore({ servers: `${ensemble.connectString}/suite/${stores++}` });
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
}

contractSuite('zookeeper', opened);
