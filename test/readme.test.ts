// What the README shows is what happens: its topology is run as it stands, and the figures of its first example are
// those that the example prints.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = join(root, 'dist/api/cli/main.js');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const run = promisify(execFile);

/** The code blocks of that language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap((match) =>
    match[1] === language ? [match[2]!] : [],
  );
}

t.test('the topology of "Write your own" prints what the README shows', async (t) => {
  const [source] = blocks('ts');
  const [, expected] = blocks('text');
  const file = join(t.testdir({}), 'shout.ts');
  writeFileSync(file, source!);
  const { stdout } = await run(process.execPath, [main, 'run', file, '--workers', '2']);
  t.equal(stdout, expected);
});

t.test('the word count prints the figures of the README', async (t) => {
  const [expected] = blocks('text');
  const { stdout } = await run(process.execPath, [main, 'run', join(root, 'examples/word-count.ts')]);
  const figures = (text: string): string[] => text.match(/[\d,]+ {2}[a-z ]+/g) ?? [];
  t.equal(figures(expected!).length, 12);
  t.strictSame(figures(stdout), figures(expected!));
});
