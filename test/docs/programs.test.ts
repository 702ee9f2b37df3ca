// What the pages show is what happens: every program of docs/ is compiled as a user's would be, and every command is
// run among the files of its page, its output compared with the block that follows it. http.md, whose commands need a
// host, has a test of its own, and so have the services of embedding.md.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { codeBlocks, pageOf, root } from './blocks.js';
import { compile } from './compile.js';
import { runCommands } from './shell.js';

t.setTimeout(230_000);

/** Tested as a whole elsewhere. */
const ELSEWHERE = new Set(['http.md']);
/** Their programs are compiled here, their commands are run elsewhere. */
const COMMANDS_ELSEWHERE = new Set(['cluster.md', 'embedding.md', 'ensemble.md']);

const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && !ELSEWHERE.has(name));

/** A directory for each page, with its files. */
const directory = t.testdir({});
for (const page of pages) {
  mkdirSync(join(directory, page));
  for (const { code, file } of codeBlocks(pageOf(`docs/${page}`))) {
    if (file !== null) writeFileSync(join(directory, page, file), code);
  }
}

t.test('the programs of all pages compile, and each names its file', async (t) => {
  for (const page of pages) {
    const nameless = codeBlocks(pageOf(`docs/${page}`)).filter(
      ({ language, file }) => language === 'ts' && file === null,
    );
    t.strictSame(nameless, [], page);
  }
  t.equal(await compile(directory), '');
});

for (const page of pages) {
  if (COMMANDS_ELSEWHERE.has(page)) continue;
  const blocks = codeBlocks(pageOf(`docs/${page}`));
  if (!blocks.some(({ language }) => language === 'sh')) continue;
  t.test(`the commands of ${page} do what it shows`, async (t) => {
    for (const [index, { language, code }] of blocks.entries()) {
      if (language !== 'sh') continue;
      const next = blocks[index + 1];
      try {
        const { stdout } = await runCommands(join(directory, page), code);
        if (next?.language === 'text') t.equal(stdout, next.code, code);
        else t.pass(code);
      } catch (error) {
        t.fail(code, { error });
      }
    }
  });
}
