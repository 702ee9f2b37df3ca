// The embedded store passes the suite of the contract, kept in memory and kept on disk.

import t from 'tap';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { contractSuite, type Opened } from './contract.js';

async function opened(directory: string | null, logBytesMax?: number): Promise<Opened> {
  const store = await EmbeddedStore.open({ directory, ...(logBytesMax === undefined ? {} : { logBytesMax }) });
  return { store, expire: (session) => store.expire(session.id), close: () => store.close() };
}

contractSuite('in memory', () => opened(null));
contractSuite('on disk', (t) => opened(t.testdir()));
contractSuite('on disk, with a snapshot after each write', (t) => opened(t.testdir(), 1));

void t.test('a closed store makes no new sessions', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  await store.close();
  await store.close();
  t.equal(session.state, 'closed');
  await t.rejects(store.connect(), { code: 'MILLRACE_STORE_UNAVAILABLE' });
});
