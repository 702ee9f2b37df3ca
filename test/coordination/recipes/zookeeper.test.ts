// Every recipe on three real servers; each test has a chroot of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { startEnsemble } from '../../../coordination/ensemble/start.js';
import type { Store } from '../../../coordination/store/contract.js';
import type { ZookeeperSession } from '../../../coordination/store/zookeeper/zookeeper-session.js';
import { ZookeeperStore } from '../../../coordination/store/zookeeper/zookeeper-store.js';
import { recipesSuite, type OpenedStore } from './suite.js';

const directory = join(mkdtempSync(join(tmpdir(), 'millrace-recipes-')), 'ensemble');
const { ensemble } = await startEnsemble({ directory, tickMs: 200, durable: false });
t.teardown(async () => {
  await ensemble.destroy();
  rmSync(dirname(directory), { recursive: true });
});

let stores = 0;

async function opened(): Promise<OpenedStore> {
  const inner = new ZookeeperStore({ servers: `${ensemble.connectString}/recipes/${stores++}` });
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

recipesSuite('zookeeper', opened);
