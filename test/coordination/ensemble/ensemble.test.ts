// The life of a real ensemble, as tests and the command have it: found again, killed, paused, brought back.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { Ensemble, serves, type ServerStatus } from '../../../coordination/ensemble/ensemble.js';
import { startEnsemble } from '../../../coordination/ensemble/start.js';
import { ENSEMBLE_LOG_BYTES_MAX } from '../../../engine/limits.js';
import { guardedDirectory, runningEnsemble, testTimes } from './running.js';

t.setTimeout(120_000);

const states = (status: readonly ServerStatus[]): string[] => status.map(({ state }) => state).toSorted();

void t.test('three servers: found by another, killed, paused, brought back, stopped, started again', async (t) => {
  const ensemble = await runningEnsemble(t);
  const { directory, connectString } = ensemble;
  t.match(connectString, /^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/);
  t.equal(ensemble.secureConnectString, null);
  const other = await Ensemble.open(directory);
  t.equal(other.connectString, connectString);
  const before = await other.status();
  t.strictSame(states(before), ['follower', 'follower', 'leader']);
  for (const { pid, zxid, connections } of before) {
    t.ok(pid !== null && pid > 0);
    t.match(zxid, /^0x[0-9a-f]+$/);
    t.equal(connections, 1, 'the one who asks');
  }
  t.match(await other.ask(1, 'ruok'), 'imok');

  const killed = await other.kill('leader');
  t.equal(before[killed - 1]!.state, 'leader');
  t.equal((await ensemble.status())[killed - 1]!.state, 'down');
  await t.rejects(ensemble.kill(killed), {
    code: 'MILLRACE_ENSEMBLE_SERVER',
    message: new RegExp(`has no running server ${killed} now: .*server ${killed} is down`),
  });
  const { started } = await startEnsemble({ directory });
  t.strictSame(started, [killed], 'only what was down');
  await ensemble.serving();
  const after = await ensemble.status();
  t.strictSame(states(after), ['follower', 'follower', 'leader']);
  for (const { id, pid } of before) {
    if (id !== killed) t.equal(after[id - 1]!.pid, pid, 'the others went on');
  }
  t.strictSame((await startEnsemble({ directory, servers: 3 })).started, [], 'all of them run');

  const paused = await ensemble.pause('follower');
  t.equal((await other.status())[paused - 1]!.state, 'paused');
  t.equal(await other.resume(paused), paused);
  await ensemble.serving();
  t.not(await ensemble.kill('follower', 'SIGTERM'), 0);
  await ensemble.kill('follower');
  const last = (await ensemble.status()).find(({ state }) => state !== 'down')!;
  // It is told of the loss by its sockets; until then it is what it was.
  while (serves((await ensemble.status())[last.id - 1]!.state));
  t.equal((await ensemble.status())[last.id - 1]!.state, 'electing', 'one of three serves nobody');
  await ensemble.pause(last.id);
  t.equal(await ensemble.stop(), 1, 'a paused one is stopped as well');
  t.equal(await ensemble.stop(), 0);
  t.strictSame(states(await ensemble.status()), ['down', 'down', 'down']);

  const again = (await startEnsemble({ directory })).ensemble;
  t.equal(again.connectString, connectString, 'on the same ports');
  const epochs = (status: readonly ServerStatus[]): bigint[] => status.map(({ zxid }) => BigInt(zxid!) >> 32n);
  const highest = (status: readonly ServerStatus[]): bigint => epochs(status).reduce((a, b) => (a > b ? a : b));
  t.ok(highest(await again.status()) > highest(after), 'with the same data');
  await again.destroy();
  t.notOk(existsSync(directory));
  await t.rejects(again.status(), { code: 'MILLRACE_ENSEMBLE_UNKNOWN' });
});

void t.test('one server; what its file says of processes may be stale; its log is bounded', async (t) => {
  const ensemble = await runningEnsemble(t, { servers: 1 });
  const { directory } = ensemble;
  const [server] = await ensemble.status();
  t.match(server, { id: 1, state: 'standalone' });
  t.equal(await ensemble.kill('leader', 'SIGTERM'), 1, 'it leads itself');
  const file = join(directory, 'ensemble.json');
  t.equal(statSync(file).mode & 0o777, 0o600);
  const state = JSON.parse(readFileSync(file, 'utf8')) as { pids: Record<string, number> };
  for (const pid of [process.pid, server!.pid, 999_999_999, 1]) {
    writeFileSync(file, JSON.stringify({ ...state, pids: { 1: pid } }));
    t.equal((await ensemble.status())[0]!.state, 'down', `process ${pid} is none of ours`);
    t.equal(await ensemble.stop(), 0);
    await t.rejects(ensemble.kill(1), { code: 'MILLRACE_ENSEMBLE_SERVER' });
  }
  const log = join(directory, 'server-1', 'server.log');
  truncateSync(log, ENSEMBLE_LOG_BYTES_MAX);
  appendFileSync(log, 'the last line\n');
  const { started } = await startEnsemble({ directory, tickMs: 100 });
  t.strictSame(started, [1]);
  t.ok(statSync(log).size < ENSEMBLE_LOG_BYTES_MAX, 'begun anew');
  t.equal(statSync(`${log}.old`).size, ENSEMBLE_LOG_BYTES_MAX + 'the last line\n'.length);
  t.match(readFileSync(join(directory, 'server-1', 'zoo.cfg'), 'utf8'), /^tickTime=100$/m, 'what is asked for anew');

  const fresh = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...state, id: 'another' }));
  await t.rejects(ensemble.stop(), { code: 'MILLRACE_ENSEMBLE_DIRECTORY', message: /another ensemble/ });
  writeFileSync(file, fresh);
  t.equal(await ensemble.stop(), 1);
});

void t.test('TLS beside plain connections, in a directory whose name Java could not write', async (t) => {
  const keys = t.testdir();
  const keyStore = join(keys, 'server.p12');
  const password = 'a pass=word\\#1';
  const keytool = (...args: readonly string[]): string => execFileSync('keytool', args, { encoding: 'utf8' });
  keytool(
    ...['-genkeypair', '-alias', 'server', '-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=localhost'],
    ...[
      '-ext',
      'SAN=IP:127.0.0.1,DNS:localhost',
      '-storetype',
      'PKCS12',
      '-keystore',
      keyStore,
      '-storepass',
      password,
    ],
  );
  const ca = keytool('-exportcert', '-rfc', '-alias', 'server', '-keystore', keyStore, '-storepass', password);
  const directory = guardedDirectory(t, 'ein Verzeichnis für ☂ =');
  const { ensemble } = await startEnsemble({
    ...testTimes,
    directory,
    servers: 1,
    tls: { keyStore, keyStorePassword: password },
  });
  t.match(ensemble.secureConnectString, /^127\.0\.0\.1:\d+$/);
  const { securePort } = ensemble.servers[0]!;
  const socket = connectTls({ host: '127.0.0.1', port: securePort!, ca, servername: 'localhost' });
  await once(socket, 'secureConnect');
  t.ok(socket.authorized);
  // The server answers and hangs up, however that looks from here.
  socket.on('error', () => undefined).write('ruok');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.equal(String(answer), 'imok');
  socket.destroy();
});
