import fc from 'fast-check';
import t from 'tap';
import { isMillraceError } from '../../../engine/errors.js';
import { DOCUMENT_BYTES_MAX } from '../../../engine/limits.js';
import { parseDocument } from '../../../engine/model/json-text.js';

/** Line, column and what is wrong, or null when it can be read. */
function mistake(text: string): string | null {
  try {
    parseDocument(text, 'dir/topology.json');
    return null;
  } catch (thrown) {
    if (!isMillraceError(thrown) || thrown.code !== 'MILLRACE_DOCUMENT_SYNTAX') throw thrown;
    return (thrown.message.split('\n', 1)[0] ?? '').replace('dir/topology.json:', '');
  }
}

void t.test('a document is read', (t) => {
  t.strictSame(parseDocument('{"a": [1, -0.5e3, "x\\n\\u00e9\\ud83d\\ude00", true, null, {}], "b": []}', 'a.json'), {
    a: [1, -500, 'x\n\u00e9\u{1f600}', true, null, {}],
    b: [],
  });
  t.strictSame(parseDocument('\ufeff {"a":1}\r\n', 'a.json'), { a: 1 }, 'a byte order mark is skipped');
  t.end();
});

void t.test('a syntax error names file, line, column, and what is wrong', (t) => {
  const cases: readonly [string, string][] = [
    ['', '1:1: expected a value, found the end of the file'],
    ['{"a": 1,}', '1:9: no comma may stand before "}"'],
    ['{"a": 1,\r\n "b" 2}', '2:6: expected ":" after a key, found "2"'],
    ['[1,\n2\n3]', '3:1: expected "," or "]", found "3"'],
    ['[1, 2', '1:6: expected "," or "]", found the end of the file'],
    ["{'a': 1}", '1:2: expected a key in double quotes, found "\'"'],
    ['{"a": tru}', '1:7: expected a value, found "tru"'],
    ['{"a": NaN}', '1:7: expected a value, found "NaN"'],
    ['{"a": 01}', '1:8: expected "," or "}", found "1"'],
    ['{"a": 1} // done', '1:10: expected the end of the document, found "/"'],
    [
      '{"a": "x\ny"}',
      '1:7: this string has no end on its line, or has an escape or character that JSON does not allow',
    ],
    ['{"a": "\\x"}', '1:7: this string has no end on its line, or has an escape or character that JSON does not allow'],
    ['\n\n   "open', '3:4: this string has no end on its line, or has an escape or character that JSON does not allow'],
    ['[\u{1f600}]', '1:2: expected a value, found "\u{1f600}"'],
    ['['.repeat(70), '1:66: nested more than 64 levels deep'],
  ];
  for (const [text, expected] of cases) t.equal(mistake(text), expected, JSON.stringify(text.slice(0, 20)));
  t.equal(mistake(`{"\u001b": 1}`)?.includes('\u001b'), false);
  t.end();
});

void t.test('the line is shown with a mark under the place', (t) => {
  t.throws(() => parseDocument('{\n  "a": 1,\r\n}', 'a.json'), { message: /"}"\n {2}3 \| }\n {4}\| \^$/ });
  t.throws(() => parseDocument('{\r  "a" 1,\r\n}', 'a.json'), { message: /\n {2}2 \| {3}"a" 1,\n {4}\| {7}\^$/ });
  t.throws(() => parseDocument('{\n', 'a.json'), { message: /found the end of the file$/ }, 'there is nothing to show');
  t.end();
});

void t.test('C13 a key that stands twice is refused: it would lose a component', (t) => {
  const text = '{"bolts": {\n  "a": {},\n  "b": {"x": 1, "x ": 2},\n  "a": {}}}';
  t.equal(mistake(text), '4:3: the key "a" stands here twice');
  t.equal(mistake('{"a":1,"\\u0061":2}'), '1:8: the key "a" stands here twice', 'however it is written');
  t.equal(mistake('[{"a":1},{"a":2}]'), null);
  t.end();
});

void t.test('documents above the limit are refused before they are read', (t) => {
  const fits = JSON.stringify('x'.repeat(DOCUMENT_BYTES_MAX - 2));
  t.equal(parseDocument(fits, 'a.json'), fits.slice(1, -1));
  for (const text of [`${fits} `, JSON.stringify('\u20ac'.repeat(DOCUMENT_BYTES_MAX / 2))]) {
    t.throws(() => parseDocument(text, 'a.json'), {
      code: 'MILLRACE_DOCUMENT_TOO_LARGE',
      message: /^a\.json has \d+ bytes/,
    });
  }
  t.end();
});

void t.test('it takes exactly what JSON.parse takes', (t) => {
  const shallow = fc.jsonValue({ maxDepth: 5 });
  const texts = fc.oneof(
    shallow.map((value) => JSON.stringify(value, null, 2)),
    fc
      .tuple(shallow, fc.nat(), fc.constantFrom('', ',', '"', '}', '0', 'x', '\n', '\\'))
      .map(([value, place, change]) => {
        const text = JSON.stringify(value);
        const at = place % (text.length + 1);
        return text.slice(0, at) + change + text.slice(at + 1);
      }),
    fc.string({ unit: fc.constantFrom(...'{}[],:"\\ \n0129.eE+-utrfalsn') }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        return mistake(text) !== null;
      }
      const wrong = mistake(text);
      if (wrong === null) t.strictSame(parseDocument(text, 'a'), parsed);
      return wrong === null || wrong.includes('stands here twice');
    }),
    { numRuns: 2000 },
  );
  t.end();
});
