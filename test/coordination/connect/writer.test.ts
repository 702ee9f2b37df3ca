// `zookeeper-writer`: what tuples write, what is refused, what is tried again, and what comes twice.

import t, { type Test } from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { ZookeeperWriter, writerOutputs } from '../../../coordination/connect/zookeeper/writer.js';
import { zookeeperWriter } from '../../../coordination/connect/zookeeper/index.js';
import { fakeContext, recorder, thrownBy, tupleOf, type Emitted } from '../../engine/connect/fakes.js';
import { text, textOf } from '../store/contract.js';
import { Place, turns } from './kit.js';

interface Run {
  readonly place: Place;
  readonly clock: VirtualClock;
  readonly bolt: ZookeeperWriter;
  readonly emitted: Emitted[];
  /** Executes a tuple, with time going on as far as it has to. */
  write(object: Readonly<Record<string, unknown>>): Promise<void>;
  /** The data of a node, null when there is none. */
  read(path: string): Promise<string | null>;
}

async function opened(t: Test, config: Readonly<Record<string, unknown>> = {}): Promise<Run> {
  const place = await Place.open();
  const clock = new VirtualClock();
  const bolt = new ZookeeperWriter({ servers: 'zk:1', ...config }, place.internals(clock));
  await bolt.prepare(fakeContext({ clock }));
  t.teardown(async () => {
    await bolt.close();
    await place.close();
  });
  const { emit, emitted } = recorder();
  return {
    place,
    clock,
    bolt,
    emitted,
    write: async (object) => {
      let over = false;
      const done = bolt.execute(tupleOf(object), emit).finally(() => (over = true));
      done.catch(() => undefined);
      while (!over) {
        await turns(5);
        const dueMs = clock.nextDueMs();
        if (!over && dueMs !== undefined) clock.step(dueMs);
      }
      await done;
    },
    read: async (path) => {
      const node = await place.test.get(path).catch(() => null);
      return node === null ? null : textOf(node.data);
    },
  };
}

void t.test('puts, creates, sets and deletes', async (t) => {
  const put = await opened(t);
  await put.write({ path: '/a/b', data: 'one' });
  t.equal(await put.read('/a/b'), 'one');
  t.equal(await put.read('/a'), '', 'what is above is made');
  await put.write({ path: '/a/b', data: 'two' });
  t.equal(await put.read('/a/b'), 'two');
  const create = await opened(t, { action: 'create' });
  await create.write({ path: '/a', data: 'one' });
  await t.rejects(create.write({ path: '/a', data: 'other' }), {
    code: 'MILLRACE_STORE_NODE_EXISTS',
    message: /"\/a"/,
  });
  const set = await opened(t, { action: 'set' });
  await t.rejects(set.write({ path: '/a', data: 'one' }), { code: 'MILLRACE_STORE_NO_NODE' });
  await set.place.test.create('/a', text(''));
  await set.write({ path: '/a', data: 'one' });
  t.equal(await set.read('/a'), 'one');
  const remove = await opened(t, { action: 'delete' });
  await remove.place.test.create('/a', text(''));
  await remove.place.test.create('/a/b', text(''));
  await t.rejects(remove.write({ path: '/a' }), { code: 'MILLRACE_STORE_NOT_EMPTY' });
  await remove.write({ path: '/a/b' });
  await remove.write({ path: '/a/b' });
  t.equal(await remove.read('/a/b'), null);
});

void t.test('a field says what to do, as changes have it', async (t) => {
  const { write, read } = await opened(t, { actionField: 'kind', base: '/copy' });
  await write({ path: '/a/b', kind: 'set', data: text('1') });
  t.equal(await read('/copy/a/b'), '1');
  await write({ path: '/', kind: 'put', data: 'root' });
  t.equal(await read('/copy'), 'root');
  await write({ path: '/a/b', kind: 'deleted', data: null });
  t.equal(await read('/copy/a/b'), null);
  await write({ path: '/a/b', kind: 'create', data: null });
  await write({ path: '/a/b', kind: 'delete' });
  const wrong = write({ path: '/a', kind: 'mend' });
  await t.rejects(wrong, { code: 'MILLRACE_WRITER_TUPLE', message: /field "kind" of a tuple of "source" is "mend"/ });
});

void t.test('data goes as it is, or as JSON', async (t) => {
  const { write, read, place } = await opened(t, { dataField: 'value', pathField: 'to' });
  const values: readonly (readonly [value: unknown, data: string])[] = [
    ['größe', 'größe'],
    [text('bytes'), 'bytes'],
    [Uint16Array.of(0x3131), '11'],
    [text('all').buffer.slice(0, 0), ''],
    [null, ''],
    [{ a: [1, 2n, 2n ** 60n] }, '{"a":[1,2,"1152921504606846976"]}'],
    [7, '7'],
  ];
  for (const [value, data] of values) {
    await write({ to: '/x', value });
    t.equal(await read('/x'), data);
  }
  await t.rejects(write({ to: 5, value: '' }), { code: 'MILLRACE_WRITER_TUPLE', message: /"to".*is 5, not a path/ });
  await t.rejects(write({ to: 'x', value: '' }), { code: 'MILLRACE_STORE_PATH' });
  t.equal(place.sessions.length, 1);
});

void t.test('a version guards, and says which one is there', async (t) => {
  const { write, read, place } = await opened(t, { versionField: 'version' });
  await place.test.create('/a', text('0'));
  await write({ path: '/a', data: '1', version: 0 });
  t.equal(await read('/a'), '1');
  await t.rejects(write({ path: '/a', data: 'late', version: 0 }), {
    code: 'MILLRACE_STORE_BAD_VERSION',
    message: /node "\/a" does not have version 0/,
  });
  await write({ path: '/a', data: '1', version: 0 });
  t.equal((await place.test.exists('/a'))?.version, 1, 'what comes twice is done already');
  await write({ path: '/a', data: '2', version: null });
  t.equal(await read('/a'), '2');
  const wrong = write({ path: '/a', data: '2', version: -1 });
  await t.rejects(wrong, { code: 'MILLRACE_WRITER_TUPLE', message: /"version".*-1, not a version/ });
  const remove = await opened(t, { action: 'delete', versionField: 'version' });
  await remove.place.test.create('/a', text(''));
  await t.rejects(remove.write({ path: '/a', version: 3 }), { code: 'MILLRACE_STORE_BAD_VERSION' });
  await remove.write({ path: '/a', version: 0 });
  await remove.write({ path: '/a', version: 0 });
});

void t.test('refusals go to dead letters when they are asked to', async (t) => {
  const { write, emitted, place } = await opened(t, { action: 'create', refused: 'dead-letter', timeout: '1s' });
  await place.test.create('/a', text('0'));
  await write({ path: '/a', data: 'x' });
  await write({ path: 5, data: 'x' });
  const letters = emitted.map(({ values }) => values);
  t.match(letters, [
    ['MILLRACE_STORE_NODE_EXISTS', /"\/a"/, 'component', 1, 'default', ['/a', 'x']],
    ['MILLRACE_WRITER_TUPLE', /"path"/, 'component', 1, 'default', [5, 'x']],
  ]);
  place.faulty.faults.push({ method: 'create', how: 'refuse', times: 100 });
  await t.rejects(
    write({ path: '/b', data: 'x' }),
    { code: 'MILLRACE_STORE_UNAVAILABLE' },
    'what passes is no refusal',
  );
  const around = { component: 'w', inputFields: [] };
  t.same(Object.keys(writerOutputs([], { refused: 'dead-letter' }, around) ?? {}), ['dead-letter']);
  t.same(writerOutputs([], {}, around), {});
});

void t.test('lost answers and lost sessions are tried again, and nothing is done twice', async (t) => {
  for (const action of ['put', 'create', 'set', 'delete'] as const) {
    const { write, read, place } = await opened(t, { action, versionField: 'version' });
    const guarded = action === 'set' || action === 'delete';
    if (guarded) await place.test.create('/a', text('0'));
    const method = action === 'put' ? 'create' : action;
    place.faulty.faults.push({ method, how: 'refuse', times: 2 }, { method, how: 'lose', times: 1 });
    await write({ path: '/a', data: '1', version: guarded ? 0 : null });
    t.equal(await read('/a'), action === 'delete' ? null : '1', action);
    const version = (await place.test.exists('/a'))?.version;
    // A put cannot know whose it is, and sets it again.
    t.equal(version, { put: 1, create: 0, set: 1, delete: undefined }[action], action);
  }
  const { write, read, place } = await opened(t);
  await write({ path: '/a', data: '1' });
  place.refusals = 2;
  await place.lose();
  await write({ path: '/a', data: '2' });
  t.equal(await read('/a'), '2');
  t.equal(place.sessions.length, 2);
});

void t.test('what cannot be written in time fails, with what kept it', async (t) => {
  const { write, place } = await opened(t, { timeout: '3s' });
  place.faulty.faults.push({ method: 'set', how: 'refuse', times: 1000 });
  await t.rejects(write({ path: '/a', data: '' }), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /the test says so/ });
  place.refusals = 1000;
  await place.lose();
  await t.rejects(write({ path: '/a', data: '' }), {
    code: 'MILLRACE_STORE_UNAVAILABLE',
    message: /write of node "\/a".*no session within 3000 ms/,
  });
});

void t.test('writes of one path keep their order, others go together', async (t) => {
  const { bolt, place, read } = await opened(t);
  const { emit } = recorder();
  const asked: string[] = [];
  await place.test.create('/a', text(''));
  await place.test.create('/b', text(''));
  await turns();
  const held: (() => void)[] = [];
  place.beforeSet = async (path, data) => {
    asked.push(`${path} ${textOf(data)}`);
    await new Promise<void>((resolve) => held.push(resolve));
  };
  const writes = ['/a 1', '/a 2', '/b 1', '/a 3'].map((line) => {
    const [path, data] = line.split(' ');
    return bolt.execute(tupleOf({ path, data }), emit);
  });
  await turns();
  t.strictSame(asked, ['/a 1', '/b 1']);
  for (let done = 0; done < 4; done++) {
    held.shift()?.();
    await turns();
  }
  await Promise.all(writes);
  t.strictSame(asked, ['/a 1', '/b 1', '/a 2', '/a 3']);
  t.equal(await read('/a'), '3');
});

void t.test('a task that closes gives up what waits', async (t) => {
  const { bolt, place } = await opened(t);
  place.faulty.faults.push({ method: 'set', how: 'refuse', times: 1000 });
  const writing = bolt.execute(tupleOf({ path: '/a', data: '' }), recorder().emit);
  writing.catch(() => undefined);
  await turns();
  const [session] = place.sessions;
  await bolt.close();
  t.equal(session!.state, 'closed');
  t.type(writing, Promise);
});

void t.test('wrong settings are told', (t) => {
  const cases: readonly (readonly [config: Readonly<Record<string, unknown>>, message: RegExp])[] = [
    [{}, /"servers"/],
    [{ servers: 'a', action: 'mend' }, /"action".*"put" or "create"/],
    [{ servers: 'a', base: 'copy' }, /"base".*is no path/],
    [{ servers: 'a', parents: 1 }, /"parents"/],
    [{ servers: 'a', refused: 'drop' }, /"refused"/],
    [{ servers: 'a', timeout: 'soon' }, /"timeout"/],
    [{ servers: 'a', pathField: '' }, /"pathField"/],
  ];
  for (const [config, message] of cases) {
    t.match(
      thrownBy(() => new ZookeeperWriter(config)),
      { code: 'MILLRACE_CONNECT_SETTING', message, fatal: true },
    );
  }
  t.match(zookeeperWriter({ servers: 'a' }), { type: 'zookeeper-writer', behavior: { concurrency: 32 } });
  t.end();
});
