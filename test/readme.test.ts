// What the README shows is what happens: its topology is run as it stands, by itself and on a host, and the figures of
// its first example are those that the example prints.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { DEFAULT_HOST_URL } from '../api/cli/default-host.js';
import { blocksOf, codeBlocks, pageOf, root } from './docs/blocks.js';
import { runCommands } from './docs/shell.js';

const main = join(root, 'dist/api/cli/main.js');
const readme = pageOf('README.md');
const run = promisify(execFile);

t.test('the topology of "Write your own" prints what the README shows', async (t) => {
  const [source] = blocksOf(readme, 'ts');
  const [, expected] = blocksOf(readme, 'text');
  const file = join(t.testdir({}), 'shout.ts');
  writeFileSync(file, source!);
  const { stdout } = await run(process.execPath, [main, 'run', file, '--workers', '2']);
  t.equal(stdout, expected);
});

t.test('the word count prints the figures of the README', async (t) => {
  const [expected] = blocksOf(readme, 'text');
  const { stdout } = await run(process.execPath, [main, 'run', join(root, 'examples/word-count.ts')]);
  const figures = (text: string): string[] => text.match(/[\d,]+ {2}[a-z ]+/g) ?? [];
  t.equal(figures(expected!).length, 12);
  t.strictSame(figures(stdout), figures(expected!));
});

t.test('"Run it as a host": both terminals print what the README shows', async (t) => {
  const [, section = ''] = readme.split('## Run it as a host');
  const blocks = codeBlocks(section).map(({ code }) => code);
  const [start = '', commands = '', shown, printed] = blocks;
  const directory = t.testdir({});
  writeFileSync(join(directory, 'shout.ts'), blocksOf(readme, 'ts')[0]!);
  const options = start.trim().replace('npx millrace', '').split(' ').filter(Boolean);
  const host = spawn(process.execPath, [main, ...options, '--listen', '127.0.0.1:0'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => host.kill('SIGKILL'));
  let stdout = '';
  const url = await new Promise<string>((resolve, reject) => {
    host.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const address = /^listening on (\S+)$/m.exec(stdout)?.[1];
      if (address !== undefined) resolve(address);
    });
    host.once('exit', () => reject(new Error('the host ended')));
  });
  const here = commands.replaceAll(DEFAULT_HOST_URL, url);
  t.equal((await runCommands(directory, here, { MILLRACE_HOST: url })).stdout, shown);
  host.kill('SIGTERM');
  const [exitCode] = (await once(host, 'close')) as [number | null];
  t.equal(exitCode, 0);
  t.equal(stdout.replaceAll(url, DEFAULT_HOST_URL), printed);
});
