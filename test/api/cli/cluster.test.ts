// `millrace cluster` as a user types it, on real processes: up, status, down, and what goes wrong.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { MillraceClient } from '../../../api/client/client.js';
import { processesOf } from '../../../api/local-cluster/host-processes.js';
import type { LocalClusterStatus } from '../../../api/local-cluster/local-cluster.js';
import { dataDirectory, readState, type HostPlace } from '../../../api/local-cluster/state.js';
import { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { freePort } from '../../../coordination/ensemble/ports.js';
import { guardedCluster } from '../local-cluster/guarded.js';
import { blocksOf, codeBlocks, pageOf } from '../../docs/blocks.js';
import { runCommands } from '../../docs/shell.js';
import { isAlive, poll } from '../../system/host-command.js';
import { millrace, summaryIn, type Ended, type Watch } from './command.js';

t.setTimeout(150_000);

type Run = (args: readonly string[], watch?: Watch) => Promise<Ended>;

/** Types `millrace cluster` beside the directory `try`. */
function place(t: Test): { readonly directory: string; readonly run: Run } {
  const directory = guardedCluster(t);
  const run: Run = async ([command = '', ...args], watch) =>
    await millrace(dirname(directory), ['cluster', command, '--data', 'try', ...args], watch);
  return { directory, run };
}

const SMALL = ['--servers', '1', '--hosts', '2', '--slots', '2'];

async function pidsOf(directory: string): Promise<readonly number[]> {
  const hosts = (await readState(directory))?.hosts ?? [];
  return hosts.flatMap(({ name, pid }) => processesOf({ pid, dataDirectory: dataDirectory(directory, name) }));
}

t.test('up, a look, a death, down, and up again with what was submitted', async (t) => {
  const { directory, run } = place(t);
  const port = String(await freePort(new Set()));
  const up = await run(['up', ...SMALL, '--port', port]);
  t.equal(up.exitCode, 0, up.stderr);
  const url = `http://127.0.0.1:${port}`;
  const columns = /^part +state +address +pid\nzookeeper-1 +up \(standalone\) +127\.0\.0\.1:\d+ +\d+\n/;
  t.match(up.stdout, columns);
  t.match(up.stdout, new RegExp(`\\nhost-1 +up +${url} +\\d+\\nhost-2 +up +http://127.0.0.1:${Number(port) + 1} `));
  t.match(up.stdout, /\n\nensemble: 127\.0\.0\.1:\d+\n$/);
  t.match(up.stderr, `  export MILLRACE_HOST=${url}\n  millrace hosts\n`);
  t.match(up.stderr, '  millrace cluster down --data try\n');
  const client = new MillraceClient({ url });
  t.match(await client.hosts(), [
    { host: 'host-1', slots: { total: 2 } },
    { host: 'host-2', url: `http://127.0.0.1:${Number(port) + 1}` },
  ]);
  const document = {
    name: 'ticks',
    spouts: { ticks: { type: 'generator', config: { rate: 10, template: { n: { sequence: 1 } } } } },
    bolts: { out: { type: 'log', inputs: [{ from: 'ticks', grouping: 'shuffle' }] } },
  };
  await client.submit({ document });

  const again = await run(['up', ...SMALL]);
  t.match(again, {
    exitCode: 1,
    stderr: /MILLRACE_CLUSTER_RUNNING.* host-1, host-2, ZooKeeper server 1\nhint: .*down/,
  });
  const pids = await pidsOf(directory);
  t.equal(pids.length, 4, 'two hosts of two processes each');
  const [, second] = (await readState(directory))!.hosts;
  for (const pid of processesOf({ pid: second!.pid, dataDirectory: dataDirectory(directory, 'host-2') })) {
    process.kill(pid, 'SIGKILL');
  }
  await poll(async () => (await pidsOf(directory)).length === 2);
  const status = await run(['status', '--json']);
  t.equal(status.exitCode, 0, 'one host still takes requests');
  t.match(summaryIn(status), {
    servers: [{ state: 'standalone' }],
    hosts: [{ state: 'up' }, { state: 'down', pid: null }],
  });

  // Stopped, as by somebody who tried that out.
  for (const pid of await pidsOf(directory)) process.kill(pid, 'SIGSTOP');
  const down = await run(['down']);
  t.match(down, {
    exitCode: 0,
    stderr: /^ended 1 host and 1 ZooKeeper server; .* stays in try\nnot running before: host-2\n$/,
  });
  t.strictSame(pids.filter(isAlive), []);
  t.match(await run(['down']), { exitCode: 0, stderr: 'nothing of it was running\n' });
  const nothing = await run(['status']);
  t.match(nothing, {
    exitCode: 4,
    stdout: /\nhost-2 +down /,
    stderr: /takes no requests; millrace cluster up --data try/,
  });

  const third = await run(['up', '--servers', '1', '--hosts', '1', '--json']);
  const known = summaryIn(third) as LocalClusterStatus;
  t.match([third.exitCode, known.hosts], [0, [{ name: 'host-1', state: 'up', url }]], 'where it was');
  t.match(await client.list(), [{ name: 'ticks' }]);
  const ended = await run(['down', '--json']);
  t.match([ended.exitCode, summaryIn(ended)], [0, { hosts: ['host-1'], servers: 1, notRunning: [] }]);
});

t.test('mistakes are told, and nothing is started', async (t) => {
  const { directory, run } = place(t);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      ['up', '--hosts', '0'],
      2,
      /--hosts is "0", which is not a number of hosts\nhint: give a whole number from 1 to 16/,
    ],
    [['up', '--hosts', '17'], 2, /--hosts is "17"/],
    [['up', '--slots', '0'], 2, /--slots is "0"/],
    [['up', '--servers', '2'], 2, /2 is no size that an ensemble can have/],
    [['up', '--port', '0'], 2, /--port is "0"/],
    [['up', '--port', '65535', ...SMALL], 1, /MILLRACE_CLUSTER_PORT: port 65536 .*"host-2".* above 65535/],
    [['status'], 3, /MILLRACE_CLUSTER_UNKNOWN: there is no cluster in directory ".*try"/],
    [['down'], 3, /MILLRACE_CLUSTER_UNKNOWN/],
    [['restart'], 2, /see millrace cluster --help/],
  ];
  for (const [args, exitCode, stderr] of cases) {
    t.match(await run(args), { exitCode, stderr }, args.join(' '));
    t.notOk(existsSync(directory), 'not even the directory is made');
  }
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const taken = await run(['up', '--json', '--port', String(port), ...SMALL]);
  const error = { code: 'MILLRACE_CLUSTER_PORT', message: new RegExp(`port ${port} .*"host-1".*in use`) };
  t.match([taken.exitCode, summaryIn(taken)], [1, { type: 'error', error }]);
  t.notOk(existsSync(directory));
});

t.test('a directory that cannot be used', async (t) => {
  const { directory, run } = place(t);
  writeFileSync(directory, 'a file');
  t.match(await run(['up']), { exitCode: 1, stderr: /MILLRACE_CLUSTER_DIRECTORY: .*try" cannot hold .*no directory/ });
  // Whoever may write everywhere meets this, too.
  const below = await millrace(dirname(directory), ['cluster', 'up', '--data', '/proc/millrace']);
  t.match(below, { exitCode: 1, stderr: /MILLRACE_CLUSTER_DIRECTORY: .*"\/proc\/millrace" cannot hold a cluster: E/ });
  const other = place(t);
  mkdirSync(other.directory);
  writeFileSync(join(other.directory, 'letter.txt'), 'dear');
  const mine = { exitCode: 1, stderr: /there is no cluster\.json in it, but "letter\.txt"/ };
  for (const command of ['up', 'status', 'down']) t.match(await other.run([command]), mine, command);
  t.strictSame(readdirSync(other.directory), ['letter.txt']);
  const damaged = place(t);
  mkdirSync(damaged.directory);
  for (const text of [
    '{',
    '7',
    '{"format":1}',
    '{"format":1,"hosts":[{"name":"../a","port":1,"pid":0}]}',
    'x'.repeat(70_000),
  ]) {
    writeFileSync(join(damaged.directory, 'cluster.json'), text);
    t.match(
      await damaged.run(['down']),
      { exitCode: 1, stderr: /MILLRACE_CLUSTER_DIRECTORY: .* its cluster\.json/ },
      text.slice(0, 60),
    );
  }
});

t.test('a process that only has the same number is left alone', async (t) => {
  const { directory, run } = place(t);
  mkdirSync(directory);
  const host: HostPlace = { name: 'host-1', port: 7070, pid: process.pid };
  writeFileSync(join(directory, 'cluster.json'), JSON.stringify({ format: 1, hosts: [host] }));
  t.match(await run(['down']), { exitCode: 0, stderr: 'nothing of it was running\n' });
  t.match(await run(['status']), {
    exitCode: 4,
    stdout: /\nhost-1 +down +http:\/\/127\.0\.0\.1:7070 +-\n\nensemble: none\n$/,
  });
  t.ok(isAlive(process.pid));
});

t.test('when a part does not start, the others end, and its log says why', async (t) => {
  const { directory, run } = place(t);
  const failed = await run(['up', ...SMALL, '--files', 'not-there']);
  t.match(failed, {
    exitCode: 1,
    stderr: /MILLRACE_CLUSTER_DIED: host "host-\d" ended .*MILLRACE_HOST_FILES.*not-there/,
  });
  // Whichever was first.
  const [, log = ''] =
    /\nhint: nothing was left running; its log says more: .*(host-\d\.log)\n$/.exec(failed.stderr) ?? [];
  t.strictSame(readdirSync(directory), ['hosts']);
  t.match(readFileSync(join(directory, 'hosts', log), 'utf8'), /MILLRACE_HOST_FILES/);
  t.match(await run(['down']), { exitCode: 3 });
});

t.test('ZooKeeper is not installed', async (t) => {
  const { directory, run } = place(t);
  const before = process.env['ZOOKEEPER_HOME'];
  process.env['ZOOKEEPER_HOME'] = '/nowhere';
  const missing = await run(['up', '--hosts', '1']);
  if (before === undefined) delete process.env['ZOOKEEPER_HOME'];
  else process.env['ZOOKEEPER_HOME'] = before;
  t.match(missing, { exitCode: 1, stderr: /MILLRACE_ZOOKEEPER_MISSING[^]*apt-get install/ });
  t.notOk(existsSync(directory));
});

t.test('Ctrl-C leaves nothing, whenever it comes', async (t) => {
  for (const moment of [/starting the ZooKeeper/, /starting 2 hosts/]) {
    const { directory, run } = place(t);
    let pids: readonly number[] = [];
    const interrupted = await run(['up', ...SMALL], {
      onText: (text, started) => {
        if (!moment.test(text) || pids.length > 0) return;
        pids = [0];
        const look = async (): Promise<void> => {
          const servers = await Ensemble.open(join(directory, 'zookeeper')).then(
            async (found) => await found.status(),
            () => [],
          );
          pids = [...(await pidsOf(directory)), ...servers.flatMap(({ pid }) => pid ?? [])];
          // Some of it runs, and not all of it.
          if (pids.length === 0) setImmediate(() => void look());
          else started.kill('SIGINT');
        };
        void look();
      },
    });
    t.equal(interrupted.exitCode, 130, interrupted.stderr);
    t.match(interrupted.stderr, /ending what was started\n$/);
    t.strictSame(
      pids.filter((pid) => pid > 0 && isAlive(pid)),
      [],
    );
    t.notOk(existsSync(directory));
  }
});

t.test('what the README and docs/cluster.md show', async (t) => {
  const { directory } = place(t);
  const port = await freePort(new Set());
  const env = { MILLRACE_HOST: `http://127.0.0.1:${port}` };
  const run = async (commands: string): ReturnType<typeof runCommands> =>
    await runCommands(
      dirname(directory),
      commands
        .replaceAll('cluster up', `cluster up --port ${port} --servers 1`)
        .replace(/(cluster (?:up|status|down))/g, '$1 --data try'),
      env,
    );
  const readme = pageOf('README.md');
  writeFileSync(join(dirname(directory), 'shout.ts'), blocksOf(readme, 'ts')[0]!);
  const [, section = ''] = readme.split('## Run a cluster');
  const page = pageOf('docs/cluster.md');
  const minute = codeBlocks(page).find(({ code }) => code.includes('cluster up'))!.code;
  writeFileSync(
    join(dirname(directory), 'ticks.json'),
    codeBlocks(page).find(({ file }) => file === 'ticks.json')!.code,
  );
  const [up, ...further] = minute.split('\n');
  const [begin, ...shown] = blocksOf(section, 'sh')[0]!.trimEnd().split('\n');
  t.equal(up, begin, 'both begin in the same way');
  t.equal(shown.pop(), 'npx millrace cluster down');
  // One cluster is enough for both.
  const { stdout, stderr } = await run([begin, ...shown, ...further].join('\n'));
  t.match(stdout, /\nhost-3 +up +0 of \d+ +http:/);
  t.match(stdout, /\nticks +(active|waiting) +1 +2 /);
  t.match(stdout, /\nshouting +completed /);
  t.match(stderr, /\nhost-1 is drained: nothing runs there; millrace undrain host-1 /);
  t.match(stdout, /\nhost-1 +drained +0 of /);
  t.match(stderr, /ended 3 hosts and 1 ZooKeeper server/);
});
