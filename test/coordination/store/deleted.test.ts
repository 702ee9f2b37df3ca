// A data directory that is deleted while the store is open: what nobody could read again is not acknowledged.

import { rm } from 'node:fs/promises';
import t from 'tap';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';

t.test('its files were deleted', async (t) => {
  const directory = t.testdir({});
  const store = await EmbeddedStore.open({ directory });
  const session = await store.connect();
  await session.create('/kept', new Uint8Array());
  await rm(directory, { recursive: true });
  const create = (): Promise<string> => session.create('/lost', new Uint8Array());
  await t.rejects(create(), { code: 'MILLRACE_STORE_UNCERTAIN', message: /was deleted/ });
  await t.rejects(create(), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /was deleted/ });
  t.equal(await session.exists('/lost'), null, 'as if it had never been');
  t.not(await session.exists('/kept'), null, 'reading goes on');
  await store.close();
});
