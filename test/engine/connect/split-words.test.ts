// The splitter: what a word is, compared with what `tr` makes of the same bytes.

import fc from 'fast-check';
import t from 'tap';
import { splitWords, SplitWords, wordsOf } from '../../../engine/connect/words/index.js';
import { fakeContext, recorder, tupleOf } from './fakes.js';

/** As `tr -cs "A-Za-z'" '\n' | tr A-Z a-z` works: byte by byte. */
function byBytes(text: string): readonly string[] {
  let words = '';
  for (const byte of Buffer.from(text)) {
    const letter = (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 39;
    words += letter ? String.fromCharCode(byte >= 65 && byte <= 90 ? byte + 32 : byte) : '\n';
  }
  return words.split('\n').filter((word) => word !== '');
}

t.test('words are runs of letters and apostrophes, in lower case', async (t) => {
  t.strictSame(wordsOf("Call me Ishmael. Some years ago--never mind how long; Ahab's 'whale'"), [
    ...['call', 'me', 'ishmael', 'some', 'years', 'ago', 'never', 'mind', 'how', 'long', "ahab's", "'whale'"],
  ]);
  t.strictSame(wordsOf(''), []);
  t.strictSame(wordsOf(' 123 -'), []);
  t.strictSame(wordsOf('café'), ['caf']);
});

t.test('every character of Unicode splits as its bytes do', async (t) => {
  const wrong: string[] = [];
  for (let block = 0; block <= 0x10ffff; block += 4096) {
    let text = '';
    for (let code = block; code < block + 4096; code++) {
      if (code < 0xd800 || code > 0xdfff) text += `A${String.fromCodePoint(code)}z `;
    }
    if (wordsOf(text).join() !== byBytes(text).join()) wrong.push(block.toString(16));
  }
  t.strictSame(wrong, []);
});

t.test('any text splits as its bytes do', async () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => wordsOf(text).join() === byBytes(text).join()));
});

t.test('it takes the first field, or the one that it is told', async (t) => {
  const { emit, emitted } = recorder();
  const first = splitWords().create({}, []);
  first.prepare(fakeContext());
  first.execute(tupleOf({ line: 'The whale', note: 'x' }), emit);
  const named = new SplitWords({ field: 'note' });
  named.prepare(fakeContext());
  named.execute(tupleOf({ line: 'The whale', note: 'White' }), emit);
  t.strictSame(
    emitted.map((each) => each.values),
    [['the'], ['whale'], ['white']],
  );
});

t.test('a value that is no text fails its tuple and says which', async (t) => {
  const { emit } = recorder();
  const split = new SplitWords({ field: 'n' });
  split.prepare(fakeContext());
  t.throws(() => split.execute(tupleOf({ n: 7 }), emit), { message: /field "n" of "source" holds number/ });
  t.throws(() => split.execute(tupleOf({ n: null }), emit), { message: /holds null/ });
  t.throws(() => split.execute(tupleOf({ m: 'x', o: 'y' }), emit), {
    code: 'MILLRACE_CONNECT_SETTING',
    message: /"field" .*names "n", but stream "default" of "source" has the fields "m", "o"/,
    fatal: true,
  });
});
