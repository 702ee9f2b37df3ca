// The built-in types as JSON topologies name them: what their schemas take and refuse, and that each equals its
// function.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Value } from 'typebox/value';
import t from 'tap';
import { count } from '../../../engine/connect/count/index.js';
import { filter, map } from '../../../engine/connect/expression/index.js';
import { fileLines, fileSink } from '../../../engine/connect/file/index.js';
import { generator } from '../../../engine/connect/generator/index.js';
import { ingest } from '../../../engine/connect/ingest/index.js';
import { httpPoll } from '../../../engine/connect/http/index.js';
import { log } from '../../../engine/connect/log/index.js';
import { builtins } from '../../../engine/connect/registry.js';
import { tcpLines } from '../../../engine/connect/tcp/index.js';
import { splitWords } from '../../../engine/connect/words/index.js';

const specs = [
  fileLines({ path: 'a' }),
  generator({ template: { a: 1 } }),
  ingest({ fields: ['word'] }),
  splitWords(),
  count(),
  fileSink({ path: 'a' }),
  log(),
  filter({ where: 'word == "a"' }),
  map({ fields: { word: 'word', twice: 'word + word' } }),
  tcpLines({ port: 0 }),
  httpPoll({ url: 'http://127.0.0.1/', every: '1m', fields: ['id'] }),
];

t.test('each function has its type, with the same settings and outputs', async (t) => {
  t.strictSame(
    [...builtins.keys()],
    specs.map((spec) => spec.type),
  );
  const inputs = [{ from: 'a', stream: 'default', grouping: 'fields', fields: ['word'] }] as const;
  const around = { component: 'it', inputFields: [['word']] };
  for (const spec of specs) {
    const type = builtins.get(spec.type);
    t.ok(type !== undefined && Value.Check(type.schema, spec.config), spec.type);
    const schema = type?.schema as {
      properties?: Record<string, { description?: string }>;
      additionalProperties?: unknown;
    };
    t.strictSame(Object.keys(schema.properties ?? {}), spec.configKeys, spec.type);
    t.equal(schema.additionalProperties, false);
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      t.ok((property.description ?? '').length > 10, `${spec.type} ${key} is described`);
    }
    const streams = (outputs: unknown): unknown => (Array.isArray(outputs) && outputs.length === 0 ? {} : outputs);
    const said = typeof spec.outputs === 'function' ? spec.outputs(inputs, spec.config, around) : spec.outputs;
    const typed = typeof type?.outputs === 'function' ? type.outputs(inputs, spec.config, around) : type?.outputs;
    t.strictSame(typed, Array.isArray(said) && said.length > 0 ? { default: said } : streams(said), spec.type);
    t.equal(type?.create(spec.config, inputs).constructor, spec.create(spec.config, inputs).constructor);
  }
});

t.test('schemas take what their components take, and refuse the rest', async (t) => {
  const check = (type: string, config: unknown): boolean => {
    const schema = builtins.get(type)?.schema;
    return schema !== undefined && Value.Check(schema, config);
  };
  for (const [type, good, bad] of [
    [
      'file-lines',
      [{ path: 'a' }, { path: ['a', 'b'], lineBytesMax: 9 }, { path: 'a/*', follow: true, from: 'end' }],
      [{}, { path: [] }, { path: '' }, { path: 'a', x: 1 }, { path: 'a', from: 'middle' }],
    ],
    [
      'file-sink',
      [
        { path: 'a', append: true, fsync: false, rotateEvery: '1h', rotateNames: 'time', keep: 3 },
        { path: 'a', rotateBytes: 1024 },
      ],
      [
        {},
        { path: ['a'] },
        { path: 'a', append: 'no' },
        { path: 'a', rotateBytes: 1 },
        { path: 'a', rotateEvery: '1 h' },
      ],
    ],
    ['split-words', [{}, { field: 'text' }], [{ field: 1 }, { fields: 'a' }]],
    ['ingest', [{ fields: ['a', 'b'] }], [{}, { fields: [] }, { fields: ['a', 'a'] }, { fields: 'a' }]],
    ['count', [{}], [{ by: 'word' }]],
    [
      'tcp-lines',
      [{ port: 0 }, { port: 9, host: '::1', ack: true, idleTimeout: '5m', retries: 0, pendingMax: 1 }],
      [{}, { port: -1 }, { port: 65_536 }, { port: 1, idleTimeout: '5 m' }, { port: 1, ack: 1 }, { port: '1' }],
    ],
    [
      'http-poll',
      [
        { url: 'http://127.0.0.1/a', every: '1m' },
        { url: 'https://example.org', every: 500, items: '/a/0', fields: ['a'], id: '', headers: { a: 'b' } },
      ],
      [
        { url: 'http://127.0.0.1/a' },
        { url: 'ftp://example.org', every: 1 },
        { url: 'http://a', every: '1m', items: 'a' },
        { url: 'http://a', every: '1m', fields: [] },
        { url: 'http://a', every: '1m', headers: { a: 1 } },
      ],
    ],
    ['filter', [{ where: 'a > 1' }], [{}, { where: '' }, { where: 1 }, { where: 'a'.repeat(4097) }]],
    ['map', [{ fields: { a: 'b' } }], [{}, { fields: {} }, { fields: { a: 1 } }, { fields: { a: '' } }]],
    ['log', [{}, { prefix: '> ' }], [{ prefix: 1 }]],
    [
      'generator',
      [
        { template: { a: 'x', b: 1, c: null, d: [1], e: { oneOf: [1, 'a'] }, f: { integer: [1, 2] } } },
        {
          template: { g: { float: [0, 1] }, h: { sequence: 0 }, i: { string: { length: 3, alphabet: 'ab' } } },
          seed: 1,
        },
        { template: { a: 1 }, rate: 0.5, count: 0, tracked: false },
      ],
      [
        {},
        { template: {} },
        { template: { a: { any: 1 } } },
        { template: { a: { oneOf: [] } } },
        { template: { a: 1 }, rate: 0 },
      ],
    ],
  ] as const) {
    for (const config of good) {
      t.equal(check(type, config), true, `${type} ${JSON.stringify(config)}`);
      t.doesNotThrow(() => builtins.get(type)?.create(config, []));
    }
    for (const config of bad) t.equal(check(type, config), false, `${type} ${JSON.stringify(config)}`);
  }
});

t.test('the functions load no schema library', async (t) => {
  const folder = new URL('../../../engine/connect/', import.meta.url);
  const imports = ['file', 'generator', 'ingest', 'words', 'count', 'log', 'expression', 'tcp', 'http'].map(
    (name) => `await import(${JSON.stringify(new URL(`${name}/index.js`, folder).href)});`,
  );
  const hook = `
    import { register } from 'node:module';
    register('data:text/javascript,export async function resolve(name, context, next) {' +
      'if (/typebox|piscina|msgpackr/.test(name)) throw new Error("loads " + name); return next(name, context); }');
    ${imports.join('\n')}
    process.stdout.write('light');`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', hook], {
    encoding: 'utf8',
    cwd: fileURLToPath(folder),
  });
  t.equal(output, 'light');
});
