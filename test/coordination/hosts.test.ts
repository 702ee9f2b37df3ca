// Who is there, and that no two hosts have one name or one address.

import t from 'tap';
import { Hosts } from '../../coordination/hosts.js';
import { ensureLayout, register } from '../../coordination/host/registration.js';
import { assignmentPath, EPOCH, hostPath, memberOf } from '../../coordination/paths.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { toData } from '../../coordination/store/json-node.js';
import type { Session } from '../../coordination/store/contract.js';

async function opened(): Promise<{ readonly store: EmbeddedStore; readonly a: Session; readonly b: Session }> {
  const store = await EmbeddedStore.open({ directory: null });
  const [a, b] = await Promise.all([store.connect(), store.connect()]);
  await ensureLayout(a);
  return { store, a, b };
}

t.test('hosts are listed with what is placed on them, and who is master', async (t) => {
  const { store, a, b } = await opened();
  const hosts = new Hosts(async () => a);
  t.strictSame(await hosts.list(), []);
  await register(b, { host: 'b', boot: '1', slots: 2 });
  await register(a, { host: 'a', boot: '2', slots: 3, url: 'http://127.0.0.1:7070' });
  const place = { host: 'b', boot: '1' };
  const places = [
    { ...place, slot: 0 },
    { ...place, slot: 1 },
  ];
  const assignment = { name: 't', id: 'i', epoch: 1, revision: 1, wanted: 'active', kill: null, places };
  await a.create(assignmentPath('t'), toData(assignment));
  await a.create(EPOCH, toData({ epoch: 1, member: memberOf('a', '2'), nonce: 'n' }));
  await a.create(hostPath('nonsense'), Buffer.from('{'));
  t.strictSame(await hosts.list(), [
    {
      host: 'a',
      boot: '2',
      slots: 3,
      url: 'http://127.0.0.1:7070',
      state: 'up',
      used: 0,
      master: true,
      drainedSinceMs: null,
      problem: null,
    },
    { host: 'b', boot: '1', slots: 2, state: 'up', used: 2, master: false, drainedSinceMs: null, problem: null },
  ]);
  t.match(await hosts.at({ host: 'a', boot: '2', slot: 0 }), { url: 'http://127.0.0.1:7070' });
  t.equal(await hosts.at({ host: 'a', boot: '1', slot: 0 }), null, 'another life');
  await store.close();
});

t.test('what keeps a host apart from others is told of it', async (t) => {
  const { store, a } = await opened();
  const hosts = new Hosts(async () => a);
  const problems = async (): Promise<unknown> => (await hosts.list()).map(({ host, problem }) => [host, problem]);
  await register(a, { host: 'new', boot: '1', slots: 1, protocol: 2 });
  t.strictSame(await problems(), [['new', null]], 'a protocol alone is none');
  await a.create(hostPath('edited~1'), toData({ host: 'edited', boot: '1', slots: 0, protocol: 2 }));
  for (let n = 10; n < 22; n++) await register(a, { host: `old-${n}`, boot: '1', slots: 1 });
  const [edited, next, first] = (await problems()) as readonly (readonly [string, string])[];
  t.strictSame(edited, ['edited', 'it has no slots']);
  const shown = Array.from({ length: 10 }, (_, n) => `old-${n + 10} (protocol 0)`).join(', ');
  t.strictSame(next, ['new', `it speaks protocol 2, so it runs no topology with ${shown} and 2 more`]);
  const others = 'edited (protocol 2), new (protocol 2)';
  t.strictSame(first, ['old-10', `it speaks protocol 0, so it runs no topology with ${others}`]);
  await store.close();
});

t.test('a name belongs to who came first, until its session is over', async (t) => {
  const { store, a, b } = await opened();
  await register(a, { host: 'one', boot: '1', slots: 1 });
  await register(a, { host: 'one', boot: '1', slots: 1 });
  const taken = { code: 'MILLRACE_HOST_NAME_TAKEN', message: /"one" \(its process is 1\)/ };
  await t.rejects(register(b, { host: 'one', boot: '2', slots: 1 }), taken);
  await register(b, { host: 'one-more', boot: '2', slots: 1 });
  await register(a, { host: 'one', boot: '1', slots: 1 });
  await store.expire(a.id);
  await register(b, { host: 'one', boot: '2', slots: 1 });
  t.strictSame(await b.children('/hosts'), ['one-more~2', 'one~2']);
  await store.close();
});

t.test('an address belongs to who came first, be it that of its HTTP interface or of its door', async (t) => {
  const { store, a, b } = await opened();
  const [url, door] = ['http://127.0.0.1:7070', '127.0.0.1:7071'];
  await register(a, { host: 'one', boot: '1', slots: 1, url, door });
  const second = { host: 'two', boot: '2', slots: 1 };
  for (const same of [{ url }, { door }]) {
    const message = new RegExp(`host "one" .* is at ${same.url ?? door} already, so host "two"`);
    await t.rejects(register(b, { ...second, ...same }), { code: 'MILLRACE_HOST_ADDRESS_TAKEN', message });
  }
  await register(b, { ...second, url: 'http://127.0.0.1:7072', door: '127.0.0.1:7073' });
  // Every machine has that loopback address.
  await register(b, { host: 'far', boot: '3', slots: 1, url, door: '10.0.0.2:7071' });
  await register(a, { host: 'one', boot: '1', slots: 1, url, door });
  await store.close();
});
