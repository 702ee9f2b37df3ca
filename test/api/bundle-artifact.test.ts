// What is bundled to travel: the same bytes from the same sources, its source map inside, and no native add-on.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { bundleArtifact } from '../../api/bundle.js';
import { NUMBERS } from './modules.js';

t.test('an artifact is named by its bytes, and the same sources give the same', async (t) => {
  const file = join(t.testdir({ 'numbers.ts': NUMBERS }), 'numbers.ts');
  const first = await bundleArtifact(file);
  t.equal(first.sha256, createHash('sha256').update(first.content).digest('hex'));
  t.strictSame(await bundleArtifact(file), first);
});

t.test('errors in it point at the source, wherever it is run', async (t) => {
  const directory = t.testdir({
    'thrower.ts':
      "interface Unseen {\n  readonly a: 1;\n}\nexport const boom = (): Unseen => {\n  throw new Error('boom');\n};\n",
    'main.ts': "import { boom } from './thrower.js';\nexport default boom;\n",
    elsewhere: {},
  });
  const { content } = await bundleArtifact(join(directory, 'main.ts'));
  const text = Buffer.from(content).toString('utf8');
  const map = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)/.exec(text)?.[1];
  const { sources, sourceRoot, sourcesContent } = JSON.parse(Buffer.from(map ?? '', 'base64').toString('utf8')) as {
    readonly sources: readonly string[];
    readonly sourceRoot: string;
    readonly sourcesContent?: unknown;
  };
  t.strictSame(
    sources.map((source) => sourceRoot + source),
    ['thrower.ts', 'main.ts'].map((name) => pathToFileURL(join(directory, name)).href),
  );
  t.equal(sourcesContent, undefined, 'the sources themselves do not travel');
  const copy = join(directory, 'elsewhere', 'bundle.mjs');
  writeFileSync(copy, content);
  const { default: boom } = (await import(pathToFileURL(copy).href)) as { readonly default: () => void };
  t.throws(boom, { message: 'boom' });
});

t.test('native add-ons are refused by name', async (t) => {
  const directory = t.testdir({
    'direct.ts': "import addon from './addon.node';\nexport default addon;\n",
    'both.ts': "import './addon.node';\nimport './missing.js';\n",
    'addon.node': 'this is not a library',
  });
  await t.rejects(bundleArtifact(join(directory, 'direct.ts')), {
    code: 'MILLRACE_BUNDLE_ADDON',
    message: /needs the native add-on "\.\/addon\.node", imported at .*direct\.ts:1:19/,
  });
  const both: unknown = await bundleArtifact(join(directory, 'both.ts')).catch((error: unknown) => error);
  t.match(both, { problems: [{ code: 'MILLRACE_BUNDLE_ADDON' }, { code: 'MILLRACE_BUNDLE_IMPORT' }] });
});

t.test('who looks for an add-on while it runs is told, and may do without', async (t) => {
  const directory = t.testdir({
    'optional.mjs':
      "let found = null;\ntry { found = require('node-gyp-build')('/there'); } catch (error) { found = error.code; }\nexport default found;\n",
    'needed.mjs': "import bindings from 'bindings';\nexport default () => bindings('thing');\n",
  });
  const load = async (name: string): Promise<unknown> => {
    const { content } = await bundleArtifact(join(directory, name));
    const target = join(directory, 'out');
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, name), content);
    return ((await import(pathToFileURL(join(target, name)).href)) as { readonly default: unknown }).default;
  };
  t.equal(await load('optional.mjs'), 'MODULE_NOT_FOUND');
  t.throws((await load('needed.mjs')) as () => void, {
    message: 'native add-ons cannot travel in a bundle: "thing", looked for by bindings',
  });
});
