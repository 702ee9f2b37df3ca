// A disk that is full, or broken, and calls that are given up: what is refused changed nothing, and when there is room
// again the store goes on.

import { join } from 'node:path';
import t from 'tap';
import type { Session } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { openFile, type OpenFile, type StoreFile } from '../../../coordination/store/embedded/files.js';
import { isPassing, isSessionOver } from '../../../coordination/store/store-errors.js';
import { VirtualClock } from '../../../engine/clock.js';
import { STORE_CALLS_MAX, STORE_WATCHES_MAX } from '../../../engine/limits.js';
import { Seen, text, textOf } from './contract.js';

/** A disk that does what it is told. */
class Disk {
  /** Bytes that still fit. */
  room = Infinity;
  failing: { readonly sync?: string; readonly truncate?: string } = {};
  /** Resolves before a sync goes on. */
  gate: Promise<void> = Promise.resolve();

  /** Files that there is no room for. */
  refused: RegExp | null = null;

  readonly open: OpenFile = async (path) => {
    if (this.refused?.test(path) === true) throw Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' });
    const file = await openFile(path);
    const fail = (what: 'sync' | 'truncate'): void => {
      const code = this.failing[what];
      if (code !== undefined) throw Object.assign(new Error(`${code}: it broke`), { code });
    };
    const faulty: StoreFile = {
      write: async (data, position) => {
        const fits = Math.min(this.room, data.byteLength);
        await file.write(data.subarray(0, fits), position);
        this.room -= fits;
        if (fits < data.byteLength)
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      },
      sync: async () => {
        await this.gate;
        fail('sync');
        await file.sync();
      },
      truncate: async (bytes) => {
        fail('truncate');
        await file.truncate(bytes);
      },
      close: () => file.close(),
    };
    return faulty;
  };
}

void t.test('a full disk refuses writes whole, at any byte, and goes on when there is room', async (t) => {
  const base = t.testdir();
  for (let room = 0; room < 300; room += 7) {
    const directory = join(base, String(room));
    const disk = new Disk();
    const store = await EmbeddedStore.open({ directory, openFile: disk.open });
    const session = await store.connect();
    await session.create('/a', text('kept'));
    const seen = new Seen<string | null>();
    session.watchNode('/a', (node) => seen.listener(node === null ? null : textOf(node.data)));
    disk.room = room;
    const data = text('x'.repeat(150));
    const calls = [
      session.set('/a', data, 0),
      session.create('/b', data),
      session.multi([{ type: 'delete', path: '/a', version: null }]),
    ];
    const results = await Promise.allSettled(calls);
    const read = session.get('/a');
    for (const result of results) {
      const reason = result.status === 'rejected' ? (result.reason as { code: string }) : null;
      if (reason?.code !== 'MILLRACE_STORE_FULL' || !isPassing(reason) || isSessionOver(reason)) {
        t.fail(`${room}: ${JSON.stringify(result)}`);
      }
    }
    if (textOf((await read).data) !== 'kept' || (await session.exists('/b')) !== null) t.fail(`${room}: half applied`);
    disk.room = Infinity;
    await session.set('/a', text('after'), 0);
    await seen.until((state) => state === 'after');
    if (seen.states.some((state) => state !== 'kept' && state !== 'after')) t.fail(`${room}: told what never was`);
    await store.close();
    const again = await EmbeddedStore.open({ directory });
    if (again.tornBytes !== 0 || textOf((await (await again.connect()).get('/a')).data) !== 'after')
      t.fail(`${room}: lost`);
    await again.close();
  }
  t.pass('43 fillings');
});

void t.test('a session that ends while the disk is full is over all the same', async (t) => {
  const directory = t.testdir();
  const disk = new Disk();
  const store = await EmbeddedStore.open({ directory, openFile: disk.open });
  const [a, b] = await Promise.all([store.connect(), store.connect()]);
  await a.create('/e', text(''), 'ephemeral');
  const seen = new Seen<unknown>();
  b.watchNode('/e', seen.listener);
  await seen.until((node) => node !== null);
  disk.room = 3;
  const refused = t.rejects(b.create('/b', text('')), { code: 'MILLRACE_STORE_FULL' });
  await a.close();
  await refused;
  await seen.until((node) => node === null);
  await t.rejects(b.create('/b', text('')), { code: 'MILLRACE_STORE_FULL' });
  disk.room = Infinity;
  await b.create('/e', text('taken over'));
  await store.close();
  const again = await EmbeddedStore.open({ directory });
  t.equal(textOf((await (await again.connect()).get('/e')).data), 'taken over');
  await again.close();
});

void t.test('rules that a full disk refused do not count', async (t) => {
  const directory = t.testdir();
  const disk = new Disk();
  const store = await EmbeddedStore.open({ directory, openFile: disk.open });
  const credentials = [{ user: 'ann', password: 'secret' }];
  const [ann, nobody] = await Promise.all([store.connect({ credentials }), store.connect()]);
  await ann.create('/a', text('open'));
  disk.room = 5;
  const rules = [{ who: 'creator', may: ['read', 'admin'] }] as const;
  const read = nobody.get('/a');
  await t.rejects(ann.setAccess('/a', rules), { code: 'MILLRACE_STORE_FULL' });
  t.equal(textOf((await read).data), 'open');
  t.equal(textOf((await nobody.get('/a')).data), 'open');
  disk.room = Infinity;
  await ann.setAccess('/a', rules);
  await t.rejects(nobody.get('/a'), { code: 'MILLRACE_STORE_FORBIDDEN' });
  await store.close();
});

void t.test('a log that cannot be replaced grows, and is replaced later', async (t) => {
  const directory = t.testdir();
  const disk = new Disk();
  const warnings: string[] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (line: string) => void warnings.push(line),
    error: () => undefined,
  };
  const store = await EmbeddedStore.open({ directory, openFile: disk.open, logger, logBytesMax: 400 });
  const session = await store.connect();
  disk.refused = /snapshot|1\.log/;
  let written = 0;
  while (warnings.length === 0) await session.create(`/n${written++}`, text('x'.repeat(20)));
  t.match(warnings[0], /could not be replaced: ENOSPC/);
  disk.refused = null;
  for (let more = 0; more < 20; more++) await session.create(`/n${written++}`, text('x'.repeat(20)));
  await store.close();
  const again = await EmbeddedStore.open({ directory });
  t.equal((await (await again.connect()).children('/')).length, written);
  await again.close();
});

void t.test('a disk that breaks: unavailable when the write is undone, uncertain when it is not', async (t) => {
  const disk = new Disk();
  const store = await EmbeddedStore.open({ directory: t.testdir(), openFile: disk.open });
  const session = await store.connect();
  disk.room = 5;
  await t.rejects(session.create('/a', text('')), { code: 'MILLRACE_STORE_FULL', status: 507 });
  disk.room = Infinity;
  disk.failing = { sync: 'EIO' };
  await t.rejects(session.create('/a', text('')), { code: 'MILLRACE_STORE_UNCERTAIN', message: /EIO/ });
  await t.rejects(session.create('/a', text('')), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /EIO/ });
  t.equal(await session.exists('/a'), null, 'reads go on');
  disk.failing = {};
  await session.create('/a', text(''));
  await store.close();
});

void t.test('a full disk when it is opened', async (t) => {
  const directory = t.testdir();
  const disk = new Disk();
  disk.room = 10;
  await t.rejects(EmbeddedStore.open({ directory, openFile: disk.open }), { code: 'MILLRACE_STORE_FULL' });
  disk.room = Infinity;
  const store = await EmbeddedStore.open({ directory, openFile: disk.open });
  t.equal(store.tornBytes, 0);
  await store.close();
});

void t.test('a call that takes too long fails: before its turn it is not made, later nobody knows', async (t) => {
  const clock = new VirtualClock();
  const disk = new Disk();
  const store = await EmbeddedStore.open({ directory: t.testdir(), openFile: disk.open, clock });
  const session = await store.connect();
  let open: () => void = () => undefined;
  disk.gate = new Promise((resolve) => (open = resolve));
  const slow = session.create('/slow', text(''), 'persistent', { timeoutMs: 50 });
  const carried = t.rejects(slow, { code: 'MILLRACE_STORE_UNCERTAIN', message: /"\/slow".*50 ms/ });
  await new Promise((resolve) => setImmediate(resolve));
  const behind = session.create('/behind', text(''), 'persistent', { timeoutMs: 50 });
  const refused = t.rejects(behind, { code: 'MILLRACE_STORE_UNAVAILABLE' });
  const controller = new AbortController();
  const reason = new Error('enough');
  const aborted = t.rejects(session.create('/aborted', text(''), 'persistent', controller), reason);
  const lost: Session = await store.connect();
  const ofLost = t.rejects(lost.create('/lost', text('')), { code: 'MILLRACE_STORE_SESSION_LOST' });
  while (clock.step(60));
  controller.abort(reason);
  await Promise.all([carried, refused, aborted]);
  const expired = store.expire(lost.id);
  open();
  await Promise.all([ofLost, expired]);
  t.strictSame(await session.children('/'), ['slow'], 'the one under way was carried out');
  await store.expire('nobody');
  await store.close();
});

void t.test('what waits, what is followed and what is kept is bounded', async (t) => {
  const store = await EmbeddedStore.open({ directory: null, treeBytesMax: 3000 });
  const session = await store.connect();
  const calls = Array.from({ length: STORE_CALLS_MAX + 1 }, () => session.exists('/'));
  const results = await Promise.allSettled(calls);
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, STORE_CALLS_MAX);
  t.match(results.at(-1), { reason: { code: 'MILLRACE_STORE_TOO_MANY', status: 503 } });
  const watches = Array.from({ length: STORE_WATCHES_MAX }, () => session.watchNode('/', () => undefined));
  t.throws(() => session.watchNode('/', () => undefined), { code: 'MILLRACE_STORE_TOO_MANY' });
  for (const watch of watches) watch.close();
  await new Promise((resolve) => setImmediate(resolve));
  session.watchNode('/', () => undefined);
  await session.create('/a', text('x'.repeat(1000)));
  await t.rejects(session.create('/b', text('x'.repeat(2000))), { code: 'MILLRACE_STORE_FULL', message: /"\/b"/ });
  await t.rejects(session.set('/a', text('x'.repeat(4000)), null), { code: 'MILLRACE_STORE_FULL' });
  await session.delete('/a', null);
  await session.create('/b', text('x'.repeat(2000)));
  await store.close();
});
