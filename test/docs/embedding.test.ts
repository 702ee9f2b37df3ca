// The programs of docs/embedding.md, run as they stand: two that end by themselves, and the service, which is asked by
// the curl commands of the page and stopped by a signal.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { codeBlocks, pageOf } from './blocks.js';
import { compile } from './compile.js';
import { runCommands } from './shell.js';

t.setTimeout(120_000);

const blocks = codeBlocks(pageOf('docs/embedding.md'));
const directory = t.testdir({});
for (const { file, code } of blocks) if (file !== null) writeFileSync(join(directory, file), code);

t.test('the programs print what is shown', async (t) => {
  t.equal(await compile(directory), '');
  let programs = 0;
  for (const [index, { language, code }] of blocks.entries()) {
    if (language !== 'sh' || !code.startsWith('node ')) continue;
    programs++;
    t.equal((await runCommands(directory, code)).stdout, blocks[index + 1]?.code, code);
  }
  t.equal(programs, 3);
});

t.test('the service answers as it is shown, also when it is started again', async (t) => {
  const [curl] = blocks.flatMap(({ code }) => (code.startsWith('curl') ? [code] : []));
  const [shown] = blocks.flatMap(({ language, code }) => (language === 'json' ? [JSON.parse(code) as unknown] : []));
  for (const start of ['first', 'second']) {
    const child = spawn(process.execPath, ['service.js'], {
      cwd: directory,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let printed = '';
    const url = new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        const address = /^http:\/\/\S+$/m.exec(printed)?.[0];
        if (address !== undefined) resolve(address);
      });
      child.once('exit', () => reject(new Error('the service ended')));
    });
    const commands = curl!.replaceAll('http://127.0.0.1:3000', await url);
    const { stdout } = await runCommands(directory, commands);
    t.strictSame(JSON.parse(stdout), shown, start);
    t.match(printed, /^Hello, Ahab$/m);
    child.kill('SIGTERM');
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    t.equal(exitCode, 0, 'it ends by itself');
  }
});
