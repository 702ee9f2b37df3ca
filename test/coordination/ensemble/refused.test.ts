// What cannot be started, and what the user is told: nothing installed, directories of somebody else, ports that are
// taken, servers that die or do not come up. Java is a script here where its failures are meant.

import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { configurationText, type EnsembleConfiguration } from '../../../coordination/ensemble/configuration.js';
import { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { findZooKeeper } from '../../../coordination/ensemble/installation.js';
import { configurationOf, type EnsembleOptions } from '../../../coordination/ensemble/options.js';
import { serversAt } from '../../../coordination/ensemble/ports.js';
import { ask, readAnswer } from '../../../coordination/ensemble/questions.js';
import { causeIn } from '../../../coordination/ensemble/server-log.js';
import { lookAtServer } from '../../../coordination/ensemble/server-process.js';
import { startEnsemble } from '../../../coordination/ensemble/start.js';
import { RealClock } from '../../../engine/clock.js';
import { ENSEMBLE_ANSWER_BYTES_MAX, ENSEMBLE_PORT_TRIES } from '../../../engine/limits.js';
import { guardedDirectory, testTimes } from './running.js';

t.setTimeout(120_000);

const clock = new RealClock();

/** The text of a script as the Java of a home. */
function javaHome(directory: string, script: string): string {
  mkdirSync(join(directory, 'bin'), { recursive: true });
  writeFileSync(join(directory, 'bin', 'java'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, 'bin', 'java'), 0o755);
  return directory;
}

void t.test('what is missing is named, with what to install', async (t) => {
  const directory = t.testdir({
    release: { lib: { 'zookeeper-3.9.3.jar': '', 'logback.jar': '' }, conf: {} },
    empty: { lib: {} },
  });
  const missing = { code: 'MILLRACE_ZOOKEEPER_MISSING', hint: /apt-get install .* zookeeper;.*ZOOKEEPER_HOME/ };
  const java = javaHome(join(directory, 'java'), 'exit 0');
  const release = join(directory, 'release');
  t.strictSame(await findZooKeeper({ ZOOKEEPER_HOME: release, JAVA_HOME: java }), {
    java: join(java, 'bin', 'java'),
    classPath: `${join(release, 'conf')}:${join(release, 'lib', '*')}`,
  });
  t.match(await findZooKeeper({ ZOOKEEPER_HOME: release, PATH: `/nowhere::${join(java, 'bin')}` }), {
    java: join(java, 'bin', 'java'),
  });
  const refusals: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ ZOOKEEPER_HOME: join(directory, 'empty'), JAVA_HOME: java }, /zookeeper-VERSION\.jar/],
    [{ ZOOKEEPER_HOME: '/nowhere', JAVA_HOME: java }, /"\/nowhere\/lib".*cannot be read/],
    [{ ZOOKEEPER_HOME: release, JAVA_HOME: '/nowhere' }, /"\/nowhere\/bin\/java"/],
    [{ ZOOKEEPER_HOME: release, PATH: directory }, /"java".*in no directory of PATH/],
    [{ JAVA_HOME: java }, /"\/nowhere\/jars\/zookeeper\.jar".*package zookeeper/],
  ];
  for (const [env, message] of refusals) {
    await t.rejects(findZooKeeper(env, '/nowhere/jars'), { ...missing, message });
  }
  await t.rejects(startEnsemble({ directory: join(directory, 'data'), env: { ZOOKEEPER_HOME: '/nowhere' } }), missing);
  t.notOk(readdirSync(directory).includes('data'), 'nothing was made');
});

void t.test('options that cannot be', async (t) => {
  const directory = join(t.testdir(), 'data');
  const refusals: readonly (readonly [Partial<EnsembleOptions>, string])[] = [
    [{ servers: 2 }, 'servers'],
    [{ servers: 0 }, 'servers'],
    [{ port: 0 }, 'port'],
    [{ port: 65_300 }, 'port'],
    [{ port: 2181.5 }, 'port'],
    [{ tickMs: 0 }, 'tickMs'],
    [{ initMs: NaN }, 'initMs'],
    [{ heapMegabytes: 1 }, 'heapMegabytes'],
    [{ settings: { 'a\nb': '1' } }, 'settings'],
  ];
  for (const [options, option] of refusals) {
    await t.rejects(startEnsemble({ directory, ...options }), {
      code: 'MILLRACE_ENSEMBLE_OPTION',
      message: new RegExp(`"${option}"`),
    });
  }
});

void t.test('directories of somebody else, and files that are not as they were', async (t) => {
  const state = { format: 1, id: 'x', configuration: configurationOf({ directory: '' }, null), pids: { 1: 1 } };
  const good = JSON.stringify({ ...state, servers: serversAt(2181, 3, false) });
  const directory = t.testdir({
    file: '',
    foreign: { 'thesis.tex': '' },
    good: { 'ensemble.json': good },
    torn: { 'ensemble.json': good.slice(0, 50) },
    array: { 'ensemble.json': '[]' },
    later: { 'ensemble.json': good.replace('"format":1', '"format":2') },
    servers: { 'ensemble.json': JSON.stringify({ ...state, servers: serversAt(2181, 2, false) }) },
    ports: { 'ensemble.json': good.replace('"clientPort":2181', '"clientPort":"2181"') },
    routes: { 'ensemble.json': good.replace('"routes":{}', '"routes":{"1>2":{}}') },
    settings: { 'ensemble.json': good.replace('"settings":{}', '"settings":{"a":1}') },
    large: { 'ensemble.json': `${good}${' '.repeat(300_000)}` },
    inside: { 'ensemble.json': {} },
  });
  for (const name of [
    'file',
    'foreign',
    'torn',
    'array',
    'later',
    'servers',
    'ports',
    'routes',
    'settings',
    'large',
    'inside',
  ]) {
    const refused = { code: 'MILLRACE_ENSEMBLE_DIRECTORY', message: new RegExp(`/${name}" cannot hold`) };
    await t.rejects(startEnsemble({ directory: join(directory, name) }), refused, name);
    await t.rejects(Ensemble.open(join(directory, name)), refused, name);
  }
  await t.rejects(startEnsemble({ directory: join(directory, 'file', 'below') }), {
    code: 'MILLRACE_ENSEMBLE_DIRECTORY',
  });
  await t.rejects(Ensemble.open(join(directory, 'nowhere')), { code: 'MILLRACE_ENSEMBLE_UNKNOWN' });
  t.equal((await Ensemble.open(join(directory, 'good'))).connectString, '127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183');
  for (const [options, option] of [
    [{ servers: 5 }, 'servers'],
    [{ port: 2182 }, 'port'],
    [{ tls: { keyStore: '/k.p12', keyStorePassword: 'x' } }, 'tls'],
  ] as const) {
    await t.rejects(startEnsemble({ directory: join(directory, 'good'), ...options }), {
      code: 'MILLRACE_ENSEMBLE_OPTION',
      message: new RegExp(`"${option}"`),
    });
  }
  const ensemble = await Ensemble.open(join(directory, 'good'));
  await t.rejects(ensemble.kill(4), { code: 'MILLRACE_ENSEMBLE_SERVER', message: /its servers are 1, 2, 3/ });
  await t.rejects(ensemble.ask(4, 'srvr'), { code: 'MILLRACE_ENSEMBLE_SERVER' });
});

void t.test('ports that are taken: asked for ones are told of, found ones are drawn again', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const directory = t.testdir();
  // The taken one is the port of the second server.
  await t.rejects(startEnsemble({ directory: join(directory, 'asked'), port: port - 1, env: process.env }), {
    code: 'MILLRACE_ENSEMBLE_PORT',
    message: new RegExp(`port ${port} of 127\\.0\\.0\\.1 for server 2 `),
  });
  const count = join(directory, 'count');
  const script = `echo x >> '${count}'; echo 'java.net.BindException: Address already in use' >&2; exit 1`;
  const env = { ...process.env, JAVA_HOME: javaHome(join(directory, 'java'), script) };
  await t.rejects(startEnsemble({ directory: join(directory, 'found'), servers: 1, env }), {
    code: 'MILLRACE_ENSEMBLE_DIED',
    message: /server 1 of .* ended while it started: .*Address already in use \(exit code 1\)/,
  });
  t.equal(readFileSync(count, 'utf8').length / 2, ENSEMBLE_PORT_TRIES);
});

void t.test('servers that die, do not come up, or do not end', async (t) => {
  const directory = t.testdir();
  const told = startEnsemble({ directory: join(directory, 'died'), settings: { 'server.9': 'nonsense' }, servers: 1 });
  const died = { code: 'MILLRACE_ENSEMBLE_DIED', hint: /server-1\/server\.log/ };
  await t.rejects(told, { ...died, message: /nonsense.*\(exit code 2\)/ });
  const unused = { ...process.env, JAVA_HOME: javaHome(join(directory, 'broken'), '') };
  writeFileSync(join(directory, 'broken', 'bin', 'java'), 'no program');
  await t.rejects(startEnsemble({ directory: join(directory, 'none'), servers: 1, env: unused }), {
    ...died,
    message: /ENOEXEC|exit code/,
  });

  const env = { ...process.env, JAVA_HOME: javaHome(join(directory, 'slow'), 'while :; do sleep 0.1; done') };
  const late = join(directory, 'late');
  await t.rejects(startEnsemble({ directory: late, servers: 1, env, timeoutMs: 200 }), {
    code: 'MILLRACE_ENSEMBLE_LATE',
    message: /after 200 ms: server 1 is silent/,
  });
  const [server] = await (await Ensemble.open(late)).status();
  t.equal(server!.state, 'down', 'what did not come up was ended');
});

void t.test('a start that is called off ends what it started; a server that does not listen is killed', async (t) => {
  const directory = guardedDirectory(t);
  const scripts = t.testdir();
  const deaf = join(scripts, 'deaf');
  const java = javaHome(join(scripts, 'java'), `trap '' TERM; touch '${deaf}'; while :; do sleep 0.1; done`);
  const env = { ...process.env, JAVA_HOME: java };
  const stopped = t.rejects(
    startEnsemble({ directory, ...testTimes, servers: 1, env }),
    { code: 'MILLRACE_ENSEMBLE_DIED', message: /SIGKILL/ },
    'by the stop of another',
  );
  const ensemble = await until(() => Ensemble.open(directory));
  await until(() => access(deaf));
  await t.rejects(startEnsemble({ directory }), { code: 'MILLRACE_STORE_IN_USE' }, 'one start at a time');
  t.equal((await ensemble.status())[0]!.state, 'silent');
  t.equal(await ensemble.stop(), 1, 'it hears of no SIGTERM');
  await stopped;

  const ending = new AbortController();
  const abandoned = t.rejects(startEnsemble({ directory, servers: 1, env, signal: ending.signal }), {
    message: 'enough',
  });
  await until(async () => assert.equal((await ensemble.status())[0]!.state, 'silent'));
  ending.abort(new Error('enough'));
  await abandoned;
  t.equal((await ensemble.status())[0]!.state, 'down');
  await t.rejects(startEnsemble({ directory, env, signal: ending.signal }), { message: 'enough' });
});

void t.test('what a server says, and whoever else is there', async (t) => {
  t.equal(readAnswer('This ZooKeeper instance is not currently serving requests\n'), null);
  t.strictSame(readAnswer('Zxid: 0x1f\nMode: follower\n'), { mode: 'follower', zxid: '0x1f', connections: 0 });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (word) => {
      if (String(word) === 'long') socket.end(Buffer.alloc(ENSEMBLE_ANSWER_BYTES_MAX + 1));
      if (String(word) === 'ends') socket.end('done');
      if (String(word) === 'cuts') socket.resetAndDestroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  t.equal(await ask(port, 'ends', clock), 'done');
  await t.rejects(ask(port, 'long', clock), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /does not end/ });
  await t.rejects(ask(port, 'cuts', clock), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /ECONNRESET/ });
  await t.rejects(ask(port, 'hang', clock, 10), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /within 10 ms/ });
  await t.rejects(ask(1, 'srvr', clock), { code: 'MILLRACE_STORE_UNAVAILABLE', message: /ECONNREFUSED/ });
});

void t.test('pieces: causes in logs, processes that are none, the lines of zoo.cfg', async (t) => {
  t.equal(causeIn(''), null);
  t.equal(causeIn('started\nfine\n'), 'fine');
  t.equal(causeIn('12:00 [main] ERROR x - bad\ngone\n'), '12:00 [main] ERROR x - bad');
  t.equal(causeIn('a.B: x\njava.io.IOException: one\n\tat b\nCaused by: c.D: two\n\t... 7 more\nlast'), 'c.D: two');
  t.equal(lookAtServer(process.pid, { ensemble: 'x', server: 1 }), 'gone');
  t.equal(lookAtServer(0, { ensemble: 'x', server: 1 }), 'gone');
  const configuration: EnsembleConfiguration = {
    ...configurationOf({ directory: '' }, null),
    tls: { keyStore: '/ä \\k.p12', keyStorePassword: 'x', trustStore: '/t.p12', trustStorePassword: 'y' },
    routes: { '2>3': { quorumPort: 7, electionPort: 8 }, '1>3': { quorumPort: 9, electionPort: 10 } },
    settings: { maxClientCnxns: '7' },
  };
  const servers = serversAt(2181, 3, true);
  const text = configurationText(configuration, servers, servers[1]!);
  for (const line of [
    'tickTime=500',
    'initLimit=20',
    'syncLimit=4',
    'clientPort=2182',
    'clientPortAddress=127.0.0.1',
    'secureClientPort=2482',
    'ssl.clientAuth=need',
    'ssl.keyStore.location=/\\u00e4 \\\\k.p12',
    'ssl.trustStore.password=y',
    'maxClientCnxns=7',
    'server.1=127.0.0.1:2281:2381',
    'server.3=127.0.0.1:7:8',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
});

/** Tries again, turn by turn, until it does not throw; what never comes is ended by the timeout of the test. */
async function until<T>(look: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await look();
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
