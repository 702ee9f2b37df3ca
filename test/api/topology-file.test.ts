// Opening topology files: which kinds there are, and what is said about one that cannot be read.

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openTopologyFile } from '../../api/topology-file.js';
import { DOCUMENT_BYTES_MAX } from '../../engine/limits.js';

t.test('a document is parsed, with or without a byte order mark', async (t) => {
  const directory = t.testdir({ 'a.json': '{ "name": "a" }', 'b.JSON': '\uFEFF{ "name": "b" }' });
  const settings = { workers: 2 };
  const { source, dispose } = await openTopologyFile(join(directory, 'a.json'), settings);
  t.strictSame(source, { kind: 'document', document: { name: 'a' }, settings });
  await dispose();
  t.match((await openTopologyFile(join(directory, 'b.JSON'), {})).source, { document: { name: 'b' } });
});

t.test('a module is bundled', async (t) => {
  const { source, dispose } = await openTopologyFile(join(t.testdir({ 'a.mts': 'export default 1;' }), 'a.mts'), {});
  t.match(source, { kind: 'module', url: /a\.mjs$/ });
  await dispose();
});

t.test('what cannot be opened is told', async (t) => {
  const directory = t.testdir({
    'words.ts': '',
    'words.yaml': 'name: words',
    'folder.json': {},
    'bad.json': '{\n  "a": 1,\n}',
    'twice.json': '{ "spouts": {}, "spouts": {} }',
  });
  const refusal = async (name: string, expected: object): Promise<void> => {
    const thrown: unknown = await openTopologyFile(join(directory, name), {}).catch((error: unknown) => error);
    t.match(thrown, expected, name);
  };
  await refusal('wrods.ts', {
    code: 'MILLRACE_RUN_FILE_MISSING',
    hint: 'did you mean "words.ts", in the same directory?',
  });
  await refusal('other.json', { code: 'MILLRACE_RUN_FILE_MISSING', status: 404 });
  await refusal('nowhere/words.ts', { code: 'MILLRACE_RUN_FILE_MISSING', hint: /there is no directory/ });
  await refusal('words.ts/a.ts', { code: 'MILLRACE_RUN_FILE_MISSING' });
  await refusal('words.yaml', { code: 'MILLRACE_RUN_FILE_KIND' });
  await refusal('folder.json', { code: 'MILLRACE_RUN_FILE_UNREADABLE', message: /it is a directory/ });
  await refusal('bad.json', {
    code: 'MILLRACE_DOCUMENT_SYNTAX',
    message: /bad\.json:3:1: no comma may stand before "}"\n {2}3 \| }\n {4}\| \^$/,
  });
  await refusal('twice.json', {
    code: 'MILLRACE_DOCUMENT_SYNTAX',
    message: /:1:17: the key "spouts" stands here twice/,
  });
  writeFileSync(join(directory, 'large.json'), '');
  truncateSync(join(directory, 'large.json'), DOCUMENT_BYTES_MAX + 1);
  await refusal('large.json', { code: 'MILLRACE_DOCUMENT_TOO_LARGE', message: /large\.json has 1048577 bytes/ });
});
