// `millrace zk`: what it prints of an embedded data directory, where, and its exit codes.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { placeOf } from '../../../api/cli/zk-command.js';
import { openPlace } from '../../../api/cli/zk-environment.js';
import { zkCommand, type ZkEnvironment, type ZkVerb } from '../../../api/cli/zk.js';
import { formatStat, jsonAccess } from '../../../api/cli/zk-format.js';
import { claimProgress, CheckpointWriter } from '../../../coordination/checkpoints.js';
import { ensureLayout } from '../../../coordination/host/registration.js';
import { inspect, inspectAccess } from '../../../coordination/inspect/inspect.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { toData } from '../../../coordination/store/json-node.js';
import { VirtualClock } from '../../../engine/clock.js';
import { pack, unpack } from '../../../engine/codec/pack.js';
import { silentLogger } from '../../../engine/log.js';
import { text } from '../../coordination/store/contract.js';
import { millrace } from './command.js';
import { FakeStream } from './fakes.js';

t.setTimeout(120_000);

/** A data directory as a host leaves it, with some of it edited by hand. */
async function dataDirectory(t: Test): Promise<string> {
  const data = t.testdir();
  const store = await EmbeddedStore.open({ directory: join(data, 'store') });
  const session = await store.connect();
  await ensureLayout(session);
  await session.create('/epoch', toData({ epoch: 3, member: 'a~b', nonce: 'n' }));
  await session.create('/topologies/bad', text('oops'));
  await session.create('/topologies/worse', text('"\u001b[2J\u009b"'));
  const progress = await claimProgress(session, 'words', 'words-1', 2);
  const writer = new CheckpointWriter({
    session: async () => session,
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  writer.add(progress, { component: 'lines', partition: 'p', progress: pack({ at: 10n, set: new Set([1]) }).slice() });
  await writer.close();
  await session.create('/other', Uint8Array.of(1, 2, 255));
  await session.create('/other/json', text('[1]'));
  await session.create('/other/text', text('one\ntwo'));
  await store.close();
  return data;
}

async function run(data: string, verb: ZkVerb, path: string, json = false) {
  const [stdout, stderr] = [new FakeStream(), new FakeStream()];
  const environment: ZkEnvironment = {
    clock: new VirtualClock(),
    env: {},
    stdout,
    stderr,
    onSignal: () => undefined,
    open: openPlace,
    unpack,
  };
  const exitCode = await zkCommand(verb, path, { place: { kind: 'data', directory: data }, json }, environment);
  return {
    exitCode,
    stdout: stdout.text,
    stderr: stderr.text,
    objects: json ? stdout.lines.map((line) => JSON.parse(line) as unknown) : [],
  };
}

t.test('ls, get, tree and stat, for people', async (t) => {
  const data = await dataDirectory(t);
  const list = await run(data, 'ls', '/');
  t.match(list, { exitCode: 0, stderr: '' });
  t.match(
    list.stdout,
    /^node +children +bytes +version +holds\nassignments +0 +0 +0\ncheckpoints +1 +0 +0\ndrains +0 +0 +0\nepoch +0 +38 +0 +epoch: epoch 3 of a~b\n/,
  );
  t.match(list.stdout, /\nother +2 +3 +0 +0x0102ff\n/);
  const epoch = await run(data, 'get', '/epoch');
  t.strictSame(JSON.parse(epoch.stdout), { epoch: 3, member: 'a~b', nonce: 'n' });
  t.match(await run(data, 'get', '/other'), { exitCode: 0, stdout: 'binary, 3 bytes:\n01 02 ff\n' });
  t.match(await run(data, 'get', '/other/text'), { stdout: 'text, 7 bytes:\none\ntwo\n' });
  t.match(await run(data, 'get', '/other/json'), { stdout: 'JSON, 3 bytes:\n[\n  1\n]\n' });
  t.match(await run(data, 'get', '/hosts'), { stdout: 'no data\n' });
  const tree = await run(data, 'tree', '/checkpoints');
  t.match(tree.stdout, /^\/checkpoints\n {2}words-1 {2}claim: of revision 2\n {4}\d+ {2}progress: 1 partition\n$/);
  const stat = await run(data, 'stat', '/other');
  t.match(
    stat.stdout,
    /^path +\/other\nbytes +3\nversion +0\ncreated +by change \d+\nmodified +by change \d+\nchildren +2\nephemeral +no\naccess +anyone may read, write, create, delete, admin\n$/,
  );
  t.match(await run(data, 'ls', '/hosts'), { exitCode: 0, stdout: '', stderr: 'node "/hosts" has no children\n' });
});

t.test('a node of ours with nonsense in it is shown with its error', async (t) => {
  const data = await dataDirectory(t);
  const bad = await run(data, 'get', '/topologies/bad');
  t.equal(bad.exitCode, 1);
  t.equal(bad.stdout, 'not a wish, 4 bytes:\noops\n');
  t.match(bad.stderr, /MILLRACE_STORE_CONTENT: node "\/topologies\/bad" of the store holds what cannot be read/);
  const list = await run(data, 'tree', '/topologies');
  t.match(list, { exitCode: 0, stdout: /bad {2}DAMAGED wish: node "\/topologies\/bad"/ });
  const worse = await run(data, 'get', '/topologies/worse');
  t.equal(worse.exitCode, 1);
  t.notMatch(worse.stdout + worse.stderr + list.stdout, /[\u001b\u009b]/, 'nothing that garbles a terminal');
  const { exitCode, objects } = await run(data, 'get', '/topologies/bad', true);
  t.equal(exitCode, 1);
  t.match(objects, [
    { content: { kind: 'damaged', error: { code: 'MILLRACE_STORE_CONTENT' }, raw: { text: 'oops' } } },
  ]);
});

t.test('what may not be read is shown as that', async (t) => {
  const data = t.testdir();
  const store = await EmbeddedStore.open({ directory: join(data, 'store') });
  const session = await store.connect({ credentials: [{ user: 'me', password: 'secret' }] });
  const options = { access: [{ who: 'creator', may: ['read', 'admin'] }] } as const;
  await session.create('/mine', text('1'), 'persistent', options);
  await session.create('/yours', text('1'));
  await store.close();
  t.match(await run(data, 'ls', '/'), { exitCode: 0, stdout: /\nmine +0 +- +0 +may not be read\nyours +0 +1 +0 +1\n/ });
  t.match(await run(data, 'tree', '/'), { exitCode: 0, stdout: /mine {2}may not be read\n/ });
  t.match(await run(data, 'get', '/mine'), { exitCode: 1, stderr: /MILLRACE_STORE_FORBIDDEN/ });
  const stat = await run(data, 'stat', '/mine', true);
  t.match(stat.objects, [{ bytes: null, content: { kind: 'forbidden', error: { code: 'MILLRACE_STORE_FORBIDDEN' } } }]);
  const again = await EmbeddedStore.open({ directory: join(data, 'store') });
  const owner = await again.connect({ credentials: [{ user: 'me', password: 'secret' }] });
  const access = await inspectAccess(owner, '/mine');
  const shown = formatStat(await inspect(owner, '/mine'), access);
  t.match(shown, /\naccess +user me may read, admin$/);
  t.notMatch(JSON.stringify(jsonAccess(access)), /digest/);
  await again.close();
});

t.test('JSON lines hold every node', async (t) => {
  const data = await dataDirectory(t);
  const { objects } = await run(data, 'tree', '/checkpoints', true);
  const revision = /^\d+$/;
  t.match(objects[1], { path: '/checkpoints/words-1', stat: { createRevision: revision, modifyRevision: revision } });
  t.match(objects[2], {
    content: { value: [{ component: 'lines', partition: 'p', progress: { at: '10', set: [1] } }] },
  });
  t.equal(objects.length, 3);
  t.match((await run(data, 'ls', '/other', true)).objects, [{ path: '/other/json' }, { path: '/other/text' }]);
  t.match((await run(data, 'stat', '/epoch', true)).objects, [{ path: '/epoch', bytes: 38 }]);
});

t.test('what cannot be shown, and its exit codes', async (t) => {
  const data = await dataDirectory(t);
  t.match(await run(data, 'get', '/nowhere'), { exitCode: 3, stderr: /MILLRACE_STORE_NO_NODE.*"\/nowhere"/ });
  t.match(await run(data, 'ls', 'hosts'), { exitCode: 2, stderr: /MILLRACE_STORE_PATH.*"hosts"/ });
  t.match(await run(join(data, 'nobody'), 'ls', '/'), {
    exitCode: 3,
    stderr: /MILLRACE_ZK_DATA.*nobody" is not the data/,
  });
  const held = await EmbeddedStore.open({ directory: join(data, 'store') });
  t.match(await run(data, 'ls', '/'), { exitCode: 1, stderr: /MILLRACE_STORE_IN_USE/ });
  await held.close();
});

t.test('where to look', (t) => {
  t.strictSame(placeOf({ data: 'd' }, 'zk:1'), { kind: 'data', directory: 'd' });
  t.strictSame(placeOf({}, 'zk:1'), { kind: 'zookeeper', servers: 'zk:1', users: [] });
  t.match(placeOf({ zookeeper: 'a:1', user: ['u:p:q'] }, 'zk:1'), { servers: 'a:1', users: ['u:p:q'] });
  const usage = { code: 'MILLRACE_CLI_USAGE' };
  t.throws(() => placeOf({}, undefined), { ...usage, message: /neither --zookeeper nor --data/ });
  t.throws(() => placeOf({ zookeeper: 'a', data: 'd' }, undefined), { ...usage, message: /both/ });
  t.throws(() => placeOf({ data: 'd', user: ['u:p'] }, undefined), usage);
  try {
    placeOf({ zookeeper: 'a', user: ['secret'] }, undefined);
    t.fail('it is no user');
  } catch (error) {
    t.match(error, usage);
    t.notMatch(String(error), /secret/, 'passwords are not repeated');
  }
  t.end();
});

t.test('as a process', async (t) => {
  const data = await dataDirectory(t);
  const ended = await millrace(t.testdirName, ['zk', 'get', '/epoch', '--data', data, '--json']);
  t.match(ended, { exitCode: 0, stderr: '' });
  t.match(JSON.parse(ended.stdout), { content: { kind: 'record', value: { epoch: 3 } } });
  t.match(await millrace(t.testdirName, ['zk', 'ls']), {
    exitCode: 2,
    stderr: /neither --zookeeper nor --data is given/,
  });
});
