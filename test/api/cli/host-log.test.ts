// The log of a host without a terminal: copied and emptied when it is long, while others go on writing to it.

import { appendFileSync, closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { boundLog, HOST_LOG_VARIABLE, keepHostLog } from '../../../api/cli/host-log.js';
import { poll } from '../../system/host-command.js';

t.test('one that is long enough is kept as the old one, and whoever has it open goes on', (t) => {
  const file = join(t.testdir({ log: '' }), 'log');
  const open = openSync(file, 'a');
  const write = (text: string): void => void writeSync(open, text);
  write('x'.repeat(100));
  boundLog(file, 100);
  t.notOk(existsSync(`${file}.old`), 'as much as it may have');
  const long = 'first line\n'.repeat(20_000);
  write(long);
  boundLog(file, 100);
  t.equal(readFileSync(`${file}.old`, 'utf8'), 'x'.repeat(100) + long);
  t.equal(statSync(file).size, 0);
  write('second\n');
  t.equal(readFileSync(file, 'utf8'), 'second\n', 'from the beginning, without a hole');
  write('y'.repeat(100));
  boundLog(file, 100);
  t.match(readFileSync(`${file}.old`, 'utf8'), /^second\ny+$/, 'there is one old one');
  closeSync(open);
  t.throws(() => boundLog(join(file, 'none')), /ENOTDIR/);
  t.end();
});

t.test('it is looked at while the process runs, and nobody else is told of it', async (t) => {
  const said: string[] = [];
  const env: NodeJS.ProcessEnv = {};
  keepHostLog(env, (line) => said.push(line));
  const gone = join(t.testdir({}), 'gone');
  env[HOST_LOG_VARIABLE] = gone;
  keepHostLog(env, (line) => said.push(line));
  t.strictSame(env, {});
  await poll(() => said.length > 0);
  t.match(said, [`the log "${gone}" is not bounded any more`]);
});

t.test('a host process that is started with it has it bounded', async (t) => {
  const directory = t.testdir({ log: '' });
  const file = join(directory, 'log');
  const log = openSync(file, 'a');
  const main = new URL('../../../api/cli/main.js', import.meta.url).pathname;
  const args = [main, 'host', '--listen', '127.0.0.1:0', '--data', join(directory, 'data')];
  const env = { ...process.env, [HOST_LOG_VARIABLE]: file };
  const host = spawn(process.execPath, args, { stdio: ['ignore', log, log], env });
  t.teardown(() => host.kill('SIGKILL'));
  await poll(() => readFileSync(file, 'utf8').includes('listening'));
  appendFileSync(file, Buffer.alloc(17 * 1024 * 1024, 'z\n'));
  await poll(() => existsSync(`${file}.old`) && statSync(file).size < 1024);
  t.match(readFileSync(`${file}.old`, 'utf8').slice(0, 100), /listening/);
  host.kill('SIGTERM');
  await once(host, 'exit');
  t.match(readFileSync(file, 'utf8'), /closing the host/, 'it says on where it was emptied');
  closeSync(log);
});
