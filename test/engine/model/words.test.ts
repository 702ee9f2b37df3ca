import fc from 'fast-check';
import t from 'tap';
import { readDurationMs } from '../../../engine/model/duration.js';
import { keyPath, printable, shown } from '../../../engine/model/names.js';
import { topologyInvalid } from '../../../engine/model/problems.js';
import { editDistance, listed, nearest } from '../../../engine/model/suggest.js';

void t.test('durations', (t) => {
  const good: readonly [unknown, number][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['0.29s', 290],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    [1, 1],
    [2_147_483_647, 2_147_483_647],
  ];
  for (const [written, ms] of good) t.equal(readDurationMs(written), ms, String(written));
  const bad = [
    '',
    '30',
    '30 s',
    's',
    '-1s',
    '1e3s',
    '0s',
    '0.5ms',
    '25d',
    '1w',
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    3e9,
    null,
    true,
    {},
    [],
  ];
  for (const written of bad) t.equal(readDurationMs(written), null, JSON.stringify(written));
  t.end();
});

void t.test('the nearest name', (t) => {
  t.equal(nearest('wrod', ['count', 'word']), 'word', 'swapped');
  t.equal(nearest('shufle', ['fields', 'shuffle']), 'shuffle', 'left out');
  t.equal(nearest('paralellism', ['parallelism', 'config']), 'parallelism');
  t.equal(nearest('Word', ['word']), 'word', 'case');
  t.equal(nearest('b', ['a', 'c']), 'a', 'one letter of one');
  t.equal(nearest('something', ['word', 'count']), null);
  t.equal(nearest('word', ['word']), null, 'not itself');
  t.equal(nearest('word', []), null);
  t.equal(nearest('', ['word']), null);
  t.equal(listed([]), 'none');
  t.equal(
    listed(Array.from({ length: 12 }, (_, index) => index.toString())),
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (12 in all)',
  );
  t.end();
});

void t.test('the distance of two texts is that of the whole table, up to its bound', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 });
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 4 }), (left, right, max) => {
      t.equal(editDistance(left, right, max), Math.min(wholeTable(left, right), max + 1), `${left} ${right} ${max}`);
    }),
    { numRuns: 1000 },
  );
  t.end();
});

function wholeTable(left: string, right: string): number {
  const table = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  const at = (row: number, column: number): number => table[row]?.[column] ?? 0;
  for (let row = 0; row <= left.length; row += 1) {
    for (let column = 0; column <= right.length; column += 1) {
      let cost = Math.max(row, column);
      if (row > 0 && column > 0) {
        const same = left[row - 1] === right[column - 1] ? 0 : 1;
        cost = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + same);
        const swapped =
          row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
        if (swapped) cost = Math.min(cost, at(row - 2, column - 2) + 1);
      }
      (table[row] ?? [])[column] = cost;
    }
  }
  return at(left.length, right.length);
}

void t.test('paths and values in messages', (t) => {
  t.equal(keyPath('bolts', 'count'), 'bolts.count');
  t.equal(keyPath('', 'name'), 'name');
  t.equal(keyPath('', 'a.b'), '["a.b"]');
  t.equal(keyPath('bolts', 'a"b'), 'bolts["a\\"b"]');
  t.equal(printable('a\u0000b\u202ec'), 'a\ufffdb\ufffdc');
  t.equal(printable('x'.repeat(100)).length, 80);
  const values: readonly unknown[] = ['a', 5, NaN, null, undefined, [1, 2], {}, () => 1, Symbol('s'), 5n, true];
  t.strictSame(values.map(shown), [
    '"a"',
    '5',
    'NaN',
    'null',
    'nothing',
    'a list of 2',
    'an object',
    'a function',
    'a symbol',
    '5',
    'true',
  ]);
  t.end();
});

void t.test('the message of many problems is cut', (t) => {
  const problems = Array.from({ length: 60 }, (_, index) => ({ code: 'X', path: '', message: `m${index}`, hint: 'h' }));
  const { message } = topologyInvalid('many', problems);
  t.match(message, /^topology "many" has 60 problem\(s\):\n {2}m0 \(h\)/);
  t.match(message, /m49 \(h\)\n {2}… and 10 more$/);
  t.end();
});
