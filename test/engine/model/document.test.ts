import t from 'tap';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Problem } from '../../../engine/index.js';
import { Bolt, Spout, isMillraceError } from '../../../engine/index.js';
import { builtins } from '../../../engine/connect/registry.js';
import { describe } from '../../../engine/model/describe.js';
import { parseDocument, topologyFromDocument, topologySchema, typeSchemas } from '../../../engine/model/document.js';
import { DURATION_PATTERN } from '../../../engine/model/duration.js';
import { NAME_PATTERN } from '../../../engine/model/names.js';
import type { ComponentRegistry, ComponentType } from '../../../engine/model/registry.js';
import type { Settings } from '../../../engine/model/settings.js';
import { mismatches } from '../../../engine/model/shape.js';

class Source extends Spout {
  readonly config: Readonly<Record<string, unknown>>;
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    this.config = config;
  }
  nextTuple(): void {}
}

class Sink extends Bolt {
  execute(): void {}
}

const source: ComponentType = {
  type: 'source',
  kind: 'spout',
  description: 'Emits words.',
  schema: Type.Object(
    {
      path: Type.String({ minLength: 1, description: 'The file.' }),
      rate: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      nested: Type.Optional(Type.Object({ inner: Type.Integer() }, { additionalProperties: false })),
      mode: Type.Optional(Type.Union([Type.Literal('fast'), Type.Literal('slow')])),
      fields: Type.Optional(Type.Array(Type.String())),
    },
    { additionalProperties: false },
  ),
  outputs: (_inputs, config) => ({ default: (config['fields'] ?? ['word']) as string[] }),
  create: (config) => new Source(config),
};

const sink: ComponentType = {
  type: 'sink',
  kind: 'bolt',
  description: 'Takes anything.',
  schema: Type.Object({}, { additionalProperties: false }),
  outputs: {},
  behavior: { concurrency: 4 },
  create: () => new Sink(),
};

const registry: ComponentRegistry = new Map([source, sink].map((type) => [type.type, type]));

const wordCount = `{ "name": "word-count",
  "spouts": { "lines": { "type": "file-lines", "config": { "path": "moby-dick.txt" } } },
  "bolts": {
    "split": { "type": "split-words", "parallelism": 2, "inputs": [{ "from": "lines", "grouping": "shuffle" }] },
    "count": { "type": "count", "parallelism": 2, "inputs": [{ "from": "split", "grouping": "fields", "fields": ["word"] }] },
    "out": { "type": "file-sink", "config": { "path": "counts.jsonl" }, "inputs": [{ "from": "count", "grouping": "global" }] } } }`;

function problemsOf(document: unknown, settings: Settings = {}, types = registry): readonly Problem[] {
  try {
    topologyFromDocument(document, types, settings);
  } catch (thrown) {
    if (isMillraceError(thrown) && thrown.code === 'MILLRACE_TOPOLOGY_INVALID') return thrown.problems;
    throw thrown;
  }
  return [];
}

function found(document: unknown, settings: Settings = {}): string[] {
  return problemsOf(document, settings).map((problem) => `${problem.code.replace('MILLRACE_', '')} ${problem.path}`);
}

const good = { type: 'source', config: { path: 'a' } };

void t.test('the word count of the documentation works as it stands', (t) => {
  const document = parseDocument(wordCount, 'word-count.json');
  const topology = topologyFromDocument(document, builtins);
  t.ok(Check(topologySchema, document));
  const components = describe(topology).components.map(({ id, kind, parallelism, outputs }) => [
    id,
    kind,
    parallelism,
    outputs,
  ]);
  t.strictSame(components, [
    ['lines', 'spout', 1, { default: ['line'] }],
    ['split', 'bolt', 2, { default: ['word'] }],
    ['count', 'bolt', 2, { default: ['word', 'count'] }],
    ['out', 'bolt', 1, {}],
  ]);
  t.match(topology.config, { workers: 1, messageTimeoutMs: 30_000, tracking: true });
  t.end();
});

void t.test('everything that a document may have', (t) => {
  const topology = topologyFromDocument(
    {
      $schema: 'https://example.org/schema',
      version: '7',
      name: 'all',
      config: {
        workers: 3,
        messageTimeout: '1.5m',
        maxSpoutPending: 10,
        tracking: false,
        keyGroups: 16,
        placement: 'spread',
        hostLabels: ['eu'],
        priority: -3,
        autoRebalance: true,
      },
      spouts: { constructor: { ...good, parallelism: 2, labels: ['disk'] } },
      bolts: {
        out: {
          type: 'sink',
          apart: 'constructor',
          inputs: [{ from: 'constructor', stream: 'default', grouping: 'all' }],
        },
      },
    },
    registry,
  );
  t.match(topology, {
    version: '7',
    config: {
      workers: 3,
      messageTimeoutMs: 90_000,
      maxSpoutPending: 10,
      tracking: false,
      keyGroups: 16,
      placement: 'spread',
      hostLabels: ['eu'],
      priority: -3,
      autoRebalance: true,
    },
  });
  const [spout, bolt] = topology.components;
  t.match(describe(topology).components, [{ labels: ['disk'] }, { apart: 'constructor' }]);
  t.match(spout, { id: 'constructor', parallelism: 2, configKeys: ['path', 'rate', 'nested', 'mode', 'fields'] });
  t.match(bolt, { behavior: { concurrency: 4, ordered: false } });
  t.strictSame((spout?.create({ path: 'b' }) as Source).config, { path: 'b' });
  t.match(topologyFromDocument({ name: 'a', spouts: { s: good }, config: { messageTimeout: false } }, registry), {
    config: { messageTimeoutMs: null },
  });
  t.end();
});

void t.test('documents that are no objects', (t) => {
  for (const document of [null, undefined, 5, 'text', [], true]) t.strictSame(found(document), ['DOCUMENT_VALUE ']);
  t.strictSame(found({}), ['DOCUMENT_MISSING_KEY name', 'TOPOLOGY_NO_SPOUT spouts']);
  t.strictSame(found({ name: 5, spouts: [], bolts: null }), [
    'DOCUMENT_VALUE name',
    'DOCUMENT_VALUE spouts',
    'DOCUMENT_VALUE bolts',
  ]);
  t.end();
});

void t.test('unknown keys, with the nearest one', (t) => {
  const problems = problemsOf({
    name: 'a',
    confg: {},
    spouts: { s: { ...good, paralelism: 2 } },
    bolts: { b: { type: 'sink', inputs: [{ from: 's', grouping: 'all', steam: 'x' }] } },
  });
  t.strictSame(
    problems.map((problem) => [problem.path, problem.message, /did you mean "(\w+)"/.exec(problem.hint)?.[1]]),
    [
      ['confg', 'the document has no key "confg"', 'config'],
      ['spouts.s.paralelism', 'spouts.s has no key "paralelism"', 'parallelism'],
      ['bolts.b.inputs[0].steam', 'bolts.b.inputs[0] has no key "steam"', 'stream'],
    ],
  );
  t.end();
});

void t.test('types: unknown, of the other kind, missing, or no text', (t) => {
  const document = {
    name: 'a',
    spouts: { one: { type: 'sorce' }, two: { type: 'sink' }, three: {}, four: { type: 5 }, five: good, six: 5 },
    bolts: {
      out: { type: 'sink', inputs: ['one', 'two', 'three', 'four', 'six'].map((from) => ({ from, grouping: 'all' })) },
    },
  };
  const problems = problemsOf(document);
  t.strictSame(problems.map((problem) => `${problem.code.replace('MILLRACE_DOCUMENT_', '')} ${problem.path}`).sort(), [
    'MISSING_KEY spouts.three.type',
    'TYPE_KIND spouts.two.type',
    'UNKNOWN_TYPE spouts.one.type',
    'VALUE spouts.four.type',
    'VALUE spouts.six',
  ]);
  const unknown = problems.find((problem) => problem.code.endsWith('UNKNOWN_TYPE'));
  t.equal(unknown?.hint, 'did you mean "source"? known types of spouts: source');
  t.end();
});

void t.test('C03 C04 C06 C13 in a document', (t) => {
  const inputs = [
    { from: 'sorce', grouping: 'shuffle' },
    { from: 's', grouping: 'fields', fields: ['wrod'] },
    { from: 's', stream: 'late', grouping: 'shufle' },
  ];
  t.strictSame(
    found({
      name: 'a b',
      spouts: {
        s: { ...good, parallelism: 0, inputs: [{ from: 'x', grouping: 'all' }] },
        'b/d': good,
        __x: good,
        both: good,
      },
      bolts: {
        b: { type: 'sink', parallelism: 1.5, inputs },
        none: { type: 'sink' },
        empty: { type: 'sink', inputs: [] },
        both: { type: 'sink', inputs: [{ from: 's', grouping: 'all' }] },
      },
    }).sort(),
    [
      'TOPOLOGY_BOLT_WITHOUT_INPUTS bolts.empty.inputs',
      'TOPOLOGY_BOLT_WITHOUT_INPUTS bolts.none.inputs',
      'TOPOLOGY_DUPLICATE_COMPONENT bolts.both',
      'TOPOLOGY_NAME name',
      'TOPOLOGY_NAME spouts.__x',
      'TOPOLOGY_NAME spouts["b/d"]',
      'TOPOLOGY_NUMBER bolts.b.parallelism',
      'TOPOLOGY_NUMBER spouts.s.parallelism',
      'TOPOLOGY_SPOUT_WITH_INPUTS spouts.s.inputs',
      'TOPOLOGY_UNKNOWN_COMPONENT bolts.b.inputs[0].from',
      'TOPOLOGY_UNKNOWN_FIELD bolts.b.inputs[1].fields[0]',
      'TOPOLOGY_UNKNOWN_GROUPING bolts.b.inputs[2].grouping',
      'TOPOLOGY_UNKNOWN_STREAM bolts.b.inputs[2].stream',
    ],
  );
  t.end();
});

void t.test('C07 limits of the host hold for documents', (t) => {
  const document = { name: 'a', spouts: { s: { ...good, parallelism: 5 } }, config: { workers: 3 } };
  t.strictSame(found(document), []);
  try {
    topologyFromDocument(document, registry, {}, { tasksMax: 4, workersMax: 2 });
    t.fail('it must throw');
  } catch (thrown) {
    t.match(isMillraceError(thrown) && thrown.problems, [
      { code: 'MILLRACE_TOPOLOGY_TOO_LARGE', path: '' },
      { code: 'MILLRACE_TOPOLOGY_TOO_LARGE', path: 'config.workers' },
    ]);
  }
  t.end();
});

void t.test('a document with far too many components is refused without looking at them', (t) => {
  const entries = Array.from({ length: 1001 }, (_, index) => [`s${index}`, 5] as const);
  t.strictSame(found({ name: 'a', spouts: Object.fromEntries(entries), bolts: {} }), ['TOPOLOGY_TOO_LARGE ']);
  t.end();
});

void t.test('values that have no place in a topology are told once', (t) => {
  const b = (inputs: unknown, more = {}): object => ({
    name: 'a',
    spouts: { s: good },
    bolts: { b: { type: 'sink', inputs, ...more } },
  });
  t.strictSame(found(b('s')), ['DOCUMENT_VALUE bolts.b.inputs']);
  t.strictSame(found(b(null)), ['DOCUMENT_VALUE bolts.b.inputs']);
  t.strictSame(found(b(['s'])), ['DOCUMENT_VALUE bolts.b.inputs[0]']);
  t.strictSame(found(b([{ grouping: 'all' }])), ['DOCUMENT_MISSING_KEY bolts.b.inputs[0].from']);
  t.strictSame(found(b([{ from: 5, grouping: 'all' }])), ['DOCUMENT_VALUE bolts.b.inputs[0].from']);
  t.strictSame(found(b([{ from: 's' }])), ['DOCUMENT_MISSING_KEY bolts.b.inputs[0].grouping']);
  t.strictSame(found(b([{ from: 's', grouping: 5 }])), ['DOCUMENT_VALUE bolts.b.inputs[0].grouping']);
  t.strictSame(found(b([{ from: 's', grouping: 'fields', fields: 'word' }])), [
    'DOCUMENT_VALUE bolts.b.inputs[0].fields',
  ]);
  t.strictSame(found(b([{ from: 's', stream: 5, grouping: 'all' }])), ['DOCUMENT_VALUE bolts.b.inputs[0].stream']);
  t.strictSame(found(b([{ from: 's', grouping: 'all' }], { config: 5 })), ['DOCUMENT_VALUE bolts.b.config']);
  t.strictSame(found(b([{ from: 's', grouping: 'all' }], { parallelism: null })), [
    'DOCUMENT_VALUE bolts.b.parallelism',
  ]);
  t.strictSame(
    found({
      name: 'a',
      spouts: { s: good },
      bolts: { b: 5, c: { type: 'sink', inputs: [{ from: 'b', grouping: 'all' }] } },
    }),
    ['DOCUMENT_VALUE bolts.b'],
  );
  t.end();
});

void t.test('durations and names are asked for in words, not as the pattern that they match', (t) => {
  const sources = Type.Object({ a: Type.Optional(Type.String({ pattern: DURATION_PATTERN })) });
  t.match(mismatches(sources, { a: 'soon' }, ''), [{ expected: 'a duration such as "500ms", "10s" or "2m"' }]);
  const names = Type.Object({ a: Type.String({ pattern: NAME_PATTERN }) });
  t.match(mismatches(names, { a: 'a b' }, ''), [
    { expected: 'a name of letters, digits, ".", "_" and "-", at most 128' },
  ]);
  t.end();
});

void t.test('C09 settings of components: wrong types, unknown and missing keys', (t) => {
  const config = { pth: 'a', rate: 0, nested: { innr: 1 }, mode: 'fst' };
  const problems = problemsOf({ name: 'a', spouts: { s: { type: 'source', config } } });
  t.strictSame(
    problems.map((problem) => [problem.code, problem.path, problem.message]),
    [
      ['MILLRACE_CONFIG_MISSING_KEY', 'spouts.s.config.path', 'spout "s" (type "source") needs the setting "path"'],
      ['MILLRACE_CONFIG_UNKNOWN_KEY', 'spouts.s.config.pth', 'spout "s" (type "source") has no setting "pth"'],
      [
        'MILLRACE_CONFIG_VALUE',
        'spouts.s.config.rate',
        'setting "rate" of spout "s" (type "source") must be a number above 0, not 0',
      ],
      [
        'MILLRACE_CONFIG_MISSING_KEY',
        'spouts.s.config.nested.inner',
        'spout "s" (type "source") needs the setting "nested.inner"',
      ],
      [
        'MILLRACE_CONFIG_UNKNOWN_KEY',
        'spouts.s.config.nested.innr',
        'spout "s" (type "source") has no setting "nested.innr"',
      ],
      [
        'MILLRACE_CONFIG_VALUE',
        'spouts.s.config.mode',
        'setting "mode" of spout "s" (type "source") must be one of "fast", "slow", not "fst"',
      ],
    ],
  );
  t.equal(problems[0]?.hint, 'add it: The file.');
  t.match(problems[1]?.hint, /did you mean "path"\?/);
  t.strictSame(found({ name: 'a', spouts: { s: { type: 'source' } } }), ['CONFIG_MISSING_KEY spouts.s.config.path']);
  const wrongFields = { type: 'source', config: { path: 'a', fields: [1, 'x'] } };
  const after = { type: 'sink', inputs: [{ from: 's', grouping: 'fields', fields: ['z'] }] };
  t.strictSame(
    found({ name: 'a', spouts: { s: wrongFields }, bolts: { after } }),
    ['CONFIG_VALUE spouts.s.config.fields[0]'],
    'streams that follow from wrong settings are not known',
  );
  t.end();
});

void t.test('C09 settings of the topology: wrong types and unknown keys', (t) => {
  const config = {
    wokers: 2,
    workers: '2',
    messageTimeout: '5 parsecs',
    maxSpoutPending: 0,
    tracking: 1,
    keyGroups: 1e9,
  };
  t.strictSame(found({ name: 'a', spouts: { s: good }, config }).sort(), [
    'CONFIG_UNKNOWN_KEY config.wokers',
    'TOPOLOGY_DURATION config.messageTimeout',
    'TOPOLOGY_FLAG config.tracking',
    'TOPOLOGY_NUMBER config.keyGroups',
    'TOPOLOGY_NUMBER config.maxSpoutPending',
    'TOPOLOGY_NUMBER config.workers',
  ]);
  t.strictSame(found({ name: 'a', spouts: { s: good }, config: [] }), ['DOCUMENT_VALUE config']);
  t.strictSame(found({ name: 'a', spouts: { s: good }, version: 5 }), ['TOPOLOGY_VERSION version']);
  t.end();
});

void t.test('errors of the built-in types', (t) => {
  const spouts = {
    g: {
      type: 'generator',
      config: { template: { a: { oneof: [1] }, b: { integer: [1] }, c: { oneOf: [1], float: [0, 1] } } },
    },
  };
  const problems = problemsOf({ name: 'a', spouts }, {}, builtins);
  t.match(problems, [
    { path: 'spouts.g.config.template.a.oneof', hint: /did you mean "oneOf"/ },
    { path: 'spouts.g.config.template.b.integer', message: /a list of/ },
    { path: 'spouts.g.config.template.c' },
  ]);
  const key = (fields: string[]): object => ({ from: fields.join(), grouping: 'fields', fields });
  const disagreeing = problemsOf(
    {
      name: 'a',
      spouts: {
        a: { type: 'generator', config: { template: { a: 1 } } },
        b: { type: 'generator', config: { template: { b: 1 } } },
      },
      bolts: {
        count: { type: 'count', inputs: [key(['a']), key(['b'])] },
        out: { type: 'log', inputs: [{ from: 'count', grouping: 'global' }] },
      },
    },
    {},
    builtins,
  );
  t.match(disagreeing, [{ code: 'MILLRACE_COUNT_KEY', path: 'bolts.count' }]);
  t.equal(disagreeing.length, 1);
  t.end();
});

void t.test('artifacts', (t) => {
  const of = (artifact: unknown): string[] => found({ name: 'a', artifact, spouts: { s: good } });
  t.strictSame(of('a'.repeat(64)), ['DOCUMENT_ARTIFACT artifact']);
  t.strictSame(of('A'.repeat(64)), ['DOCUMENT_VALUE artifact']);
  t.strictSame(of(5), ['DOCUMENT_VALUE artifact']);
  t.end();
});

void t.test('settings change a document before it is checked', (t) => {
  const document = {
    name: 'a',
    spouts: { 'x.y': good, x: good },
    bolts: { b: { type: 'sink', inputs: [{ from: 'x', grouping: 'all' }] } },
  };
  const settings = {
    messageTimeout: '5s',
    'x.y.path': 'other',
    'x.rate': 9,
    'b.parallelism': 3,
    'x.nested': { inner: 1 },
  };
  const topology = topologyFromDocument(document, registry, settings);
  t.equal(topology.config.messageTimeoutMs, 5000);
  t.match(topology.components, [
    { id: 'x.y', config: { path: 'other' } },
    { id: 'x', config: { path: 'a', rate: 9, nested: { inner: 1 } } },
    { id: 'b', parallelism: 3 },
  ]);
  t.strictSame(document.spouts.x, good, 'the document itself stays');
  t.strictSame(found(document, { 'x.pth': 1, 'z.path': 1, wokers: 1, 'x.rate': 'fast', 'b.parallelism': 0 }), [
    'CONFIG_UNKNOWN_KEY settings["z.path"]',
    'CONFIG_UNKNOWN_KEY settings.wokers',
    'CONFIG_UNKNOWN_KEY settings["x.pth"]',
    'CONFIG_VALUE settings["x.rate"]',
    'TOPOLOGY_NUMBER settings["b.parallelism"]',
  ]);
  t.strictSame(found({ name: 'a', spouts: { s: 5 } }, { 's.path': 'a' }), ['DOCUMENT_VALUE spouts.s']);
  t.end();
});

void t.test('keys that objects have by themselves', (t) => {
  const document = JSON.parse(`{
    "name": "a", "__proto__": 1, "constructor": 1,
    "spouts": { "s": { "type": "source", "config": { "path": "a", "__proto__": { "rate": 1 }, "toString": 1 } }, "__proto__": { "type": "toString" } },
    "bolts": { "b": { "type": "sink", "inputs": [{ "from": "__proto__", "grouping": "all" }, { "from": "constructor", "grouping": "toString" }] } }
  }`) as unknown;
  t.strictSame(found(document, { __proto__: null, 's.__proto__': 5, 'constructor.x': 5 }).sort(), [
    'CONFIG_UNKNOWN_KEY settings["constructor.x"]',
    'CONFIG_UNKNOWN_KEY settings["s.__proto__"]',
    'CONFIG_UNKNOWN_KEY spouts.s.config.toString',
    'DOCUMENT_UNKNOWN_KEY __proto__',
    'DOCUMENT_UNKNOWN_KEY constructor',
    'DOCUMENT_UNKNOWN_TYPE spouts.__proto__.type',
    'DOCUMENT_VALUE bolts.b.inputs[0].from',
    'TOPOLOGY_NAME spouts.__proto__',
    'TOPOLOGY_UNKNOWN_COMPONENT bolts.b.inputs[1].from',
    'TOPOLOGY_UNKNOWN_GROUPING bolts.b.inputs[1].grouping',
  ]);
  t.equal(({} as { rate?: number }).rate, undefined);
  t.end();
});

void t.test('the schema documents itself', (t) => {
  const undocumented: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const node = schema as {
      readonly properties?: object;
      readonly patternProperties?: object;
      readonly items?: object;
    };
    for (const [name, property] of Object.entries({ ...node.properties, ...node.patternProperties })) {
      if (!('description' in (property as object))) undocumented.push(`${path}.${name}`);
      visit(property, `${path}.${name}`);
    }
    visit(node.items, `${path}[]`);
  };
  visit(topologySchema, '');
  t.strictSame(undocumented, []);
  t.strictSame(JSON.parse(JSON.stringify(topologySchema)), topologySchema, 'it is plain JSON');
  t.match(topologySchema, { $schema: /json-schema/, type: 'object', required: ['name', 'spouts'] });
  t.match(typeSchemas(registry), { source: { type: 'object', description: 'Emits words.' }, sink: {} });
  t.end();
});
