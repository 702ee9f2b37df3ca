// What o'clock it is plays no part in a store: here the wall clock jumps by hours at every look, the files of the store
// are dated far into the past and the future, and the whole suite of the contract holds.

import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { VirtualClock } from '../../../engine/clock.js';
import { Random } from '../../../engine/random.js';
import { contractSuite } from './contract.js';
import { text, textOf } from './contract-kit.js';

const DAY_MS = 24 * 60 * 60 * 1000;

const random = new Random(1);
const now = Date.now;
Date.now = () => now() + (random.nextFloat() - 0.5) * DAY_MS;
t.teardown(() => void (Date.now = now));

contractSuite('with a wall clock that jumps', async (t) => {
  const store = await EmbeddedStore.open({ directory: t.testdir() });
  return { store, expire: (session) => store.expire(session.id), close: () => store.close() };
});

void t.test('revisions and sessions go on, whenever the files are said to be from', async (t) => {
  const directory = join(t.testdir(), 'store');
  let last = 0n;
  const ids = new Set<string>();
  for (const date of [0, now() / 1000 + 1e8, now() / 1000 - 1e8, now() / 1000]) {
    const store = await EmbeddedStore.open({ directory, logBytesMax: 1 });
    const session = await store.connect();
    ids.add(session.id);
    if (last === 0n) await session.create('/a', text('0'));
    const { data, stat } = await session.get('/a');
    t.ok(stat.modifyRevision >= last);
    const set = await session.set('/a', text(String(Number(textOf(data)) + 1)), stat.version);
    t.ok(set.modifyRevision > stat.modifyRevision);
    last = set.modifyRevision;
    await store.close();
    for (const name of readdirSync(directory)) utimesSync(join(directory, name), date, date);
  }
  t.equal(ids.size, 4);
  const store = await EmbeddedStore.open({ directory });
  t.equal(textOf((await (await store.connect()).get('/a')).data), '4');
  await store.close();
});

void t.test('deadlines are of the monotonic clock alone', async (t) => {
  const clock = new VirtualClock();
  const store = await EmbeddedStore.open({ directory: null, clock });
  const session = await store.connect();
  const call = session.create('/a', text(''), 'persistent', { timeoutMs: 1 });
  for (let look = 0; look < 1000; look++) Date.now();
  t.equal(await call, '/a');
  t.equal(clock.nextDueMs(), undefined, 'and nothing of it is left behind');
  await store.close();
});
