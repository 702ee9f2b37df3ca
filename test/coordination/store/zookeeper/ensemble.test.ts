// The store on real servers beyond the suite of the contract: without a chroot, at the limits of a packet, and while
// servers are killed and paused beneath it. What one session does not know of, another one tells.

import t from 'tap';
import type { SessionEvent } from '../../../../coordination/store/contract.js';
import type { ZookeeperSession } from '../../../../coordination/store/zookeeper/zookeeper-session.js';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { startEnsemble } from '../../../../coordination/ensemble/start.js';
import { runningEnsemble } from '../../ensemble/running.js';
import { Seen, text, textOf } from '../contract.js';

t.setTimeout(90_000);
const ensemble = await runningEnsemble(t);
const { connectString } = ensemble;

/** Resolves when that happens to the session. */
const told = async (session: ZookeeperSession, type: SessionEvent['type']): Promise<void> =>
  await new Promise((resolve) => session.onEvent((event) => (event.type === type ? resolve() : undefined)));

void t.test("without a chroot the root is ZooKeeper's own", async (t) => {
  const session = await new ZookeeperStore({ servers: connectString }).connect();
  t.ok((await session.children('/')).includes('zookeeper'));
  t.ok(await session.exists('/'));
  await t.rejects(session.create('/', text('')), { code: 'MILLRACE_STORE_NODE_EXISTS' });
  t.equal(await session.create('/plain', text('1'), 'ephemeral'), '/plain');
  const seen = new Seen<readonly string[] | null>();
  session.watchChildren('/', seen.listener);
  await session.delete('/plain', 0);
  await seen.until((names) => names?.includes('plain') === false);
  t.equal(await session.end(), 'closed');
});

void t.test('versions that no node has match nothing', async (t) => {
  const session = await new ZookeeperStore({ servers: `${connectString}/versions` }).connect();
  await session.create('/v', text(''));
  for (const version of [-1, 0.5, NaN, 2 ** 32, -2]) {
    const expected = { code: 'MILLRACE_STORE_BAD_VERSION' };
    await t.rejects(session.set('/v', text('never'), version), expected, String(version));
    await t.rejects(session.delete('/v', version), expected);
    await t.rejects(session.multi([{ type: 'check', path: '/v', version }]), expected);
  }
  t.equal((await session.exists('/v'))?.version, 0);
  await session.close();
});

void t.test('transactions up to the limits', async (t) => {
  const session = await new ZookeeperStore({ servers: `${connectString}/large` }).connect();
  const data = new Uint8Array(499_000);
  await session.multi(['/a', '/b'].map((path) => ({ type: 'create', path, data })));
  t.equal((await session.get('/b')).data.byteLength, data.byteLength);
  const many = Array.from(
    { length: 5_000 },
    (_, index) => ({ type: 'create', path: `/n${index}`, data: text('') }) as const,
  );
  await session.multi(many);
  t.equal((await session.children('/')).length, 5_002);
  await session.multi(many.map(({ path }) => ({ type: 'delete', path, version: 0 })));
  t.equal(session.state, 'connected');
  await session.close();
});

void t.test('a session outlives the death of its server, with all that it follows', async (t) => {
  const servers = connectString.split(',');
  const store = new ZookeeperStore({ servers: `${connectString}/kill`, sessionTimeoutMs: 6000 });
  const watcher = await store.connect();
  const events: string[] = [];
  watcher.onEvent(({ type }) => events.push(type));
  const writer = await store.connect();
  await watcher.create('/mine', text(''), 'ephemeral');
  const COUNT = 2_000;
  const name = (index: number): string => `/n${String(index).padStart(100, '0')}`;
  const nodes = Array.from(
    { length: COUNT },
    (_, index) => ({ type: 'create', path: name(index), data: text('0') }) as const,
  );
  await writer.multi(nodes);
  const last = new Map<number, string | null>();
  let wake = (): void => undefined;
  const all = async (wanted: string): Promise<void> => {
    while (last.size < COUNT || [...last.values()].some((value) => value !== wanted)) {
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  for (let index = 0; index < COUNT; index++) {
    watcher.watchNode(name(index), (node) => {
      last.set(index, node && textOf(node.data));
      wake();
    });
  }
  await all('0');
  for (let round = 1; round <= servers.length; round++) {
    const ids = [watcher.id, writer.id];
    // One after the other, so that the server of the watcher is among them, and a majority always up.
    const killed = await ensemble.kill(round);
    let written = false;
    while (!written) {
      const sets = nodes.map(({ path }) => ({ type: 'set', path, data: text(String(round)), version: null }) as const);
      written = await writer.multi(sets).then(
        () => true,
        () => false,
      );
    }
    await startEnsemble({ directory: ensemble.directory });
    await ensemble.serving([killed]);
    await all(String(round));
    t.strictSame([watcher.id, writer.id], ids, `the same sessions after the death of server ${killed}`);
  }
  t.equal((await watcher.exists('/mine'))?.ephemeralOwner, watcher.id);
  t.ok(events.includes('suspended'), 'its server was one of them');
  t.notOk(events.includes('lost'));
  t.equal(await watcher.end(), 'closed');
  t.equal(await writer.end(), 'closed');
});

void t.test('a session leaves a paused server in time, and keeps what is ephemeral', async (t) => {
  const store = new ZookeeperStore({ servers: `${connectString}/pause`, sessionTimeoutMs: 3000 });
  const session = await store.connect();
  const events: string[] = [];
  session.onEvent(({ type }) => events.push(type));
  await session.create('/mine', text(''), 'ephemeral');
  for (let paused = 1; paused <= 3 && events.length === 0; paused++) {
    const suspended = Promise.race([told(session, 'suspended'), told(session, 'lost')]);
    await ensemble.pause(paused);
    // Only one that cannot answer lets a call wait for so long.
    const answer = await session.sync('/', { timeoutMs: 4000 }).then(
      () => 'answered',
      () => 'not answered',
    );
    if (answer === 'not answered') await suspended;
    await ensemble.resume(paused);
    await ensemble.serving();
  }
  while (session.state === 'suspended') await told(session, 'reconnected');
  t.equal(events[0], 'suspended');
  t.notOk(events.includes('lost'));
  await session.sync('/');
  t.equal((await session.exists('/mine'))?.ephemeralOwner, session.id);
  await session.close();
});
