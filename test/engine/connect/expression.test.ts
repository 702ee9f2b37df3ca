// `filter` and `map`: what expressions give, where their errors point, what bounds them, and that the outputs follow
// from the inputs, in documents and in TypeScript.

import fc from 'fast-check';
import t from 'tap';
import { Budget, BudgetError } from '../../../engine/connect/expression/budget.js';
import { isExpression, readExpression } from '../../../engine/connect/expression/cel.js';
import { Filter, MapFields, filter, map } from '../../../engine/connect/expression/index.js';
import { generator } from '../../../engine/connect/generator/index.js';
import { builtins } from '../../../engine/connect/registry.js';
import { isMillraceError, type Problem } from '../../../engine/errors.js';
import { topology } from '../../../engine/index.js';
import { applySettings } from '../../../engine/model/settings.js';
import { topologyFromDocument } from '../../../engine/model/document.js';
import { TestRun } from '../../../engine/testing/index.js';
import { fakeContext, recorder, thrownBy, tupleOf } from './fakes.js';

const row = {
  count: 12,
  n: 4,
  price: 2.5,
  word: 'abc',
  list: [1, 2, 3],
  object: { a: 1, b: 'x' },
  at: new Date('2020-02-03T04:05:06Z'),
  bytes: new Uint8Array([1, 2]),
  big: 2n ** 60n,
  nothing: null,
  missing: undefined,
  yes: true,
  'user id': 7,
  string: 's',
};

function gives(text: string, of: Readonly<Record<string, unknown>> = row): unknown {
  const { emit, emitted } = recorder();
  const bolt = new MapFields({ fields: { value: text } });
  bolt.prepare(fakeContext());
  bolt.execute(tupleOf(of), emit);
  return emitted[0]?.values[0];
}

function problemsOf(define: () => unknown): readonly Problem[] {
  try {
    define();
  } catch (thrown) {
    if (isMillraceError(thrown)) return thrown.problems;
    throw thrown;
  }
  return [];
}

t.test('ordinary arithmetic and comparisons just work, whatever the numbers are', async (t) => {
  for (const [text, value] of [
    ['count * 2', 24],
    ['count * 2 == 24', true],
    ['price * 1.5', 3.75],
    ['price * 2', 5],
    ['count / 5', 2.4],
    ['n % 2 == 0', true],
    ['7 / 2', 3],
    ['1 + 1.5', 2.5],
    ['-count + 1', -11],
    ['count > 10 && price < 3', true],
    ['count >= 12 && count <= 12.0 && count != 13', true],
    ['count > price', true],
    ['count == "12"', false],
    ['list[n - 3]', 2],
    ['list.map(x, x * 2)', [2, 4, 6]],
    ['2 in list && !(9 in list)', true],
    ['list == [1, 2, 3]', true],
    ['[1, 2] + [3]', [1, 2, 3]],
    ['size(list) + 1', 4],
    ['object.a + 1', 2],
    ['has(object.z) ? object.z : "none"', 'none'],
    ['object == {"a": 1, "b": "x"}', true],
    ['{"a": count, "b": [1]}', { a: 12, b: [1] }],
    ['word.startsWith("a") ? word.upperAscii() : word', 'ABC'],
    ['word.substring(0, int(n) - 2)', 'ab'],
    ['string(count) + "!"', '12!'],
    ['at.getFullYear()', 2020],
    ['at < timestamp("2021-01-01T00:00:00Z")', true],
    ['at', row.at],
    ['at - timestamp("2020-02-03T04:05:05Z")', 1000],
    ['timestamp(int(count)) < at', true],
    ['bytes == b"\\x01\\x02" && size(bytes) == 2', true],
    ['bytes', row.bytes],
    ['nothing == null && missing == null', true],
    ['missing', null],
    ['big', row.big],
    ['big + 1', row.big + 1n],
    ['big - big', 0],
    ['5u', 5],
    ['tuple["user id"] + count', 19],
    ['tuple.string + tuple["word"]', 'sabc'],
    ['string + string(count)', 's12'],
    ['tuple.list.map(list, list + 1)', [2, 3, 4]],
    ['[1, 2].exists(string, string == 2)', true],
    ['has(list.a) || type(list) == list', false],
    ['cel.bind(x, count + 1, x * x)', 169],
    ['[[1], [price]]', [[1], [2.5]]],
    ['object', row.object],
  ] as const) {
    t.strictSame(gives(text), value, text);
  }
  t.same(gives('tuple', { a: 1, b: null }), { a: 1, b: null });
  t.equal(gives('tuple', { tuple: 'a field of its own' }), 'a field of its own');
});

t.test('what comes in is never changed', async (t) => {
  const value = Object.freeze([1, Object.freeze({ a: 5n, b: NaN })]);
  t.strictSame(gives('v', { v: value }), [1, { a: 5, b: NaN }]);
  t.equal(gives('v', { v: row.list }), row.list, 'and not copied without need');
});

t.test('a filter passes tuples as they are, and nothing else', async (t) => {
  const { emit, emitted } = recorder();
  const bolt = filter({ where: 'count > 10 && word.startsWith("a")' }).create(
    { where: 'count > 10 && word.startsWith("a")' },
    [],
  );
  bolt.prepare(fakeContext());
  const good = tupleOf({ word: 'ab', count: 11 });
  for (const each of [good, tupleOf({ word: 'ab', count: 10 }), tupleOf({ word: 'b', count: 99 })]) {
    t.equal(bolt.execute(each, emit), undefined, 'no promise');
  }
  bolt.execute(tupleOf({ count: 12, word: 'a', more: 1 }), emit);
  t.strictSame(
    emitted.map((each) => each.values),
    [
      ['ab', 11],
      [12, 'a', 1],
    ],
  );
  t.equal(emitted[0]?.values, good.values);
});

t.test('an expression that is wrong is told with its place', async (t) => {
  const fields = Object.keys(row);
  for (const [text, line, column, message, hint] of [
    ['count > ', 1, 9, /unexpected token: the end of the expression/, /CEL over the fields/],
    ['cuont > 1', 1, 1, /unknown field "cuont"\n {2}1 \| cuont > 1\n {4}\| \^{5}$/, /did you mean "count"/],
    ['count >\n  prize', 2, 3, /unknown field "prize"\n {2}2 \| {3}prize\n {4}\| {3}\^{5}$/, /did you mean "price"/],
    ['tuple["user_id"] > 1', 1, 7, /unknown field "user_id"/, /did you mean "user id"/],
    ['tuple.wrod == ""', 1, 7, /unknown field "wrod"\n.*\n {4}\| {7}\^{4}$/, /did you mean "word"/],
    ['for == "a"', 1, 1, /reserved/i, /./],
    ['optional.of(1)', 1, 1, /unknown field "optional"/, /./],
    ['"a" + 1', 1, 1, /no such overload: string \+ int/, /./],
    ['count + word.foo()', 1, 9, /no matching overload for 'dyn.foo\(\)'/, /./],
    ['word.matches("^(a+)+$")', 1, 1, /no regular expressions/, /./],
    ['bytes.json() == 1', 1, 1, /json\(\) is not part of CEL/, /./],
    ['word == "\u202e', 1, 9, /unterminated string/, /./],
    ['"\\q"', 1, 2, /invalid escape/, /./],
    [`1${' + 1'.repeat(1000)}`, 1, 1, /it has 4001|Expression|limit|exceeded|max/i, /./],
    ['('.repeat(200) + '1' + ')'.repeat(200), 1, 1, /depth|nest/i, /./],
    ['a'.repeat(4097), 1, 1, /it has 4097 characters, and may have 4096/, /./],
  ] as const) {
    const read = readExpression(text, fields, { component: 'big', key: 'where' });
    if (isExpression(read)) {
      t.fail(`taken: ${text}`);
      continue;
    }
    t.equal(read.code, 'MILLRACE_EXPRESSION_INVALID');
    t.match(read.message, message, text.slice(0, 40));
    t.match(read.hint, hint);
    if (text.length < 100) t.ok(read.message.includes(`line ${line}, column ${column}: `), read.message);
    t.notMatch(read.message, /\u202e/);
    t.match(read.message, /setting "where" of component "big"/);
  }
});

t.test('a tuple for which it cannot be worked out fails with the place', async (t) => {
  for (const [text, column, message] of [
    ['count + word', 1, /no such overload: double \+ string/],
    ['1 + object.z', 12, /no such key: z/],
    ['list[9]', 1, /out of bounds/],
    ['1 / 0', 1, /division by zero/],
    ['nothing > 1', 1, /null > int/],
    ['word ? 1 : 2', 1, /must be bool, got 'string'/],
    ['timestamp("now")', 1, /ISO 8601/],
    ['at.getHours("Nowhere/Land")', 1, /time zone/],
    ['[type(word)]', 1, /it gives a type, which no tuple can hold/],
  ] as const) {
    const error = thrownBy(() => gives(text));
    t.equal(error.code, 'MILLRACE_EXPRESSION_FAILED', text);
    t.equal(error.fatal, false);
    t.match(error.message, message);
    t.ok(
      error.message.includes(
        `setting "fields.value" of component "component" failed for a tuple of "source": line 1, column ${column}: `,
      ),
      error.message,
    );
    t.match(error.message, /\n {2}1 \| .*\n {4}\| *\^/);
  }
  const bolt = new Filter({ where: 'yes' });
  bolt.prepare(fakeContext());
  bolt.execute(tupleOf({ yes: true }), recorder().emit);
  const error = thrownBy(() => bolt.execute(tupleOf({ yes: 'true' }), recorder().emit));
  t.match(error.message, /it gives "true", not true or false/);
});

t.test('costs are bounded, whatever the macros and the data', async (t) => {
  const list = Array.from({ length: 100_000 }, (_, at) => at);
  const line = 'ab,'.repeat(500_000);
  t.equal(gives('list.filter(x, x >= 10).size()', { list }), 99_990, 'one pass over a long list is nothing');
  for (const text of [
    'list.map(x, list.map(y, x * y))',
    'list.exists(x, list.exists(y, x + y < 0))',
    'list.filter(x, list.exists(y, y < 0) || true)',
    'list.all(x, x in list)',
    'list.map(x, list + list)',
    'line.split("").map(x, line)',
    'line.split("").exists(x, line.split(",").exists(y, x == y + "q"))',
    `cel.bind(a, line + line, cel.bind(b, a + a, cel.bind(c, b + b, c + c)))`,
  ]) {
    t.match(thrownBy(() => gives(text, { list, line })).message, /more than 5000000 steps/, text);
  }
  t.equal(gives('1 + 1', { list, line }), 2, 'and the next one has a budget of its own');
  let deep: unknown = 1;
  for (let depth = 0; depth < 9; depth++) deep = [deep];
  t.match(thrownBy(() => gives('deep == [1]', { deep })).message, /nested deeper than 8/);
  t.strictSame(gives('deep[0][0]', { deep: [[[[[[[[[[1]]]]]]]]]] }), [[[[[[[[1]]]]]]]], 'looking into it is fine');
  const budget = new Budget(1);
  t.doesNotThrow(() => budget.check());
  t.match(new BudgetError('x'), { name: 'BudgetError' });
});

t.test('whatever comes, an expression gives plain data or fails with the code', async (t) => {
  const leaf = fc.oneof(
    fc.constantFrom(
      'count',
      'word',
      'list',
      'object',
      'nothing',
      '1',
      '2.5',
      '"a"',
      'true',
      'null',
      '[]',
      '{}',
      'b"x"',
    ),
    fc.constantFrom('tuple', 'timestamp(0)', 'duration("1s")', 'int', '3u', 'list[0]', 'object.a', 'size(word)'),
  );
  const expression = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'x' },
      leaf,
      fc
        .tuple(tie('any'), fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '>=', 'in', '&&', '||'), tie('any'))
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(tie('any'), tie('any'), tie('any')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `${a}.map(x, ${b})`),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `[${a}, ${b}]`),
      fc
        .tuple(fc.constantFrom('string', 'double', 'int', 'dyn', 'type'), tie('any'))
        .map(([name, a]) => `${name}(${a})`),
      fc.string({ maxLength: 8 }),
    ),
  })).any;
  const value = fc.oneof(
    fc.anything({ maxDepth: 2, withDate: true, withTypedArray: true, withBigInt: true, withNullPrototype: true }),
    fc.double(),
    fc.integer(),
    fc.string(),
  );
  let taken = 0;
  let given = 0;
  fc.assert(
    fc.property(expression, fc.array(value, { minLength: 5, maxLength: 5 }), (text, values) => {
      const of = Object.fromEntries(
        ['count', 'word', 'list', 'object', 'nothing'].map((name, at) => [name, values[at]]),
      );
      const read = readExpression(text, Object.keys(of), { component: 'c', key: 'k' });
      if (!isExpression(read)) return read.code === 'MILLRACE_EXPRESSION_INVALID' && read.message.includes('line ');
      taken++;
      try {
        gives(text, of);
        given++;
      } catch (thrown) {
        return isMillraceError(thrown) && /^MILLRACE_EXPRESSION_/.test(thrown.code);
      }
      return true;
    }),
    { numRuns: 3000 },
  );
  t.ok(taken > 300 && given > 100, `${taken} expressions were taken, ${given} gave a value`);
});

t.test('integers give what they give on paper', async (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) => {
      const of = { a, b };
      return (
        gives('a + b', of) === a + b &&
        gives('a < b', of) === a < b &&
        Object.is(gives('a == b', of), a === b) &&
        gives(`a * 3 - ${b}`, of) === a * 3 - b &&
        gives('int(a) * int(b) == int(b) * int(a)', of) === true
      );
    }),
    { numRuns: 200 },
  );
  t.pass('200 pairs');
});

t.test('outputs follow from the inputs, through several filters and in any order', async (t) => {
  const document = {
    name: 'chain',
    spouts: { rows: { type: 'generator', config: { template: { word: 'A', count: 1 } } } },
    bolts: {
      last: { type: 'count', inputs: [{ from: 'small', grouping: 'fields', fields: ['total'] }] },
      small: { type: 'filter', config: { where: 'total < 5' }, inputs: [{ from: 'twice', grouping: 'shuffle' }] },
      twice: {
        type: 'map',
        config: { fields: { word: 'word.lowerAscii()', total: 'count * 2' } },
        inputs: [{ from: 'rows', grouping: 'shuffle' }],
      },
    },
  };
  const made = topologyFromDocument(document, builtins);
  const outputs = Object.fromEntries(made.components.map((each) => [each.id, each.outputs['default']]));
  t.strictSame(outputs, {
    rows: ['word', 'count'],
    last: ['total', 'count'],
    small: ['word', 'total'],
    twice: ['word', 'total'],
  });
  const changed = applySettings(made, { 'twice.fields': { total: 'count' } });
  t.same(changed.components.find(({ id }) => id === 'small')?.outputs, { default: ['total'] });
  t.match(
    problemsOf(() => applySettings(made, { 'twice.fields': { sum: 'count' }, 'rows.rate': 5 })),
    [{ code: 'MILLRACE_EXPRESSION_INVALID', path: 'bolts.small.config.where', message: /unknown field "total"/ }],
  );
  t.match(
    problemsOf(() => applySettings(made, { 'small.where': 'total <' })),
    [{ code: 'MILLRACE_EXPRESSION_INVALID', path: 'settings["small.where"]' }],
  );
});

t.test('a document hears of every wrong expression, and of nothing behind it', async (t) => {
  const document = {
    name: 'wrong',
    spouts: { rows: { type: 'generator', config: { template: { word: 'A', count: 1 } } } },
    bolts: {
      a: { type: 'filter', config: { where: 'wrd == "a"' }, inputs: [{ from: 'rows', grouping: 'shuffle' }] },
      b: { type: 'filter', config: { where: 'anything > 1' }, inputs: [{ from: 'a', grouping: 'shuffle' }] },
      c: {
        type: 'map',
        config: { fields: { x: 'cnt', y: 'count', 'a b': '1 +', z: 'type(count)' } },
        inputs: [{ from: 'rows', grouping: 'shuffle' }],
      },
      d: { type: 'filter', config: { where: '(' }, inputs: [{ from: 'nobody', grouping: 'shuffle' }] },
      e: { type: 'filter', config: { where: 'word' }, inputs: [{ from: 'e', grouping: 'shuffle' }] },
      f: { type: 'filter', config: { where: '1 + 1' }, inputs: [{ from: 'rows', grouping: 'shuffle' }] },
    },
  };
  const found = problemsOf(() => topologyFromDocument(document, builtins));
  t.strictSame(
    found.map(({ code, path }) => `${code.replace('MILLRACE_', '')} ${path}`),
    [
      'EXPRESSION_INVALID bolts.a.config.where',
      'EXPRESSION_INVALID bolts.c.config.fields.x',
      'EXPRESSION_INVALID bolts.c.config.fields["a b"]',
      'EXPRESSION_INVALID bolts.c.config.fields.z',
      'EXPRESSION_INVALID bolts.d.config.where',
      'EXPRESSION_INVALID bolts.f.config.where',
      'TOPOLOGY_UNKNOWN_COMPONENT bolts.d.inputs[0].from',
      'TOPOLOGY_CYCLE bolts.e.inputs[0]',
    ],
  );
  t.match(found[0], { message: /setting "where" of component "a"[^]*wrd/, hint: /did you mean "word"/ });
  t.match(found[5]?.message, /must give true or false, not int/);
});

t.test('in TypeScript it is the same, with several inputs', async (t) => {
  const rows = generator({ template: { word: 'Ab', count: { sequence: 1 } }, count: 4 });
  const other = generator({ template: { count: 1, word: 'x', more: 2 }, count: 1 });
  const define = (where: string, fields: Record<string, string>) =>
    topology('typed', (t) => {
      const a = t.spout('a', rows);
      const b = t.spout('b', other);
      t.bolt('some', filter({ where })).shuffle(a);
      t.bolt('all', map({ fields })).shuffle(a).shuffle(b);
    });
  const made = define('count % 2 == 0', { word: 'word.lowerAscii()', total: 'count * 2' });
  const kit = await TestRun.start(made);
  await kit.settle();
  await kit.completed;
  t.strictSame(kit.emitted('some'), [
    ['Ab', 2],
    ['Ab', 4],
  ]);
  t.strictSame(kit.emitted('all').map(String).toSorted(), ['ab,2', 'ab,4', 'ab,6', 'ab,8', 'x,2']);
  t.match(
    problemsOf(() => define('nope', { a: 'more' })),
    [
      { path: 'bolts.some.config.where', message: /unknown field "nope"/ },
      { path: 'bolts.all.config.fields.a', message: /unknown field "more"/ },
    ],
  );
  t.match(
    problemsOf(() =>
      topology('typed', (t) => {
        t.bolt('both', filter({ where: 'count > 1' }))
          .shuffle(t.spout('a', rows))
          .shuffle(t.spout('b', other));
      }),
    ),
    [
      {
        code: 'MILLRACE_EXPRESSION_INPUTS',
        path: 'bolts.both',
        message: /word, count of "a", count, word, more of "b"/,
      },
    ],
  );
  for (const [spec, key] of [
    [filter({ where: 1 as never }), 'where'],
    [map({ fields: {} }), 'fields'],
    [map({ fields: { a: '' } }), 'fields.a'],
  ] as const) {
    const found = problemsOf(() => topology('typed', (t) => void t.bolt('x', spec).shuffle(t.spout('a', rows))));
    t.match(found, [{ code: 'MILLRACE_CONNECT_SETTING', path: 'bolts.x' }]);
    t.ok(found[0]?.message.includes(`"${key}"`), key);
  }
});

t.test('a bolt that is given something else than was checked ends the topology', async (t) => {
  for (const bolt of [new Filter({ where: 'a >' }), new MapFields({ fields: { x: 'a >' } })]) {
    t.match(
      thrownBy(() => bolt.execute(tupleOf({ a: 1 }), recorder().emit)),
      { code: 'MILLRACE_EXPRESSION_INVALID', fatal: true },
    );
  }
});
