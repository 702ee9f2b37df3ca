// Batches column by column: values come out as they went in, in the smallest form that holds them.

import fc from 'fast-check';
import t from 'tap';
import { ColumnHabit, ColumnsWriter, listHeader, readColumns, rowOf } from '../../../engine/codec/columns.js';
import { pack, unpack } from '../../../engine/codec/pack.js';
import { TextDictionary } from '../../../engine/codec/text-dictionary.js';
import type { Values } from '../../../engine/component/tuple.js';

/** Both ends of a link, as far as columns are concerned. */
class Ends {
  readonly dictionary = new TextDictionary();
  readonly writer = new ColumnsWriter(this.dictionary);
  readonly texts: string[] = [];

  pack(values: readonly Values[], habits: readonly ColumnHabit[]): Uint8Array {
    const rows = { values, first: 0, count: values.length };
    const parts = habits.map((habit, column) => this.writer.pack(rows, column, habit).slice());
    this.texts.push(...(unpack(this.dictionary.takeFresh()) as string[]));
    return Buffer.concat([listHeader(habits.length), ...parts]);
  }

  unpack(payload: Uint8Array, count: number): Values[] {
    const columns = readColumns(payload, count, this.texts);
    return Array.from({ length: count }, (_, row) => rowOf(columns, row));
  }
}

const habitsFor = (columns: number): ColumnHabit[] => Array.from({ length: columns }, () => new ColumnHabit());

/** What a column of so many equal rows is packed as. */
function kindOf(values: readonly unknown[], habit = new ColumnHabit(), ends = new Ends()): string {
  const payload = ends.pack(
    values.map((value) => [value]),
    [habit],
  );
  return (unpack(payload) as readonly object[])[0]!.constructor.name;
}

t.test('any rows come out as they went in', async (t) => {
  const value = fc.oneof(
    fc.constantFrom('the', 'cow', '', '__proto__'),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.integer(),
    fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.array(fc.nat(), { maxLength: 3 }),
    fc.uint8Array({ maxLength: 5 }),
  );
  const alike = fc.constantFrom<fc.Arbitrary<unknown>>(
    fc.constantFrom('a', 'b'),
    fc.integer(),
    fc.nat(9),
    fc.double({ noNaN: true, min: 1 }),
  );
  const column = fc.oneof(
    fc.array(value, { minLength: 60, maxLength: 60 }),
    alike.chain((of) => fc.array(of, { minLength: 60, maxLength: 60 })),
  );
  const property = fc.property(
    fc.array(column, { minLength: 1, maxLength: 20 }),
    fc.integer({ min: 1, max: 60 }),
    (columns, count) => {
      const ends = new Ends();
      const habits = habitsFor(columns.length);
      for (let batch = 0; batch < 3; batch++) {
        const rows = Array.from({ length: count }, (_, row) => columns.map((each) => each[row]));
        const found = ends.unpack(ends.pack(rows, habits), count);
        if (JSON.stringify(found) !== JSON.stringify(rows)) throw new Error('other rows came out');
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
  t.pass('200 runs');
});

t.test('each column takes the smallest form that holds all of its values', async (t) => {
  t.equal(kindOf(['a', 'b', 'a']), 'Uint16Array');
  t.equal(kindOf([1, -5, 2 ** 31 - 1]), 'Int32Array');
  t.equal(kindOf([1, 2 ** 31]), 'Float64Array');
  t.equal(kindOf([1.5, Number.NaN]), 'Float64Array');
  t.equal(kindOf([1, 'a']), 'Array');
  t.equal(kindOf(['a', 1]), 'Array');
  t.equal(kindOf([null, 1]), 'Array');
  t.equal(kindOf(['a', 'x'.repeat(1000)]), 'Array', 'a text that no dictionary takes');
});

t.test('a column that repeats few of its texts is written as it is for a while', async (t) => {
  const ends = new Ends();
  const habit = new ColumnHabit();
  let next = 0;
  const fresh = (): string[] => Array.from({ length: 128 }, () => `text ${next++}`);
  const kinds = Array.from({ length: 80 }, () => kindOf(fresh(), habit, ends));
  t.strictSame(kinds.slice(0, 5), ['Uint16Array', 'Uint16Array', 'Uint16Array', 'Uint16Array', 'Array']);
  t.equal(kinds.indexOf('Uint16Array', 5), 68, 'and is tried again');
  const repeated = new ColumnHabit();
  for (let batch = 0; batch < 40; batch++) t.equal(kindOf(['a', 'b', 'c', 'd'], repeated, ends), 'Uint16Array');
});

t.test('what is no column of so many rows is refused', async (t) => {
  const texts = ['a', 'b'];
  for (const [what, columns] of [
    ['no list', 'x'],
    ['no columns', []],
    ['too few rows', [[1]]],
    ['too many rows', [Int32Array.of(1, 2, 3)]],
    ['a number that no text has', [Uint16Array.of(0, 2)]],
    ['something else', ['ab']],
    ['an array of another kind', [Uint8Array.of(1, 2)]],
    ['one of several', [[1, 2], [1]]],
  ] as const) {
    t.throws(() => readColumns(pack(columns), 2, texts), { code: 'MILLRACE_FRAME_INVALID' }, what);
  }
  t.throws(() => readColumns(Uint8Array.of(0xc1), 2, texts), { code: 'MILLRACE_FRAME_INVALID' });
  const columns = readColumns(pack([Uint16Array.of(1, 0)]), 2, texts);
  t.strictSame([rowOf(columns, 0), rowOf(columns, 1)], [['b'], ['a']]);
});

t.test('lists of any length are announced as msgpack has it', async (t) => {
  for (const length of [0, 1, 15, 16, 255, 256, 65_535]) {
    const payload = Buffer.concat([listHeader(length), Buffer.alloc(length, 7)]);
    t.equal((unpack(payload) as unknown[]).length, length);
  }
});
