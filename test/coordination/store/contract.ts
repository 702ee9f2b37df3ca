// What every store must do: the suite that each implementation runs. A store comes from `open`, new and empty; sessions
// of one store stand for the hosts that share it. Nothing in here waits for a time: each test waits for what must come.

import t, { type Test } from 'tap';
import { failure } from '../../../engine/errors.js';
import { STORE_NODE_BYTES_MAX, STORE_TRANSACTION_BYTES_MAX } from '../../../engine/limits.js';
import type { CreateMode, Session, SessionEvent } from '../../../coordination/store/contract.js';
import { operationOf } from '../../../coordination/store/store-errors.js';
import { accessSuite } from './contract-access.js';
import { Seen, text, textOf, twoSessions, type Opened } from './contract-kit.js';
import { watchSuite } from './contract-watches.js';

export { Seen, text, textOf, type Opened } from './contract-kit.js';

/** Runs the suite; each test has a store of its own, and two sessions with it. */
export function contractSuite(name: string, open: (t: Test) => Promise<Opened>): void {
  accessSuite(t, name, open);
  watchSuite(t, name, open);
  const test = twoSessions(t, name, open);

  test('a node is created, read, set and deleted, and every session sees it', async (t, a, b) => {
    t.not(a.id, b.id);
    t.equal(await a.create('/one', text('1')), '/one');
    await b.sync('/one');
    const node = await b.get('/one');
    t.equal(textOf(node.data), '1');
    t.match(node, { path: '/one', stat: { version: 0, ephemeralOwner: null, childCount: 0 } });
    t.equal(node.stat.createRevision, node.stat.modifyRevision);
    const stat = await b.set('/one', text('2'), 0);
    t.equal(stat.version, 1);
    t.equal(stat.createRevision, node.stat.createRevision);
    t.ok(stat.modifyRevision > node.stat.modifyRevision, 'revisions grow');
    await a.create('/one/two', text(''));
    t.equal((await a.exists('/one'))?.childCount, 1);
    t.strictSame(await a.children('/one'), ['two']);
    await a.delete('/one/two', 0);
    await a.delete('/one', 1);
    t.equal(await a.exists('/one'), null);
    await b.create('/one', text('again'));
    const again = await b.get('/one');
    t.equal(again.stat.version, 0, 'versions begin again');
    t.ok(again.stat.createRevision > stat.modifyRevision, 'revisions do not');
  });

  test('the root is there, and cannot be deleted', async (t, a) => {
    t.strictSame(await a.children('/'), []);
    t.equal((await a.get('/')).data.byteLength, 0);
    await t.rejects(a.delete('/', null), { code: 'MILLRACE_STORE_PATH' });
    await t.rejects(a.create('/', text('')), { code: 'MILLRACE_STORE_NODE_EXISTS' });
  });

  test('what cannot be done is refused with its code, and changes nothing', async (t, a) => {
    await a.create('/a', text('1'));
    await a.create('/a/b', text(''));
    await a.create('/e', text(''), 'ephemeral');
    await t.rejects(a.create('/a', text('2')), { code: 'MILLRACE_STORE_NODE_EXISTS', status: 409 });
    await t.rejects(a.create('/x/y', text('')), { code: 'MILLRACE_STORE_NO_NODE', status: 404, message: /"\/x"/ });
    await t.rejects(a.create('/e/f', text('')), { code: 'MILLRACE_STORE_EPHEMERAL_PARENT' });
    await t.rejects(a.get('/x'), { code: 'MILLRACE_STORE_NO_NODE' });
    await t.rejects(a.children('/x'), { code: 'MILLRACE_STORE_NO_NODE' });
    await t.rejects(a.set('/x', text(''), null), { code: 'MILLRACE_STORE_NO_NODE' });
    await t.rejects(a.delete('/x', null), { code: 'MILLRACE_STORE_NO_NODE' });
    await t.rejects(a.set('/a', text('2'), 1), { code: 'MILLRACE_STORE_BAD_VERSION' });
    await t.rejects(a.delete('/a', 7), { code: 'MILLRACE_STORE_BAD_VERSION' });
    await t.rejects(a.delete('/a', null), { code: 'MILLRACE_STORE_NOT_EMPTY' });
    t.equal(await a.exists('/x'), null);
    t.equal(textOf((await a.get('/a')).data), '1');
    t.equal((await a.get('/a')).stat.version, 0);
  });

  test('paths and sizes are checked', async (t, a) => {
    for (const path of [
      '',
      'a',
      '/a/',
      '//a',
      '/a//b',
      '/.',
      '/a/..',
      '/a\u0000',
      '/a\u001f',
      '/\ud800',
      `/${'x'.repeat(2000)}`,
    ]) {
      await t.rejects(a.create(path, text('')), { code: 'MILLRACE_STORE_PATH' }, JSON.stringify(path.slice(0, 20)));
      await t.rejects(a.get(path), { code: 'MILLRACE_STORE_PATH' });
      t.throws(() => a.watchNode(path, () => undefined), { code: 'MILLRACE_STORE_PATH' });
    }
    await a.create('/Größe.1 ~', new Uint8Array(STORE_NODE_BYTES_MAX));
    t.equal((await a.get('/Größe.1 ~')).data.byteLength, STORE_NODE_BYTES_MAX);
    const large = new Uint8Array(STORE_NODE_BYTES_MAX + 1);
    await t.rejects(a.create('/large', large), { code: 'MILLRACE_STORE_TOO_LARGE', status: 413 });
    await t.rejects(a.set('/Größe.1 ~', large, null), { code: 'MILLRACE_STORE_TOO_LARGE' });
    const data = new Uint8Array(STORE_TRANSACTION_BYTES_MAX / 2);
    const two = ['/t1', '/t2', '/t3'].map((path) => ({ type: 'create', path, data }) as const);
    await t.rejects(a.multi(two), { code: 'MILLRACE_STORE_TOO_LARGE' });
    t.equal(await a.exists('/t1'), null);
  });

  test('a mode that there is not is refused', async (t, a) => {
    for (const mode of ['container', '', 'toString', 3, null]) {
      const wrong = mode as CreateMode;
      const refused = { code: 'MILLRACE_STORE_MODE', status: 400, message: new RegExp(`"/m".*"${String(mode)}"`) };
      await t.rejects(a.create('/m', text(''), wrong), refused);
      const failed = a.multi([
        { type: 'create', path: '/n', data: text('') },
        { type: 'create', path: '/m', data: text(''), mode: wrong },
      ]);
      const error: unknown = await failed.catch((thrown: unknown) => thrown);
      t.match(error, refused);
      t.equal(operationOf(error), 1);
    }
    t.strictSame(await a.children('/'), []);
  });

  test('the caller may write into its buffer again, and into what it read', async (t, a) => {
    const data = text('same');
    const made = a.create('/a', data);
    await made;
    data.fill(0);
    (await a.get('/a')).data.fill(0);
    t.equal(textOf((await a.get('/a')).data), 'same');
  });

  test('sequential nodes get numbers that grow, also after deletes', async (t, a, b) => {
    await a.create('/q', text(''));
    const first = await a.create('/q/n_', text('1'), 'persistent-sequential');
    t.match(first, /^\/q\/n_\d{10}$/);
    await a.delete(first, null);
    const paths = await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? a : b).create('/q/n_', text(''), 'ephemeral-sequential')),
    );
    await a.sync('/q');
    const names = await a.children('/q');
    t.equal(new Set(paths).size, 12);
    t.strictSame(names, paths.map((path) => path.slice(3)).sort());
    t.ok(paths.every((path) => path > first));
    t.match(await a.create('/q/', text(''), 'persistent-sequential'), /^\/q\/\d{10}$/, 'with no name of its own');
    for (const mode of ['persistent-sequential', 'ephemeral-sequential'] as const) {
      const path = await a.create('/', text(''), mode);
      t.match(path, /^\/\d{10}$/, 'at the root');
      t.ok((await a.children('/')).includes(path.slice(1)));
      const [made] = await a.multi([{ type: 'create', path: '/', data: text(''), mode }]);
      t.match(made, { type: 'create', path: /^\/\d{10}$/ });
    }
  });

  test('ephemeral nodes go with their session: closed', async (t, a, b) => {
    await a.create('/p', text(''));
    await a.create('/p/e', text(''), 'ephemeral');
    await b.create('/p/other', text(''), 'ephemeral');
    t.equal((await b.get('/p/e')).stat.ephemeralOwner, a.id);
    const seen = new Seen<readonly string[] | null>();
    b.watchChildren('/p', seen.listener);
    await seen.until((names) => names?.length === 2);
    const events: SessionEvent[] = [];
    a.onEvent((event) => events.push(event));
    await a.close();
    await b.sync('/p');
    t.equal(await b.exists('/p/e'), null, 'gone when close resolves');
    await seen.until((names) => names?.join() === 'other');
    t.strictSame([a.state, a.ended.aborted, events], ['closed', true, [{ type: 'closed' }]]);
    await a.close();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => a.get('/p'),
      () => a.create('/y', text('')),
      () => a.multi([]),
      () => a.sync('/'),
    ];
    for (const call of calls) {
      await t.rejects(async () => void (await call()), { code: 'MILLRACE_STORE_CLOSED' });
    }
    t.throws(() => a.watchNode('/p', () => undefined), { code: 'MILLRACE_STORE_CLOSED' });
  });

  test('ephemeral nodes go with their session: lost', async (t, a, b, opened) => {
    await a.create('/e', text(''), 'ephemeral');
    const seen = new Seen<unknown>();
    b.watchNode('/e', seen.listener);
    const events: SessionEvent[] = [];
    a.onEvent((event) => events.push(event));
    a.onEvent(() => t.fail('closed')).close();
    const lost = new Promise<void>((resolve) => a.ended.addEventListener('abort', () => resolve()));
    a.watchNode('/e', (node) => t.not(node, null, 'nothing is heard after the end'));
    await opened.expire(a);
    await lost;
    await seen.until((node) => node === null);
    t.equal(a.state, 'lost');
    t.match(a.ended.reason, { code: 'MILLRACE_STORE_SESSION_LOST' });
    // A remote store ends the connection first, and the session may come back once before it is over.
    t.strictSame(
      events.filter(({ type }) => type !== 'suspended' && type !== 'reconnected'),
      [{ type: 'lost' }],
    );
    t.equal(events.at(-1)?.type, 'lost');
    await t.rejects(a.set('/e', text(''), null), { code: 'MILLRACE_STORE_SESSION_LOST' });
    const c = await opened.store.connect();
    t.notOk([a.id, b.id].includes(c.id));
    await c.create('/e', text(''), 'ephemeral');
  });

  test('a transaction does all or nothing, and names what failed', async (t, a) => {
    await a.create('/v', text('0'));
    await a.create('/s', text(''));
    const results = await a.multi([
      { type: 'check', path: '/v', version: 0 },
      { type: 'create', path: '/v/c', data: text('c') },
      { type: 'create', path: '/v/c/s_', data: text(''), mode: 'persistent-sequential' },
      { type: 'set', path: '/v', data: text('1'), version: 0 },
      { type: 'set', path: '/v', data: text('2'), version: 1 },
      { type: 'delete', path: '/v/c/s_0000000000', version: 0 },
    ]);
    t.match(results, [
      { type: 'check' },
      { type: 'create', path: '/v/c' },
      { type: 'create', path: '/v/c/s_0000000000' },
      { type: 'set', stat: { version: 1 } },
      { type: 'set', stat: { version: 2 } },
      { type: 'delete' },
    ]);
    const failed = a.multi([
      { type: 'create', path: '/v/d', data: text('') },
      { type: 'set', path: '/v', data: text('3'), version: null },
      { type: 'delete', path: '/v/c', version: null },
      { type: 'create', path: '/s/e_', data: text(''), mode: 'ephemeral-sequential' },
      { type: 'check', path: '/v', version: 0 },
      { type: 'check', path: '/nowhere', version: null },
    ]);
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    t.match(error, { code: 'MILLRACE_STORE_BAD_VERSION', message: /"\/v"/ });
    t.equal(operationOf(error), 4);
    t.equal(textOf((await a.get('/v')).data), '2');
    t.equal((await a.get('/v')).stat.version, 2);
    t.strictSame(await a.children('/v'), ['c']);
    t.equal(await a.create('/s/e_', text(''), 'ephemeral-sequential'), '/s/e_0000000000', 'the number was not used up');
    t.strictSame(await a.multi([]), []);
    t.equal(operationOf(new Error('x')), null);
    t.equal(operationOf(failure('MILLRACE_STORE_NO_NODE', { path: '/' })), null);
  });

  test('version 0 in a transaction is version 0, not any', async (t, a) => {
    await a.create('/v', text(''));
    await a.set('/v', text('1'), 0);
    await t.rejects(a.multi([{ type: 'check', path: '/v', version: 0 }]), { code: 'MILLRACE_STORE_BAD_VERSION' });
    await t.rejects(a.multi([{ type: 'set', path: '/v', data: text(''), version: 0 }]), {
      code: 'MILLRACE_STORE_BAD_VERSION',
    });
    await t.rejects(a.multi([{ type: 'delete', path: '/v', version: 0 }]), { code: 'MILLRACE_STORE_BAD_VERSION' });
    await a.multi([{ type: 'check', path: '/v', version: null }]);
  });

  test('of many that compare and set, one wins each version', async (t, a, b) => {
    await a.create('/n', text('0'));
    await b.sync('/n');
    let lost = 0;
    const add = async (session: Session): Promise<void> => {
      for (let done = 0; done < 25;) {
        const { data, stat } = await session.get('/n');
        const set = session.set('/n', text(String(Number(textOf(data)) + 1)), stat.version);
        await set.then(
          () => done++,
          () => lost++,
        );
      }
    };
    await Promise.all([add(a), add(b), add(a), add(b)]);
    await a.sync('/n');
    const { data, stat } = await a.get('/n');
    t.strictSame([textOf(data), stat.version], ['100', 100]);
    t.ok(lost > 0);
  });

  test('calls of one session are carried out in their order', async (t, a) => {
    const calls = [
      a.create('/o', text('')),
      a.create('/o/1', text('')),
      a.children('/o'),
      a.delete('/o/1', null),
      a.children('/o'),
      a.delete('/o', null),
      a.exists('/o'),
    ];
    const results = await Promise.all(calls);
    t.strictSame([results[2], results[4], results[6]], [['1'], [], null]);
  });

  test('a call that is made any moment after another one is answered', async (t, a, b) => {
    for (let ticks = 0; ticks < 30; ticks++) {
      let later: Promise<unknown> = a.exists('/');
      for (let tick = 0; tick < ticks; tick++) later = later.then(() => undefined);
      await later.then(() => b.exists('/'));
    }
    t.pass('30 moments');
  });

  test('a call that was given no time is not made', async (t, a, _, opened) => {
    const unavailable = { code: 'MILLRACE_STORE_UNAVAILABLE', message: /which is no time/ };
    for (const timeoutMs of [0, -1, NaN, -Infinity]) {
      await t.rejects(a.create('/a', text(''), 'persistent', { timeoutMs }), unavailable, `create in ${timeoutMs} ms`);
      await t.rejects(a.multi([{ type: 'create', path: '/a', data: text('') }], { timeoutMs }), unavailable);
      await t.rejects(a.get('/', { timeoutMs }), unavailable);
      await t.rejects(a.sync('/', { timeoutMs }), unavailable);
      await t.rejects(opened.store.connect({ timeoutMs }), unavailable);
    }
    t.equal(await a.exists('/a'), null);
    await a.create('/a', text(''), 'persistent', { timeoutMs: Infinity });
    t.equal(a.state, 'connected');
  });

  test('a call that was given up before is not made', async (t, a) => {
    const reason = new Error('enough');
    await t.rejects(a.create('/a', text(''), 'persistent', { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const call = a.get('/', { signal: controller.signal });
    controller.abort(reason);
    await t.rejects(call, reason);
    t.equal(await a.exists('/a'), null);
  });
}
