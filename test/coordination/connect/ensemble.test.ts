// The connectors and `millrace zk` on real servers: a JSON topology in worker threads and the example, as a user runs
// them, and what is told of places that are not there.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Session, Store } from '../../../coordination/store/contract.js';
import { toData } from '../../../coordination/store/json-node.js';
import { ZookeeperChanges } from '../../../coordination/connect/zookeeper/changes.js';
import type { ZookeeperSession } from '../../../coordination/store/zookeeper/zookeeper-session.js';
import { ZookeeperStore } from '../../../coordination/store/zookeeper/zookeeper-store.js';
import { fakeContext, recorder } from '../../engine/connect/fakes.js';
import { runningEnsemble } from '../ensemble/running.js';
import { Seen, text, textOf } from '../store/contract.js';

t.setTimeout(120_000);

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const command = join(root, 'dist/api/cli/main.js');
const ensemble = await runningEnsemble(t, { servers: 1 });

/** A port where nobody listens. */
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
await new Promise((resolve) => server.close(resolve));

interface Running {
  text: string;
  /** Ends it by SIGTERM; gives its exit code. */
  end(): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

function millrace(t: Test, ...args: readonly string[]): Running {
  const env = { ...process.env, ['MILLRACE_ZOOKEEPER']: `${ensemble.connectString}/example` };
  const child = spawn(process.execPath, [command, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const running: Running = {
    text: '',
    ended,
    end: async () => {
      child.kill('SIGTERM');
      return await ended;
    },
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => (running.text += part));
  }
  t.teardown(() => child.kill('SIGKILL'));
  return running;
}

/** Takes its time, so it begins first. */
const nobody = millrace(t, 'zk', 'ls', '--zookeeper', `127.0.0.1:${port}`);

async function session(t: Test, chroot: string): Promise<Session> {
  const opened = await new ZookeeperStore({ servers: ensemble.connectString + chroot }).connect();
  t.teardown(() => opened.close());
  return opened;
}

/** Resolves when the node has that data; null: when it is gone. */
async function until(session: Session, path: string, data: string | null): Promise<void> {
  const seen = new Seen<string | null>();
  const watch = session.watchNode(path, (node) => seen.listener(node === null ? null : textOf(node.data)));
  await seen.until((last) => last === data);
  watch.close();
}

async function followChanges(t: Test, session: Session): Promise<void> {
  await until(session, '/copy/settings/a', '1');
  await session.set('/settings/a', text('2'), null);
  await session.create('/settings/b', text('new'));
  await until(session, '/copy/settings/a', '2');
  await until(session, '/copy/settings/b', 'new');
  await session.delete('/settings/b', null);
  await until(session, '/copy/settings/b', null);
  t.pass('every change has come');
}

void t.test('a session that the servers ended costs nothing but what differs', async (t) => {
  const own = await session(t, '/lost');
  await own.create('/a', text('1'));
  await own.create('/b', text('1'));
  const store = new ZookeeperStore({ servers: `${ensemble.connectString}/lost` });
  const sessions: ZookeeperSession[] = [];
  const open = async (): Promise<Store> => ({
    connect: async (options) => {
      const opened = await store.connect(options);
      sessions.push(opened);
      return opened;
    },
  });
  const spout = new ZookeeperChanges({ servers: 'any', data: 'text' }, { open });
  const { emit, emitted } = recorder();
  await spout.open({ ...fakeContext(), now: () => performance.now() });
  const until = async (count: number): Promise<void> => {
    while (emitted.length < count) {
      await spout.nextTuple(emit);
      for (const { id } of emitted) spout.ack(id);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const told = (): string[] => emitted.map(({ values }) => values.slice(0, 3).join(' '));
  await until(3);
  t.strictSame(told().toSorted(), ['/ set ', '/a set 1', '/b set 1'].toSorted());
  const [first] = sessions;
  t.equal(await store.endSession(first!.id, first!.password), 'closed');
  await own.set('/a', text('2'), null);
  await own.delete('/b', null);
  await own.create('/c', text('3'));
  await until(6);
  t.strictSame(told().slice(3).toSorted(), ['/a set 2', '/b deleted ', '/c set 3'].toSorted());
  t.equal(sessions.length, 2);
  await spout.close();
});

void t.test('a JSON topology in two workers mirrors a subtree', async (t) => {
  const own = await session(t, '/document');
  await own.create('/settings', text(''));
  await own.create('/settings/a', text('1'));
  const servers = `${ensemble.connectString}/document`;
  const document = {
    name: 'mirror',
    spouts: { changes: { type: 'zookeeper-changes', config: { servers, path: '/settings' } } },
    bolts: {
      copy: {
        type: 'zookeeper-writer',
        parallelism: 2,
        config: { servers, actionField: 'kind', base: '/copy' },
        inputs: [{ from: 'changes', grouping: 'fields', fields: ['path'] }],
      },
    },
  };
  const file = join(t.testdir(), 'mirror.json');
  writeFileSync(file, JSON.stringify(document));
  const running = millrace(t, 'run', file, '--workers', '2', '--json');
  await followChanges(t, own);
  t.equal(await running.end(), 143, running.text);
  t.match(running.text, /"failed":0/);
});

void t.test('the example, in its bundle', async (t) => {
  const own = await session(t, '/example');
  await own.create('/settings', text(''));
  await own.create('/settings/a', text('1'));
  const running = millrace(t, 'run', 'examples/settings-mirror.ts');
  await followChanges(t, own);
  t.equal(await running.end(), 143, running.text);
  t.match(running.text, /^\/settings\/a = 1 \(version 0\)$/m);
  t.match(running.text, /^\/settings\/b is gone$/m);
});

void t.test('millrace zk shows servers, and makes nothing', async (t) => {
  const own = await session(t, '/shown');
  await own.create('/epoch', toData({ epoch: 3, member: 'a~b', nonce: 'n' }));
  const shown = millrace(t, 'zk', 'ls', '--zookeeper', `${ensemble.connectString}/shown`);
  t.equal(await shown.ended, 0, shown.text);
  t.match(shown.text, /\nepoch +0 +38 +0 +epoch: epoch 3 of a~b\n/);
  const missing = millrace(t, 'zk', 'ls', '--zookeeper', `${ensemble.connectString}/nowhere`);
  t.equal(await missing.ended, 3);
  t.match(missing.text, /MILLRACE_STORE_NO_NODE: .*"\/nowhere"/);
  t.equal(await (await session(t, '')).exists('/nowhere'), null);
  t.equal(await nobody.ended, 4, nobody.text);
  const odd = millrace(t, 'zk', 'ls', '--zookeeper', 'no server:x');
  t.equal(await odd.ended, 2, odd.text);
});
