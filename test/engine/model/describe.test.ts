import t from 'tap';
import { topology } from '../../../engine/index.js';
import { canonicalJson, describe, upToDate } from '../../../engine/model/describe.js';
import { applySettings } from '../../../engine/model/settings.js';
import { Configured, Lines, Split, everyWay, wordCount } from '../../types/accepted.js';

void t.test('a description is plain JSON, and says everything but how instances are made', (t) => {
  for (const each of [wordCount, everyWay]) {
    const description = describe(each);
    t.strictSame(JSON.parse(JSON.stringify(description)), description);
    t.strictSame(structuredClone(description), description);
  }
  t.strictSame(describe(wordCount).components[1], {
    kind: 'bolt',
    id: 'split',
    parallelism: 2,
    outputs: { default: ['word'] },
    config: {},
    inputs: [{ from: 'lines', stream: 'default', grouping: 'shuffle', fields: [] }],
    behavior: { manualAck: false, concurrency: 1, ordered: false, tickMs: null, callTimeoutMs: null },
  });
  t.end();
});

void t.test('what an older version knew nothing of has its default', (t) => {
  const { placement, ...older } = wordCount.config;
  t.equal(placement, 'together');
  const built = { ...wordCount, config: older as typeof wordCount.config };
  t.strictSame(describe(built), describe(wordCount), 'in a topology that its bundle built');
  t.strictSame(applySettings(built, {}).config, wordCount.config);
  const { config, ...rest } = describe(everyWay);
  const { placement: spread, ...stored } = config;
  t.equal(spread, 'spread');
  const description = upToDate({ ...rest, config: stored as typeof config });
  t.strictSame(description, { ...rest, config: { ...config, placement: 'together' } }, 'in a description it kept');
  t.strictSame(upToDate(describe(everyWay)), describe(everyWay));
  t.end();
});

void t.test('what JSON does not have is described as text', (t) => {
  const circular: Record<string, unknown> = { a: 1 };
  circular['self'] = circular;
  let deep: unknown = 1;
  for (let level = 0; level < 100; level += 1) deep = [deep];
  const odd = {
    minLength: 3,
    call: function named() {
      return 1;
    },
    big: 5n,
    none: undefined,
    list: [undefined, NaN, -0],
    symbol: Symbol('s'),
    date: new Date(5),
    pattern: /a+/g,
    map: new Map([['k', new Set([1])]]),
    bytes: new Uint8Array([1, 2]),
    circular,
    deep,
    ['__proto__']: 1,
  };
  const built = topology('odd', (t) => {
    t.bolt('odd', Configured, { config: odd }).shuffle(t.bolt('split', Split).shuffle(t.spout('lines', Lines)));
  });
  const description = describe(built);
  const config = description.components[0]?.config ?? {};
  t.match(config, {
    call: '[function named]',
    big: '[5n]',
    list: [null, '[NaN]', 0],
    symbol: '[Symbol(s)]',
    date: '[date 5]',
    pattern: '[/a+/g]',
    map: { '[map]': [['k', { '[set]': [1] }]] },
    bytes: { '[Uint8Array]': [1, 2] },
    circular: { a: 1, self: '[circular]' },
  });
  t.notOk(Object.hasOwn(config, 'none'));
  t.ok(canonicalJson(description).includes('[deep]'));
  t.strictSame(JSON.parse(JSON.stringify(description)) as unknown, JSON.parse(canonicalJson(description)));
  t.end();
});

void t.test('canonical JSON is equal for equal data', (t) => {
  t.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
  t.equal(canonicalJson(describe(wordCount)), canonicalJson(structuredClone(describe(wordCount))));
  t.not(canonicalJson(describe(wordCount)), canonicalJson(describe(everyWay)));
  t.equal(canonicalJson([2, 1]), '[2,1]', 'lists keep their order');
  t.end();
});
