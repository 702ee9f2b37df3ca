// Part of the suite of the contract: who may do what. Sessions with other credentials on one store stand for the users;
// what ZooKeeper's digest scheme says is what holds everywhere.

import type { Test } from 'tap';
import { digestOf } from '../../../coordination/store/access.js';
import type { AccessRule, Operation, Permission, Session } from '../../../coordination/store/contract.js';
import { operationOf } from '../../../coordination/store/store-errors.js';
import { Seen, text, textOf, type Opened } from './contract-kit.js';

const ann = { user: 'ann', password: 'Größe: 1' };
const bob = { user: 'bob', password: 'secret' };
const everything: readonly Permission[] = ['read', 'write', 'create', 'delete', 'admin'];
const forbidden = { code: 'MILLRACE_STORE_FORBIDDEN', status: 403 };

type Body = (t: Test, ann: Session, bob: Session, nobody: Session) => Promise<void>;

/** Runs this part; each test has a store of its own, and three sessions with it. */
export function accessSuite(t: Test, name: string, open: (t: Test) => Promise<Opened>): void {
  const test = (title: string, body: Body): void =>
    void t.test(`${name}: ${title}`, async (t) => {
      const { store, close } = await open(t);
      try {
        const sessions = [{ credentials: [ann] }, { credentials: [bob] }, {}].map((options) => store.connect(options));
        const [a, b, nobody] = await Promise.all(sessions);
        await body(t, a!, b!, nobody!);
      } finally {
        await close();
      }
    });

  test('a node is open to everybody, unless rules say otherwise', async (t, a, b, nobody) => {
    await a.create('/open', text(''));
    await nobody.sync('/open');
    t.strictSame(await nobody.access('/open'), [{ who: 'anyone', may: everything }]);
    await a.create('/mine', text('1'), 'persistent', { access: [{ who: 'creator', may: everything }] });
    t.strictSame(await a.access('/mine'), [{ who: { user: 'ann', digest: digestOf(ann) }, may: everything }]);
    for (const other of [b, nobody]) {
      await other.sync('/mine');
      await t.rejects(other.get('/mine'), { ...forbidden, message: /read node "\/mine"/ });
      await t.rejects(other.children('/mine'), forbidden);
      await t.rejects(other.access('/mine'), forbidden);
      await t.rejects(other.set('/mine', text(''), 7), forbidden, 'before the version is looked at');
      await t.rejects(other.create('/mine/child', text('')), forbidden);
      await t.rejects(other.delete('/mine/none', null), forbidden, 'before the node is looked for');
      await t.rejects(other.setAccess('/mine', [{ who: 'anyone', may: ['read'] }]), forbidden);
      t.equal((await other.exists('/mine'))?.version, 0, 'that it is there is no secret');
    }
    await a.create('/mine/child', text(''));
    t.strictSame(await a.access('/mine/child'), [{ who: 'anyone', may: everything }], 'rules are not inherited');
    await b.set('/mine/child', text('open'), 0);
    await t.rejects(b.delete('/mine/child', null), { ...forbidden, message: /delete node "\/mine\/child"/ });
    await a.delete('/mine/child', null);
    await b.delete('/mine', 0);
    await a.sync('/mine');
    t.equal(await a.exists('/mine'), null, 'its parent says who may delete it');
  });

  test('each permission lets one thing', async (t, a, b) => {
    const calls: Readonly<Record<Permission, (path: string) => readonly (() => Promise<unknown>)[]>> = {
      read: (path) => [
        () => b.get(path),
        () => b.children(path),
        () => b.multi([{ type: 'check', path, version: null }]),
      ],
      write: (path) => [
        () => b.set(path, text('x'), null),
        () => b.multi([{ type: 'set', path, data: text(''), version: null }]),
      ],
      create: (path) => [() => b.create(`${path}/made`, text(''))],
      delete: (path) => [() => b.delete(`${path}/old`, null)],
      admin: (path) => [() => b.setAccess(path, [{ who: 'anyone', may: everything }])],
    };
    for (const given of everything) {
      const path = `/${given}`;
      const access: readonly AccessRule[] = [
        { who: 'creator', may: everything },
        { who: { user: 'bob', digest: digestOf(bob) }, may: [given] },
      ];
      await a.create(path, text(''), 'persistent', { access });
      await a.create(`${path}/old`, text(''));
      await b.sync(path);
      for (const tried of everything.filter((each) => each !== given)) {
        for (const call of calls[tried](path)) await t.rejects(call, forbidden, `${tried} with ${given}`);
      }
      for (const call of calls[given](path)) await call();
    }
  });

  test('a user is its name and its password', async (t, a, b, nobody) => {
    const who = { user: 'ann', digest: digestOf({ user: 'ann', password: 'another' }) };
    await nobody.create('/x', text(''), 'persistent', { access: [{ who, may: everything }] });
    for (const each of [a, b, nobody]) {
      await each.sync('/x');
      await t.rejects(each.get('/x'), forbidden);
    }
    t.equal(digestOf({ user: 'bob', password: 'secret' }), digestOf(bob));
    t.equal(digestOf({ user: 'super', password: 'admin' }), 'xQJmxLMiHGwaqBvst5y6rkB6HQs=', 'as ZooKeeper says it');
  });

  test('who may read sees the rules, and digests only who administers', async (t, a, b) => {
    const access: readonly AccessRule[] = [
      { who: 'creator', may: everything },
      { who: 'anyone', may: ['read'] },
      { who: 'anyone', may: ['read'] },
    ];
    await a.create('/r', text(''), 'persistent', { access });
    await b.sync('/r');
    const seen = await b.access('/r');
    t.strictSame(seen, [
      { who: { user: 'ann', digest: 'x' }, may: everything },
      { who: 'anyone', may: ['read'] },
    ]);
    await t.rejects(a.setAccess('/r', seen), { code: 'MILLRACE_STORE_ACCESS', status: 400 }, 'x is no digest');
    await t.rejects(a.access('/none'), { code: 'MILLRACE_STORE_NO_NODE' });
    await t.rejects(a.setAccess('/none', access), { code: 'MILLRACE_STORE_NO_NODE' });
  });

  test('rules are changed, and neither version nor revision with them', async (t, a, b) => {
    await a.create('/c', text('1'));
    const before = await a.exists('/c');
    await a.setAccess('/c', [{ who: 'creator', may: ['write', 'read', 'admin'] }]);
    await b.sync('/c');
    await t.rejects(b.get('/c'), forbidden);
    t.strictSame(await a.exists('/c'), before);
    t.strictSame(await a.access('/c'), [
      { who: { user: 'ann', digest: digestOf(ann) }, may: ['read', 'write', 'admin'] },
    ]);
    await t.rejects(a.create('/c/d', text('')), forbidden, 'its own rules bind who made them as well');
    await a.setAccess('/c', [{ who: 'anyone', may: everything }]);
    await b.sync('/c');
    t.equal(textOf((await b.get('/c')).data), '1');
  });

  test('a transaction that may not do one thing does nothing', async (t, a, b) => {
    const operations: readonly Operation[] = [
      { type: 'create', path: '/t', data: text(''), access: [{ who: 'creator', may: everything }] },
      { type: 'create', path: '/t/sub', data: text('') },
      { type: 'set', path: '/t', data: text('1'), version: 0 },
    ];
    t.equal((await a.multi(operations)).length, 3, 'the creator may go on at once');
    const refused: unknown = await b
      .multi([
        { type: 'create', path: '/free', data: text('') },
        { type: 'create', path: '/t/forbidden', data: text('') },
      ])
      .catch((error: unknown) => error);
    t.match(refused, { ...forbidden, message: /create node "\/t\/forbidden"/ });
    t.equal(operationOf(refused), 1);
    t.equal(await b.exists('/free'), null);
    const wrong: unknown = await b
      .multi([
        { type: 'check', path: '/', version: null },
        { type: 'create', path: '/x', data: text(''), access: [] },
      ])
      .catch((error: unknown) => error);
    t.match(wrong, { code: 'MILLRACE_STORE_ACCESS' });
    t.equal(operationOf(wrong), 1);
  });

  test('rules that cannot be are refused', async (t, a, b, nobody) => {
    await a.create('/a', text(''));
    const digest = digestOf(ann);
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [[], /there are none/],
      [Array(65).fill({ who: 'anyone', may: ['read'] }), /more than 64/],
      [[{ who: 'anyone', may: [] }], /permits nothing/],
      [[{ who: 'anyone', may: ['fly'] }], /"fly" is no permission/],
      [[{ who: 'me', may: ['read'] }], /"me" is nobody/],
      [[{ who: null, may: ['read'] }], /"null" is nobody/],
      [[{ who: { user: '', digest }, may: ['read'] }], /has no name/],
      [[{ who: { user: 'a:b', digest }, may: ['read'] }], /has a ":"/],
      [[{ who: { user: 'a'.repeat(257), digest }, may: ['read'] }], /longer than 256/],
      [[{ who: { user: 'ann', digest: 'secret' }, may: ['read'] }], /digest of user "ann"/],
    ];
    for (const [rules, reason] of wrong) {
      const access = rules as readonly AccessRule[];
      const expected = { code: 'MILLRACE_STORE_ACCESS', message: reason };
      await t.rejects(a.create('/x', text(''), 'persistent', { access }), expected);
      await t.rejects(a.setAccess('/a', access), expected);
    }
    const creator: readonly AccessRule[] = [{ who: 'creator', may: ['read'] }];
    const expected = { code: 'MILLRACE_STORE_ACCESS', message: /no credentials/ };
    await t.rejects(nobody.create('/x', text(''), 'persistent', { access: creator }), expected);
    await t.rejects(nobody.setAccess('/a', creator), expected);
    await b.sync('/a');
    t.equal(await b.exists('/x'), null);
    t.strictSame(await b.access('/a'), [{ who: 'anyone', may: everything }]);
  });

  test('a watch of what may not be read tells it as soon as it may', async (t, a, b) => {
    const access: readonly AccessRule[] = [{ who: 'creator', may: everything }];
    await a.create('/w', text('hidden'), 'persistent', { access });
    await b.sync('/w');
    const data = new Seen<string | null>();
    const names = new Seen<readonly string[] | null>();
    b.watchNode('/w', (node) => data.listener(node === null ? null : textOf(node.data)));
    b.watchChildren('/w', names.listener);
    await a.set('/w', text('still hidden'), null);
    await a.create('/w/child', text(''));
    await b.sync('/w');
    await t.rejects(b.get('/w'), forbidden);
    t.strictSame([data.states, names.states], [[], []]);
    await a.setAccess('/w', [...access, { who: 'anyone', may: ['read'] }]);
    await data.until((state) => state === 'still hidden');
    await names.until((state) => state?.join() === 'child');
    t.strictSame([data.states, names.states], [['still hidden'], [['child']]]);
    await a.setAccess('/w', access);
    await a.delete('/w/child', null);
    await a.delete('/w', null);
    await data.until((state) => state === null);
    await names.until((state) => state === null);
  });
}
