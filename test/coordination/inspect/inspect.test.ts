// Nodes of a store, looked at: one, a list, a tree, and what goes away meanwhile.

import t from 'tap';
import { inspect, inspectChildren, inspectTree } from '../../../coordination/inspect/inspect.js';
import { ensureLayout } from '../../../coordination/host/registration.js';
import { claimProgress } from '../../../coordination/checkpoints.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { toData } from '../../../coordination/store/json-node.js';
import type { Session } from '../../../coordination/store/contract.js';
import { text } from '../store/contract.js';

async function opened(): Promise<Session> {
  const store = await EmbeddedStore.open({ directory: null });
  return await store.connect();
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const value of values) gathered.push(value);
  return gathered;
}

t.test('a tree has parents before children, sorted, with their depths', async (t) => {
  const session = await opened();
  await ensureLayout(session);
  await claimProgress(session, 'words', 'words-1', 3);
  for (let number = 0; number < 40; number++) {
    await session.create(
      `/hosts/h${String(number).padStart(2, '0')}`,
      toData({ host: 'h', boot: '1', slots: 2 }),
      'ephemeral',
    );
  }
  const nodes = await all(inspectTree(session, '/'));
  const paths = nodes.map(({ path }) => path);
  t.equal(paths[0], '/');
  t.strictSame(paths.filter((path) => path.startsWith('/hosts/')).length, 40);
  t.equal(nodes.find(({ path }) => path === '/checkpoints/words-1')?.depth, 2);
  for (const [at, path] of paths.entries()) {
    if (path !== '/') t.ok(paths.indexOf(path.slice(0, path.lastIndexOf('/')) || '/') < at, path);
  }
  const hosts = await all(inspectChildren(session, '/hosts'));
  t.strictSame(
    hosts.map(({ path }) => path),
    paths.filter((path) => path.startsWith('/hosts/')),
  );
  t.match(hosts[0], { bytes: 33, stat: { ephemeralOwner: session.id }, content: { record: 'host' } });
});

t.test('a payload is read with its pieces', async (t) => {
  const session = await opened();
  await ensureLayout(session);
  await session.create('/payloads/x', new Uint8Array());
  const whole = toData({ source: { kind: 'module', url: 'u' }, posted: false, settings: {}, description: {} });
  await session.create('/payloads/x/0', whole.subarray(0, 10));
  await session.create('/payloads/x/1', whole.subarray(10));
  t.match(await inspect(session, '/payloads/x'), { content: { kind: 'record', line: 'a module' } });
});

t.test('what is deleted while it is read is left out', async (t) => {
  const session = await opened();
  await session.create('/a', text(''));
  for (const name of ['1', '2', '3']) await session.create(`/a/${name}`, text(name));
  const { get } = session;
  session.get = async (path, options) => {
    if (path === '/a/2') await session.delete(path, null);
    return await get.call(session, path, options);
  };
  const nodes = await all(inspectTree(session, '/a'));
  t.strictSame(
    nodes.map(({ path }) => path),
    ['/a', '/a/1', '/a/3'],
  );
  const { children } = session;
  session.children = async (path, options) => {
    for (const name of ['1', '3']) await session.delete(`/a/${name}`, null);
    await session.delete('/a', null);
    return await children.call(session, path, options);
  };
  t.equal((await all(inspectTree(session, '/a'))).length, 1, 'the node is gone when its children are asked for');
  await t.rejects(inspect(session, '/a'), { code: 'MILLRACE_STORE_NO_NODE' });
  await t.rejects(all(inspectTree(session, '/a')), { code: 'MILLRACE_STORE_NO_NODE' });
});
