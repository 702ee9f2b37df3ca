// The number of the data's format: written by the first host, raised by a newer one, and left alone by an older one.

import t from 'tap';
import { claimFormat, DATA_FORMAT, isDataVersion } from '../../coordination/data-format.js';
import { HOSTS, VERSION } from '../../coordination/paths.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { fromNode, toData } from '../../coordination/store/json-node.js';
import { Cluster } from './cluster.js';

t.test('the first host marks the data, newer ones raise the mark, and older ones are refused', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  const now = async (): Promise<number> => fromNode(await session.get(VERSION), isDataVersion).format;
  await claimFormat(session, 3);
  t.equal(await now(), 3);
  const { modifyRevision } = (await session.get(VERSION)).stat;
  await claimFormat(session, 3);
  t.equal((await session.get(VERSION)).stat.modifyRevision, modifyRevision, 'once is enough');
  await claimFormat(session, 4);
  t.equal(await now(), 4);
  const newer = { code: 'MILLRACE_DATA_NEWER', message: /has format 4; .* reads up to format 3/ };
  await t.rejects(claimFormat(session, 3), newer);
  t.equal(await now(), 4);
  for (const wrong of [{}, { format: '4' }, { format: 0 }, 'five']) {
    await session.set(VERSION, toData(wrong), null);
    await t.rejects(claimFormat(session, 3), { code: 'MILLRACE_STORE_CONTENT', message: /"\/version"/ });
  }
  await store.close();
});

t.test('of two that mark it at once the newer one wins, whichever was first', async (t) => {
  for (const formats of [
    [2, 5],
    [5, 2],
  ]) {
    const store = await EmbeddedStore.open({ directory: null });
    const ends = await Promise.allSettled(formats.map(async (format) => claimFormat(await store.connect(), format)));
    const session = await store.connect();
    t.equal(fromNode(await session.get(VERSION), isDataVersion).format, 5);
    t.equal(ends[formats.indexOf(5)]!.status, 'fulfilled');
    const older = ends[formats.indexOf(2)]!;
    if (older.status === 'rejected') t.match(older.reason, { code: 'MILLRACE_DATA_NEWER' });
    await store.close();
  }
});

t.test('a host does not start on newer data, at once, and writes nothing', async (t) => {
  const cluster = await Cluster.open();
  const session = await cluster.store.connect();
  await session.create(VERSION, toData({ format: DATA_FORMAT + 1 }));
  const beganMs = cluster.clock.now();
  await t.rejects(cluster.host('a', 1), { code: 'MILLRACE_DATA_NEWER' });
  t.equal(cluster.clock.now(), beganMs, 'it did not try for half a minute');
  t.equal(await session.exists(HOSTS), null);
});
