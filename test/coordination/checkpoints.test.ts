// Progress of spouts in the store: gathered, fenced by its claim, and read back.

import t from 'tap';
import { VirtualClock } from '../../engine/clock.js';
import { failure } from '../../engine/errors.js';
import { CHECKPOINT_PIECES, STORE_NODE_BYTES_MAX } from '../../engine/limits.js';
import { CheckpointWriter, claimProgress, type Progress } from '../../coordination/checkpoints.js';
import { ensureLayout } from '../../coordination/host/registration.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import type { Session } from '../../coordination/store/contract.js';
import { withOperation } from '../../coordination/store/store-errors.js';
import { settle } from './cluster.js';
import { text, textOf } from './store/contract.js';
import { FaultyStore } from './store/faulty.js';

async function opened(): Promise<{
  session: Session;
  store: FaultyStore;
  clock: VirtualClock;
  writer: CheckpointWriter;
  logged: string[];
  advance: (ms: number) => Promise<void>;
}> {
  const store = new FaultyStore(await EmbeddedStore.open({ directory: null }));
  const session = await store.connect();
  await ensureLayout(session);
  const clock = new VirtualClock();
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const logger = { debug: log, info: log, warn: log, error: log };
  const writer = new CheckpointWriter({ session: async () => session, clock, logger });
  const advance = async (ms: number): Promise<void> => {
    const untilMs = clock.now() + ms;
    while (clock.step(untilMs)) await settle();
  };
  return { session, store, clock, writer, logged, advance };
}

const kept = (progress: Progress): Record<string, string> =>
  Object.fromEntries(progress.all().map((each) => [`${each.component} ${each.partition}`, textOf(each.progress)]));

void t.test('progress is written once a second, and read back', async (t) => {
  const { session, clock, writer, advance } = await opened();
  const one = await claimProgress(session, 'one', 'id1', 1);
  const two = await claimProgress(session, 'two', 'id2', 1);
  let writes = 0;
  const { multi } = session;
  session.multi = (...args) => {
    writes++;
    return multi(...args);
  };
  for (let number = 0; number < 100; number++) {
    writer.add(one, { component: 'lines', partition: `/a/file ${number % 10}.txt`, progress: text(String(number)) });
    writer.add(two, { component: 'lines', partition: 'größe\n', progress: text(String(number)) });
  }
  await advance(999);
  t.equal(writes, 0);
  await advance(1);
  t.equal(writes, 1, 'of all topologies together');
  await advance(10_000);
  t.equal(writes, 1, 'nothing new, nothing written');
  const again = kept(await claimProgress(session, 'one', 'id1', 2));
  t.equal(Object.keys(again).length, 10);
  t.equal(again['lines /a/file 3.txt'], '93');
  t.strictSame(kept(await claimProgress(session, 'two', 'id2', 2)), { 'lines größe\n': '99' });
  t.equal(clock.nextDueMs(), undefined);
});

void t.test('who lost the claim sets nothing back, and disturbs no other topology', async (t) => {
  const { session, writer, logged } = await opened();
  const old = await claimProgress(session, 'one', 'id1', 1);
  const other = await claimProgress(session, 'two', 'id2', 1);
  writer.add(old, { component: 'lines', partition: 'p', progress: text('1') });
  await writer.flush();
  const now = await claimProgress(session, 'one', 'id1', 2);
  t.strictSame(kept(now), { 'lines p': '1' });
  writer.add(now, { component: 'lines', partition: 'p', progress: text('7') });
  await writer.flush();
  writer.add(old, { component: 'lines', partition: 'p', progress: text('2') });
  writer.add(other, { component: 'lines', partition: 'p', progress: text('other') });
  await writer.flush();
  t.ok(old.lost);
  t.match(logged, [/"one" is not kept here any more/]);
  t.notOk(now.lost || other.lost);
  writer.add(old, { component: 'lines', partition: 'p', progress: text('3') });
  await writer.close();
  t.strictSame(kept(await claimProgress(session, 'one', 'id1', 3)), { 'lines p': '7' });
  t.strictSame(kept(await claimProgress(session, 'two', 'id2', 3)), { 'lines p': 'other' });
});

void t.test('a write that fails is tried again, also when only its answer was lost', async (t) => {
  const { session, store, writer, logged, advance } = await opened();
  const progress = await claimProgress(session, 'one', 'id1', 1);
  store.faults.push({ method: 'multi', how: 'lose', times: 1 }, { method: 'multi', how: 'refuse', times: 1 });
  writer.add(progress, { component: 'lines', partition: 'p', progress: text('1') });
  await advance(1000);
  t.equal(logged.length, 1);
  await advance(1000);
  t.equal(logged.length, 2);
  await advance(1000);
  t.equal(logged.length, 2);
  t.notOk(progress.lost);
  t.strictSame(kept(await claimProgress(session, 'one', 'id1', 2)), { 'lines p': '1' });
});

void t.test('much progress goes in several writes; what fits no node is told', async (t) => {
  const { session, writer, logged } = await opened();
  const progress = await claimProgress(session, 'one', 'id1', 1);
  const data = new Uint8Array(1024).fill(65);
  const count = 4000;
  for (let number = 0; number < count; number++) {
    writer.add(progress, { component: 'lines', partition: String(number), progress: data });
  }
  await writer.flush();
  t.strictSame(logged, []);
  const again = await claimProgress(session, 'one', 'id1', 2);
  t.equal(again.all().length, count);
  t.equal((await session.children('/checkpoints/id1')).length, CHECKPOINT_PIECES);
  for (let number = 0; number < 8000; number++) {
    writer.add(again, { component: 'lines', partition: `more ${number}`, progress: data });
  }
  await writer.close();
  t.match(logged[0], new RegExp(`"one" takes more than ${STORE_NODE_BYTES_MAX} bytes`));
  t.equal((await claimProgress(session, 'one', 'id1', 3)).all().length, count, 'what was kept before stays');
});

void t.test('progress that somebody edited is named', async (t) => {
  const { session, writer } = await opened();
  const progress = await claimProgress(session, 'one', 'id1', 1);
  writer.add(progress, { component: 'lines', partition: 'p', progress: text('1') });
  await writer.flush();
  const [piece = ''] = await session.children('/checkpoints/id1');
  await session.set(`/checkpoints/id1/${piece}`, text('[[1]]'), null);
  await t.rejects(claimProgress(session, 'one', 'id1', 2), {
    code: 'MILLRACE_STORE_CONTENT',
    message: new RegExp(`/checkpoints/id1/${piece}`),
  });
});

void t.test('progress that is forgotten is not read back', async (t) => {
  const { session, writer, advance } = await opened();
  const progress = await claimProgress(session, 'words', 'id', 1);
  for (const partition of ['a', 'b']) writer.add(progress, { component: 'lines', partition, progress: text('1') });
  await advance(1000);
  writer.add(progress, { component: 'lines', partition: 'a', progress: null });
  writer.add(progress, { component: 'lines', partition: 'never kept', progress: null });
  await advance(1000);
  t.strictSame(kept(await claimProgress(session, 'words', 'id', 2)), { 'lines b': '1' });
});

void t.test('a piece that cannot be written costs no other progress', async (t) => {
  const { session, writer, logged } = await opened();
  const progress = await claimProgress(session, 'words', 'id', 1);
  const keep = async (value: string): Promise<void> => {
    for (const partition of ['a', 'b', 'c', 'd']) {
      writer.add(progress, { component: 'lines', partition, progress: text(value) });
    }
    await writer.flush();
  };
  await keep('1');
  const [first = '', second = ''] = await session.children('/checkpoints/id');
  await session.delete(`/checkpoints/id/${first}`, null);
  await keep('2');
  t.strictSame(logged, []);
  const all = { 'lines a': '2', 'lines b': '2', 'lines c': '2', 'lines d': '2' };
  t.strictSame(kept(await claimed()), all, 'one that somebody deleted is written again');

  const again = await claimed();
  const { multi } = session;
  session.multi = async (operations, ...rest) => {
    const about = operations.findIndex(({ path }) => path === `/checkpoints/id/${second}`);
    const details = { path: second, bytes: 1, bytesMax: 0 };
    if (about >= 0) throw withOperation(failure('MILLRACE_STORE_TOO_LARGE', details), about);
    return await multi(operations, ...rest);
  };
  for (const partition of ['a', 'b', 'c', 'd']) {
    writer.add(again, { component: 'lines', partition, progress: text('3') });
  }
  await writer.flush();
  t.notOk(again.lost);
  t.equal(logged.filter((line) => /some progress of topology "words" was not kept/.test(line)).length, 1);
  session.multi = multi;
  const values = Object.values(kept(await claimed()));
  t.ok(values.includes('2') && values.includes('3'), 'the other pieces were kept');

  async function claimed(): Promise<Progress> {
    return await claimProgress(session, 'words', 'id', 2);
  }
});

void t.test('who is not wanted any more takes nothing over', async (t) => {
  const { session, writer } = await opened();
  const now = await claimProgress(session, 'one', 'id1', 2);
  const gone = failure('MILLRACE_STORE_NO_NODE', { path: '/assignments/one' });
  await t.rejects(
    claimProgress(session, 'one', 'id1', 1, () => Promise.reject(gone)),
    gone,
  );
  const between = claimProgress(
    session,
    'one',
    'id1',
    1,
    async () => void (await claimProgress(session, 'one', 'id1', 3)),
  );
  await t.rejects(between, { code: 'MILLRACE_STORE_BAD_VERSION' }, 'nor who was passed while it looked');
  writer.add(now, { component: 'lines', partition: 'p', progress: text('1') });
  await writer.flush();
  t.ok(now.lost, 'revision 3 has it');
});
