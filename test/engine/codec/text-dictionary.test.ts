// Texts that a link sends once and names by number later: what one end says, the other end knows, over generations.

import fc from 'fast-check';
import t from 'tap';
import { NO_NUMBER, ReceivedTexts, TextDictionary } from '../../../engine/codec/text-dictionary.js';
import { pack } from '../../../engine/codec/pack.js';
import { DICTIONARY_TEXT_LENGTH_MAX, DICTIONARY_TEXTS_MAX } from '../../../engine/limits.js';

/** Ends a frame: what is fresh goes over. */
function send(sender: TextDictionary, receiver: ReceivedTexts): void {
  const { generation, firstFresh } = sender;
  const count = sender.fresh.length;
  if (count > 0) receiver.add(generation, firstFresh, count, sender.takeFresh());
  sender.endFrame();
}

t.test('whatever is named by a number is the same text at the other end, frame by frame', async (t) => {
  const text = fc.oneof(
    fc.nat(DICTIONARY_TEXTS_MAX * 2).map(String),
    fc.constantFrom('', '__proto__', 'constructor', '7', '\u{1f40b}', 'the'),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
  );
  const frames = fc.array(fc.array(text, { maxLength: 400 }), { minLength: 1, maxLength: 40 });
  const property = fc.property(frames, (all) => {
    const sender = new TextDictionary();
    const receiver = new ReceivedTexts();
    for (const frame of all) {
      const numbers = frame.map((each) => sender.numberOf(each));
      send(sender, receiver);
      frame.forEach((each, i) => {
        if (numbers[i] === NO_NUMBER) return;
        if (receiver.texts[numbers[i]!] !== each) throw new Error(`${JSON.stringify(each)} came out as another text`);
      });
    }
  });
  fc.assert(property, { numRuns: 100 });
  t.pass('100 runs');
});

t.test(
  'it is bounded: what finds no room is in the next generation, and what was said before still holds',
  async (t) => {
    const sender = new TextDictionary();
    const receiver = new ReceivedTexts();
    const numbers = Array.from({ length: DICTIONARY_TEXTS_MAX }, (_, n) => sender.numberOf(`text ${n}`));
    t.strictSame(numbers, [...numbers.keys()]);
    t.equal(sender.numberOf('one too many'), NO_NUMBER);
    t.equal(sender.numberOf('text 7'), 7);
    send(sender, receiver);
    const before = receiver.texts;
    t.equal(before.length, DICTIONARY_TEXTS_MAX);
    t.equal(sender.generation, 1);
    t.equal(sender.numberOf('one too many'), 0);
    t.equal(sender.numberOf('text 7'), 1);
    send(sender, receiver);
    t.strictSame(receiver.texts, ['one too many', 'text 7']);
    t.equal(before[7], 'text 7', 'batches that wait keep the list that they came with');
    t.equal(sender.numberOf('x'.repeat(DICTIONARY_TEXT_LENGTH_MAX)), 2);
    t.equal(sender.numberOf('x'.repeat(DICTIONARY_TEXT_LENGTH_MAX + 1)), NO_NUMBER, 'long texts stay out');
  },
);

t.test('what cannot be a dictionary is refused, and changes nothing', async (t) => {
  const receiver = new ReceivedTexts();
  receiver.add(0, 0, 2, pack(['a', 'b']));
  const long = 'x'.repeat(DICTIONARY_TEXT_LENGTH_MAX + 1);
  for (const [what, first, count, packed] of [
    ['no msgpack', 2, 1, Uint8Array.of(0xc1)],
    ['no list', 2, 1, pack('c')],
    ['fewer texts than it says', 2, 2, pack(['c'])],
    ['more texts than it says', 2, 1, pack(['c', 'd'])],
    ['something else', 2, 1, pack([7])],
    ['a long text', 2, 2, pack(['c', long])],
    ['a gap', 3, 1, pack(['c'])],
    ['again from the start', 0, 1, pack(['c'])],
  ] as const) {
    t.throws(() => receiver.add(0, first, count, packed), { code: 'MILLRACE_FRAME_INVALID' }, what);
    t.strictSame(receiver.texts, ['a', 'b']);
  }
  t.throws(() => receiver.add(1, 2, 1, pack(['c'])), { code: 'MILLRACE_FRAME_INVALID' }, 'a generation begins at 0');
  receiver.add(0, 2, 1, pack(['c']));
  t.strictSame(receiver.texts, ['a', 'b', 'c']);
});
