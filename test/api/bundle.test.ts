// Bundling: what a topology module may be, what stays true of it inside a bundle, and what is said when it cannot be
// one.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { bundleTopology, type Bundle } from '../../api/bundle.js';
import { isMillraceError, type MillraceError } from '../../engine/errors.js';
import { isTopology } from '../../engine/model/definition.js';
import { NUMBERS } from './modules.js';

async function load(t: Test, file: string): Promise<{ readonly bundle: Bundle; readonly exported: unknown }> {
  const bundle = await bundleTopology(file);
  t.teardown(async () => await bundle.dispose());
  const module = (await import(bundle.url)) as { readonly default: unknown };
  return { bundle, exported: module.default };
}

async function refused(t: Test, file: string): Promise<MillraceError> {
  const error: unknown = await bundleTopology(file).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!isMillraceError(error)) return t.fail(`no error of ours: ${String(error)}`) as never;
  return error;
}

t.test('a topology outside any package finds millrace and its sub-paths in this installation', async (t) => {
  const file = join(
    t.testdir({
      'words.ts': NUMBERS,
    }),
    'words.ts',
  );
  const bundle = await bundleTopology(file);
  t.ok(isTopology(((await import(bundle.url)) as { readonly default: unknown }).default), 'it is a topology');
  t.match(bundle.hash, /^[0-9a-f]{64}$/);
  t.equal(bundle.url, pathToFileURL(bundle.path).href);
  t.ok(existsSync(bundle.sourceMapPath));
  await bundle.dispose();
  await bundle.dispose();
  t.notOk(existsSync(dirname(bundle.path)), 'the directory is gone');
});

t.test('the same module gives the same bundle, another one another', async (t) => {
  const directory = t.testdir({ 'a.ts': 'export default 1;', 'b.ts': 'export default 2;' });
  const hashes = [];
  for (const name of ['a.ts', 'a.ts', 'b.ts']) {
    const bundle = await bundleTopology(join(directory, name));
    hashes.push(bundle.hash);
    await bundle.dispose();
  }
  t.equal(hashes[0], hashes[1]);
  t.not(hashes[0], hashes[2]);
});

t.test('what names a source file keeps naming it', async (t) => {
  const directory = t.testdir({
    'entry.ts': `#!/usr/bin/env node
      import * as helper from './lib/helper.js';
      import sloppy from './lib/sloppy.cjs';
      import strict from './lib/strict.cjs';
      import legacy from './lib/legacy.js';
      import { own } from './lib/own.mjs';
      const { dirname } = import.meta;
      export default {
        url: import.meta.url, dirname, filename: import.meta.filename, oldDirname: __dirname, oldFilename: __filename,
        beside: new URL('./lib/data.txt', import.meta.url).href, resolved: import.meta.resolve('./lib/data.txt'),
        builtin: import.meta.resolve('fs'), text: 'import.meta.url __dirname', template: \`__filename \${1}\`,
        helper: helper.where, sloppy, strict, legacy, own,
      };
      // the last line speaks of import.meta`,
    'package.json': '{}',
    lib: {
      'helper.ts': 'export const where: string = import.meta.url;',
      'sloppy.cjs': 'var n = 010; module.exports = { dirname: __dirname, n: n, same: this === module.exports };',
      'strict.cjs': "/* first */ 'use strict';\nmodule.exports = { file: __filename };",
      'legacy.js': 'exports.dirname = __dirname;',
      'own.mjs': "const __dirname = 'mine'; export const own = [__dirname, typeof __filename];",
    },
  });
  const { exported } = await load(t, join(directory, 'entry.ts'));
  const entry = join(directory, 'entry.ts');
  const library = join(directory, 'lib');
  t.strictSame(exported, {
    url: pathToFileURL(entry).href,
    dirname: directory,
    filename: entry,
    oldDirname: directory,
    oldFilename: entry,
    beside: pathToFileURL(join(library, 'data.txt')).href,
    resolved: pathToFileURL(join(library, 'data.txt')).href,
    builtin: 'node:fs',
    text: 'import.meta.url __dirname',
    template: '__filename 1',
    helper: pathToFileURL(join(library, 'helper.ts')).href,
    sloppy: { dirname: library, n: 8, same: true },
    strict: { file: join(library, 'strict.cjs') },
    legacy: { dirname: library },
    own: ['mine', 'string'],
  });
});

t.test('CommonJS dependencies may require built-in modules, and names that they compute', async (t) => {
  const directory = t.testdir({
    'entry.ts': "import old from 'old'; export default { eol: old.eol, other: old.load('ot' + 'her') };",
    node_modules: {
      old: {
        'package.json': '{ "name": "old", "main": "index.js" }',
        'index.js': "const os = require('os'); module.exports = { eol: os.EOL, load: (name) => require(name) };",
      },
      other: { 'package.json': '{ "name": "other" }', 'index.js': "module.exports = 'other';" },
    },
  });
  const { exported } = await load(t, join(directory, 'entry.ts'));
  t.match(exported, { eol: '\n', other: 'other' });
});

t.test('a module may define a require of its own', async (t) => {
  const text = `
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    export default require('./data.json');`;
  const directory = t.testdir({ 'entry.mjs': text, 'data.json': '{ "n": 1 }' });
  t.strictSame((await load(t, join(directory, 'entry.mjs'))).exported, { n: 1 });
});

t.test('native add-ons stay where they are', async (t) => {
  const directory = t.testdir({
    'entry.ts': "import { run } from './user.cjs'; export default run;",
    'user.cjs': "exports.run = () => require('./addon.node');",
    'addon.node': 'this is not a library',
  });
  const { exported } = await load(t, join(directory, 'entry.ts'));
  t.throws(exported as () => void, { message: new RegExp(`addon\\.node`) }, 'it is opened where it lies');
  const bundle = await bundleTopology(join(directory, 'entry.ts'));
  t.ok(readFileSync(bundle.path, 'utf8').includes(JSON.stringify(join(directory, 'addon.node'))));
  await bundle.dispose();
});

t.test('the source map leads back to the source', async (t) => {
  const file = join(t.testdir({ 'entry.ts': 'export default 1;\n\nexport const two: number = 2;\n' }), 'entry.ts');
  const { bundle } = await load(t, file);
  const map = JSON.parse(readFileSync(bundle.sourceMapPath, 'utf8')) as { sources: string[]; mappings: string };
  t.strictSame(
    map.sources.map((source) => join(dirname(bundle.path), source)),
    [file],
  );
  t.ok(readFileSync(bundle.path, 'utf8').includes(`sourceMappingURL=entry.mjs.map`));
});

t.test('a syntax error is told with its place and its line, and leaves nothing behind', async (t) => {
  const file = join(t.testdir({ 'bad.ts': "const é = 'é'; const x: = 5;\nexport default x;\n" }), 'bad.ts');
  const error = await refused(t, file);
  t.equal(error.code, 'MILLRACE_BUNDLE_SYNTAX');
  t.match(error.message, 'bad.ts:1:25: Unexpected "="');
  t.match(error.message, /\n {2}1 \| const é = 'é'; const x: = 5;\n {4}\| {25}\^$/);
  t.strictSame(error.problems, []);
});

t.test('a syntax error in an imported file names that file', async (t) => {
  const directory = t.testdir({ 'entry.ts': "import './other.js'; export default 1;", 'other.ts': '\n\n  function (' });
  const error = await refused(t, join(directory, 'entry.ts'));
  t.equal(error.code, 'MILLRACE_BUNDLE_SYNTAX');
  t.match(error.message, `other.ts:3:`);
});

t.test('a syntax error in a CommonJS file that names its directory is told with its place in it', async (t) => {
  const text = 'exports.dirname = __dirname;\nexports.bad = = 1;\n';
  const directory = t.testdir({ 'entry.ts': "import './old.cjs'; export default 1;", 'old.cjs': text });
  const error = await refused(t, join(directory, 'entry.ts'));
  t.equal(error.code, 'MILLRACE_BUNDLE_SYNTAX');
  t.match(error.message, /old\.cjs:2:15: .*\n {2}2 \| exports\.bad = = 1;/);
});

t.test('imports that cannot be found are all told, each with what to do', async (t) => {
  const text = `import a from 'millrace/conect/file';
import b from 'left-out';
import c from '@some/where/deep';
import d from './missing.js';
import e from 'node:nothing';
export default [a, b, c, d, e];`;
  const error = await refused(t, join(t.testdir({ 'entry.ts': text }), 'entry.ts'));
  t.equal(error.code, 'MILLRACE_BUNDLE_IMPORT');
  t.match(error.message, '"millrace/conect/file", which cannot be found');
  t.match(error.hint, 'did you mean "millrace/connect/file"?');
  const hints = error.problems.map(({ hint }) => hint).join('\n');
  t.match(hints, 'npm install left-out');
  t.match(hints, 'npm install @some/where (');
  t.match(hints, 'there is no such file');
  t.match(error.problems[1]?.path, `entry.ts:2:15`);
});

t.test('a millrace sub-path that is not exported is refused by name', async (t) => {
  const error = await refused(t, join(t.testdir({ 'entry.ts': "import 'millrace/engine/errors.js';" }), 'entry.ts'));
  t.match(error, { code: 'MILLRACE_BUNDLE_IMPORT', message: /"millrace\/engine\/errors\.js"/ });
});

t.test('what is odd but bundles is a warning', async (t) => {
  const file = join(
    t.testdir({ 'entry.ts': "export default typeof (globalThis as any).x === 'undefned';" }),
    'entry.ts',
  );
  const { bundle } = await load(t, file);
  t.match(bundle.warnings, [/entry\.ts:1:\d+: /]);
  t.ok(bundle.path.includes(`${sep}millrace-`));
});
