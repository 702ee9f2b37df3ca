// `millrace zookeeper` as a user types it: the commands of docs/ensemble.md, what they print, and mistakes.

import { dirname, basename } from 'node:path';
import t from 'tap';
import { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { guardedDirectory } from '../../coordination/ensemble/running.js';
import { blocksOf, pageOf } from '../../docs/blocks.js';
import { runCommands } from '../../docs/shell.js';
import { leavesNothing, millrace, summaryIn } from './command.js';

t.setTimeout(120_000);

void t.test('the minute of docs/ensemble.md', async (t) => {
  const directory = guardedDirectory(t, 'zk');
  const [minute] = blocksOf(pageOf('docs/ensemble.md'), 'sh').filter((code) => code.includes('--leader'));
  const { stdout, stderr } = await runCommands(dirname(directory), minute!);
  const [address, columns, ...servers] = stdout.split('\n');
  t.match(address, /^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/, 'where clients connect to');
  t.match(columns, /^server +state +address +pid +zxid +connections$/);
  t.equal(servers.slice(0, 3).filter((line) => / leader +127\.0\.0\.1:\d+ +\d+ +0x[0-9a-f]+ +1$/.test(line)).length, 1);
  t.strictSame(servers.slice(3), [address, ''], 'the second start says it again');
  t.match(
    stderr,
    /^started 3 servers; .*\nkilled server \d, the leader; .*\nstarted 1 server; .*\nstopped 3 servers\n$/,
  );
  const ensemble = await Ensemble.open(directory);
  t.strictSame([...new Set((await ensemble.status()).map(({ state }) => state))], ['down']);
});

void t.test('JSON, exit codes and mistakes', async (t) => {
  const directory = guardedDirectory(t, 'zk');
  const place = dirname(directory);
  const data = ['--data', basename(directory)];
  const run = async (...args: readonly string[]): ReturnType<typeof millrace> =>
    await millrace(place, ['zookeeper', ...args]);
  t.match(await run('status', ...data), { exitCode: 3, stderr: /MILLRACE_ENSEMBLE_UNKNOWN/ });
  const started = await run('start', '--servers', '1', '--json', ...data);
  t.match([started.exitCode, summaryIn(started)], [0, { started: [1], servers: [{ id: 1, state: 'standalone' }] }]);
  const [server] = (summaryIn(started) as { readonly servers: readonly [{ readonly pid: number }] }).servers;
  t.match(summaryIn(await run('status', '--json', ...data)), { id: 1, state: 'standalone', pid: server.pid });
  t.match(await run('start', ...data), { exitCode: 0, stdout: /^127/, stderr: /^all servers ran already/ });
  t.match(await run('kill', '--follower', ...data), { exitCode: 3, stderr: /no follower now: server 1 is standalone/ });
  t.match(await run('kill', '2', ...data), { exitCode: 3, stderr: /no server 2/ });
  const killed = await run('kill', '1', '--json', ...data);
  t.match([killed.exitCode, summaryIn(killed)], [0, { killed: 1 }]);
  const status = await run('status', ...data);
  t.match(status, { exitCode: 4, stdout: /\n1 +down +127\.0\.0\.1:\d+ +- +- +-\n$/, stderr: /no server serves/ });
  const stopped = await run('stop', '--json', ...data);
  t.match([stopped.exitCode, stopped.stderr, summaryIn(stopped)], [0, 'no server was running\n', { stopped: 0 }]);

  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [['start'], /required option '-d, --data <DIR>'/],
    [['start', '--servers', '2', ...data], /"servers".* 2 is no size/],
    [['start', '--servers', 'three', ...data], /--servers is "three"/],
    [['start', '--port', '70000', ...data], /--port is "70000"/],
    [['kill', ...data], /no server is named/],
    [['kill', '--leader', '1', ...data], /more than one server is named/],
    [['kill', 'leader', ...data], /"leader" is no number of a server/],
    [['restart', ...data], /see millrace zookeeper --help/],
    [[], /no command is given[^]*see millrace zookeeper --help/],
  ];
  for (const [args, stderr] of mistakes) t.match(await run(...args), { exitCode: 2, stderr }, args.join(' '));
  const wrong = await run('start', '--servers', '3', '--json', ...data);
  t.match(
    [wrong.exitCode, summaryIn(wrong)],
    [2, { type: 'error', error: { code: 'MILLRACE_ENSEMBLE_OPTION', hint: /leave the option out/ } }],
  );
  leavesNothing(t, place);
});

void t.test('nothing is installed, and a start that is interrupted', async (t) => {
  const directory = guardedDirectory(t, 'zk');
  const place = dirname(directory);
  const before = process.env['ZOOKEEPER_HOME'];
  process.env['ZOOKEEPER_HOME'] = '/nowhere';
  const missing = await millrace(place, ['zookeeper', 'start', '--data', 'zk']);
  if (before === undefined) delete process.env['ZOOKEEPER_HOME'];
  else process.env['ZOOKEEPER_HOME'] = before;
  t.match(missing, { exitCode: 1, stderr: /MILLRACE_ZOOKEEPER_MISSING[^]*apt-get install/ });

  let ended = false;
  const interrupting = millrace(place, ['zookeeper', 'start', '--data', 'zk', '--servers', '1'], {
    onStart: (started) => {
      const look = async (): Promise<void> => {
        try {
          const status = await (await Ensemble.open(directory)).status();
          if (status[0]!.pid !== null) return void started.kill('SIGINT');
        } catch {
          // Not written yet.
        }
        if (!ended) setImmediate(() => void look());
      };
      void look();
    },
  });
  const { exitCode } = await interrupting;
  ended = true;
  t.equal(exitCode, 130);
  t.equal((await (await Ensemble.open(directory)).status())[0]!.state, 'down', 'what was started is ended');
});
