// Opening topology files: which kinds there are, and what is said about one that cannot be read.

import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { findJsonMistake } from '../../api/json-syntax.js';
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
    code: 'MILLRACE_RUN_FILE_SYNTAX',
    message: /bad\.json:2:9: the "," before "}" is one too many\n {2}2 \| {3}"a": 1,\n {4}\| {9}\^$/,
  });
  writeFileSync(join(directory, 'large.json'), '');
  truncateSync(join(directory, 'large.json'), DOCUMENT_BYTES_MAX + 1);
  await refusal('large.json', { code: 'MILLRACE_RUN_FILE_TOO_LARGE' });
});

t.test('mistakes in JSON are found where they are', (t) => {
  const cases: readonly (readonly [text: string, line: number, column: number, reason: RegExp])[] = [
    ['', 1, 1, /the end of the file is not a value/],
    ['nope', 1, 1, /"nope" is not a value/],
    ["{'a': 1}", 1, 2, /a key in double quotes is expected, not "'"/],
    ['{"a" 1}', 1, 6, /":" is expected after the key, not "1"/],
    ['{"a": }', 1, 7, /a value is missing before "}"/],
    ['{"a": 1\n "b": 2}', 2, 2, /"," or "}" is expected/],
    ['[1, 2', 1, 6, /"," or "]" is expected, not the end of the file/],
    ['[01]', 1, 3, /"," or "]" is expected/],
    ['"abc', 1, 1, /this string has no end/],
    ['"a\\x"', 1, 3, /this escape is not one of JSON/],
    ['"a\u0001"', 1, 3, /a control character must be escaped/],
    ['{} // end', 1, 4, /"\/" follows the end of the document/],
    ['{\n// first\n}', 2, 1, /a key in double quotes is expected, not "\/"/],
    ['['.repeat(100_000), 1, 1, /nested too deeply/],
  ];
  for (const [text, line, column, reason] of cases) {
    t.match(findJsonMistake(text), { line, column, reason }, JSON.stringify(text.slice(0, 40)));
  }
  t.end();
});

t.test('a mistake is found exactly where JSON.parse finds one', (t) => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '1',
    '-0.5e3',
    'true',
    'null',
    ' ',
    '\n',
    '"\\n"',
    '"',
    '.',
  );
  const text = fc.oneof(
    fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join('')),
    fc.json(),
    fc.json().map((json) => json.slice(0, -1)),
  );
  fc.assert(
    fc.property(text, (json) => {
      let isJson = true;
      try {
        JSON.parse(json);
      } catch {
        isJson = false;
      }
      return (findJsonMistake(json) === null) === isJson;
    }),
    { numRuns: 2000 },
  );
  t.end();
});
