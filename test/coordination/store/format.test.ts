// Directories that earlier versions wrote are read, and what this one writes is read again: files of format 1 as they
// came out of it stand here byte by byte. And what the embedded store alone has of access: rules that are its default.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { digestOf } from '../../../coordination/store/access.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { text, textOf } from './contract.js';

/** A snapshot and a log behind it: "/a" was set twice, "/a/b_0000000000" and "/late" were created. */
const formatOne = {
  format: 'eyJmb3JtYXQiOjF9Cg==',
  '1.log': 'TVJGMSsAAABI48EK2NgJPCYAAAB7InIiOjgsInQiOltbWyJjIiwiL2xhdGUiLDEsbnVsbCwwXV1dfWw=',
  '1.snapshot':
    'TVJGMVsAAAArkVX6mRAvRlUAAAB7Im4iOltbIi8iLDAsMCwwLDAsbnVsbCwwXSxbIi9hIiwxLDIsMiw3LG51bGwsMV0sWyIvYS9iXzAwMDAwMDAwMDA' +
    'iLDEsMCwzLDMsbnVsbCwwXV19M3hNUkYxJgAAAPZumKatdVUHIgAAAHsicmV2aXNpb24iOjcsImJvb3RzIjoyLCJjb3VudCI6M30=',
};

const ann = { user: 'ann', password: 'secret' };
const may = ['read', 'write', 'create', 'delete', 'admin'] as const;

void t.test('a directory of format 1 is read, and is of format 2 then', async (t) => {
  const directory = join(t.testdir(), 'store');
  mkdirSync(directory);
  for (const [name, content] of Object.entries(formatOne)) {
    writeFileSync(join(directory, name), Buffer.from(content, 'base64'));
  }
  for (const opening of ['first', 'second']) {
    const store = await EmbeddedStore.open({ directory });
    const session = await store.connect({ credentials: [ann] });
    const { data, stat } = await session.get('/a');
    t.match([textOf(data), stat.version, stat.childCount], ['3', 2, 1], opening);
    t.strictSame(await session.children('/a'), ['b_0000000000']);
    t.equal(textOf((await session.get('/late')).data), 'l');
    t.strictSame(await session.access('/a'), [{ who: 'anyone', may }], 'nodes without rules are open');
    await store.close();
    t.equal(readFileSync(join(directory, 'format'), 'utf8'), '{"format":2}\n');
  }
});

void t.test('rules outlive a restart, in the log and in a snapshot', async (t) => {
  for (const logBytesMax of [1_000_000, 1]) {
    const directory = join(t.testdir(), `store-${logBytesMax}`);
    let store = await EmbeddedStore.open({ directory, logBytesMax });
    let session = await store.connect({ credentials: [ann] });
    await session.create('/c', text('1'), 'persistent', { access: [{ who: 'creator', may }] });
    await session.create('/s', text('1'));
    await session.setAccess('/s', [
      { who: 'anyone', may: ['read'] },
      { who: 'creator', may: ['write', 'admin'] },
    ]);
    await session.setAccess('/s', [{ who: 'anyone', may: ['read'] }]);
    await session.create('/o', text(''), 'persistent', { access: [{ who: 'creator', may }] });
    await session.setAccess('/o', [{ who: 'anyone', may }]);
    await store.close();
    store = await EmbeddedStore.open({ directory, logBytesMax });
    session = await store.connect({ credentials: [ann] });
    t.strictSame(await session.access('/c'), [{ who: { user: 'ann', digest: digestOf(ann) }, may }]);
    t.strictSame(await session.access('/s'), [{ who: 'anyone', may: ['read'] }]);
    t.strictSame(await session.access('/o'), [{ who: 'anyone', may }]);
    const other = await store.connect();
    await t.rejects(other.get('/c'), { code: 'MILLRACE_STORE_FORBIDDEN' });
    await t.rejects(other.setAccess('/s', [{ who: 'anyone', may }]), { code: 'MILLRACE_STORE_FORBIDDEN' });
    await store.close();
  }
});

void t.test('a store has default rules and credentials for all sessions', async (t) => {
  const store = await EmbeddedStore.open({
    directory: null,
    credentials: [ann],
    access: [{ who: 'creator', may }],
  });
  const bob = { user: 'bob', password: 'other' };
  const both = await store.connect({ credentials: [bob, ann] });
  await both.create('/x', text(''));
  t.strictSame(await both.access('/x'), [
    { who: { user: 'ann', digest: digestOf(ann) }, may },
    { who: { user: 'bob', digest: digestOf(bob) }, may },
  ]);
  await (await store.connect()).get('/x');
  await store.close();
});

void t.test('credentials and default rules that cannot be are refused when they are given', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const wrong = [
    { user: '', password: 'x' },
    { user: 'a:b', password: 'x' },
    { user: 'a'.repeat(300), password: 'x' },
    { user: 'a', password: 'x'.repeat(300) },
    JSON.parse('{ "user": "a" }') as { user: string; password: string },
  ];
  for (const each of wrong) {
    const expected = { code: 'MILLRACE_STORE_CREDENTIALS', status: 401 };
    await t.rejects(store.connect({ credentials: [each] }), expected);
    await t.rejects(EmbeddedStore.open({ directory: null, credentials: [each] }), expected);
  }
  const many = Array.from({ length: 17 }, (_, index) => ({ user: `user-${index}`, password: '' }));
  await t.rejects(store.connect({ credentials: many }), { code: 'MILLRACE_STORE_CREDENTIALS', message: /at most 16/ });
  await t.rejects(EmbeddedStore.open({ directory: null, access: [] }), { code: 'MILLRACE_STORE_ACCESS' });
  await store.close();
});

void t.test('rules count for what the store may take of memory', async (t) => {
  const store = await EmbeddedStore.open({ directory: null, treeBytesMax: 3000 });
  const session = await store.connect({ credentials: [ann] });
  await session.create('/x', text(''));
  const rules = Array.from({ length: 60 }, (_, index) => ({
    who: { user: `user-${index}`, digest: digestOf({ user: 'u', password: String(index) }) },
    may,
  }));
  await t.rejects(session.setAccess('/x', rules), { code: 'MILLRACE_STORE_FULL' });
  await t.rejects(session.create('/y', text(''), 'persistent', { access: rules }), { code: 'MILLRACE_STORE_FULL' });
  await session.setAccess('/x', [...rules.slice(0, 10), { who: 'creator', may }]);
  await session.setAccess('/x', [{ who: 'anyone', may }]);
  await session.create('/y', text('x'.repeat(1500)));
  await store.close();
});
