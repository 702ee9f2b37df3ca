// The parts of the pages that follow from the code are as the code is now (`npm run docs` writes them), and none is
// missing: every built-in type, every setting and option, every flag of the command line, every variable, every error.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { furtherTypes } from '../../engine/connect/further-types.js';
import { builtins } from '../../engine/connect/registry.js';
import { catalogue } from '../../engine/errors.js';
import { httpLimits, runtimeLimits } from '../../engine/limits.js';
import { CONFIG_KEYS } from '../../engine/model/config.js';
import { pageOf, root } from './blocks.js';
import { filled, partsIn } from './parts.js';
import { runCommands } from './shell.js';

const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));

const known = new Map([...builtins, ...(await furtherTypes())]);

t.test('every page is as the code is: `npm run docs` writes what follows from it', async (t) => {
  for (const name of pages) {
    const page = pageOf(`docs/${name}`);
    t.equal(await filled(page, `docs/${name}`), page, name);
  }
});

t.test('the index links every page, and links lead somewhere', (t) => {
  const index = pageOf('docs/README.md');
  for (const name of pages) if (name !== 'README.md') t.ok(index.includes(`](${name})`), name);
  for (const path of [...pages.map((name) => `docs/${name}`), 'README.md']) {
    for (const [, target = ''] of pageOf(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : join(path, '..', file);
      if (!linked.endsWith('.md')) {
        t.doesNotThrow(() => readdirSync(join(root, linked, /\.\w+$/.test(linked) ? '..' : '.')), `${path}: ${target}`);
        continue;
      }
      const anchors = [...pageOf(linked).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
      t.ok(anchor === undefined || anchors.includes(anchor), `${path}: ${target}`);
    }
  }
  t.end();
});

t.test('builtin.md has every type with every setting', (t) => {
  const page = pageOf('docs/builtin.md');
  t.strictSame(partsIn(page).toSorted(), [...known.keys()].map((type) => `settings of ${type}`).toSorted());
  for (const { type, schema } of known.values()) {
    const [, section = ''] = page.split(`<!-- begin settings of ${type} -->`);
    const [own = ''] = section.split('<!-- end -->');
    const { properties } = schema as unknown as { readonly properties: Readonly<Record<string, object>> };
    t.ok(page.includes(`\n## ${type}\n`), type);
    for (const key of Object.keys(properties))
      t.match(own, new RegExp(`^\\| \`${key}\`.*\\S +\\|$`, 'm'), `${type} ${key}`);
  }
  t.end();
});

t.test('configuration.md has every key, option, limit and variable', (t) => {
  const page = pageOf('docs/configuration.md');
  const row = (name: string): RegExp => new RegExp(`^\\| \`${name}\` +\\|( \\S.*\\|){2,}$`, 'm');
  for (const key of [...CONFIG_KEYS, ...Object.keys(runtimeLimits), ...Object.keys(httpLimits)]) {
    t.match(page, row(key), key);
  }
  const options = readFileSync(join(root, 'api/host/options.ts'), 'utf8').matchAll(/^ {2}readonly (\w+)\?:/gm);
  for (const [, option = ''] of options) t.match(page, row(option), option);
  const known = ['engine', 'coordination', 'api'].flatMap(variablesIn);
  const listed = [
    ...page
      .split('## Environment')[1]!
      .split('\n## ')[0]!
      .matchAll(/^\| `([A-Z_]+)`/gm),
  ].map(([, name]) => name!);
  t.ok(known.length > 0);
  t.strictSame([...new Set(known)].toSorted(), listed.toSorted());
  t.end();
});

t.test('configuration.md has the help of every command', async (t) => {
  const { stdout } = await runCommands(root, 'npx millrace --help');
  const commands = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => `help ${name}`);
  const shown = partsIn(pageOf('docs/configuration.md')).filter((name) => /^help \w+$/.test(name));
  t.strictSame(
    shown,
    commands.filter((name) => name !== 'help help'),
  );
});

t.test('errors.md has every code', (t) => {
  const shown = [...pageOf('docs/errors.md').matchAll(/^### (MILLRACE_\w+)$/gm)].map(([, code]) => code!);
  t.strictSame(shown.toSorted(), Object.keys(catalogue).toSorted());
  t.end();
});

/** The environment variables that the sources of a folder read. */
function variablesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(join(root, folder, name), 'utf8').matchAll(/\benv\[['"](\w+)['"]\]|\benv\.([A-Z]\w+)/g)].map(
        ([, quoted, dotted]) => (quoted ?? dotted)!,
      ),
    );
}
