import t from 'tap';
import type {
  BoltDefinition,
  InputDefinition,
  Placement,
  SpoutDefinition,
  Topology,
} from '../../../engine/model/definition.js';
import { TOPOLOGY_BRAND } from '../../../engine/model/definition.js';
import { defaultConfig } from '../../../engine/model/config.js';
import { defaultBehavior } from '../../../engine/model/drafts.js';
import { validate } from '../../../engine/model/validate.js';

function unused(): never {
  throw new Error('nothing is created here');
}

function spout(id: string, changes: Partial<SpoutDefinition> = {}): SpoutDefinition {
  return { kind: 'spout', id, parallelism: 1, outputs: { default: ['word'] }, config: {}, create: unused, ...changes };
}

function bolt(id: string, inputs: readonly InputDefinition[], changes: Partial<BoltDefinition> = {}): BoltDefinition {
  const outputs = { default: ['word', 'count'] };
  return {
    kind: 'bolt',
    id,
    parallelism: 1,
    outputs,
    config: {},
    inputs,
    behavior: defaultBehavior,
    create: unused,
    ...changes,
  };
}

function from(id: string, changes: Partial<InputDefinition> = {}): InputDefinition {
  return { from: id, stream: 'default', grouping: 'shuffle', fields: [], ...changes };
}

function topologyOf(
  components: readonly (SpoutDefinition | BoltDefinition)[],
  changes: Partial<Topology> = {},
): Topology {
  return { [TOPOLOGY_BRAND]: 1, name: 'test', version: null, config: defaultConfig, components, ...changes };
}

function found(topology: Topology, limits = {}): string[] {
  return validate(topology, limits).map(
    (problem) => `${problem.code.replace('MILLRACE_TOPOLOGY_', '')} ${problem.path}`,
  );
}

void t.test('a sound topology has no problems', (t) => {
  const components = [
    spout('words', { outputs: { default: ['word'], late: ['word', 'at'] } }),
    bolt('count', [from('words', { grouping: 'fields', fields: ['word'] }), from('words', { stream: 'late' })]),
    bolt('all', [from('count', { grouping: 'all' }), from('words', { grouping: 'global' })], { outputs: {} }),
  ];
  t.strictSame(validate(topologyOf(components)), []);
  t.end();
});

void t.test('C03 a subscription to a component that does not exist is refused, with the nearest name as hint', (t) => {
  const problems = validate(topologyOf([spout('words'), bolt('count', [from('wrods')])]));
  t.strictSame(problems, [
    {
      code: 'MILLRACE_TOPOLOGY_UNKNOWN_COMPONENT',
      path: 'bolts.count.inputs[0].from',
      message: 'bolt "count" takes tuples of "wrods", which does not exist',
      hint: 'did you mean "words"? known components: words',
    },
  ]);
  const far = validate(topologyOf([spout('words'), bolt('count', [from('something')])]));
  t.equal(far[0]?.hint, 'known components: words', 'nothing is near');
  t.end();
});

void t.test('C03 a subscription to a stream that is not declared is refused', (t) => {
  const words = spout('words', { outputs: { default: ['word'], late: ['word'] } });
  const [problem, ...others] = validate(topologyOf([words, bolt('count', [from('words', { stream: 'lat' })])]));
  t.match(problem, { code: 'MILLRACE_TOPOLOGY_UNKNOWN_STREAM', path: 'bolts.count.inputs[0].stream' });
  t.match(problem?.hint, /did you mean "late"\? declared streams of "words": default, late/);
  t.strictSame(others, []);
  t.end();
});

void t.test('C04 fields grouping on a field that the stream does not declare is refused', (t) => {
  const words = spout('words', { outputs: { default: ['word'], late: ['word', 'at'] } });
  const count = bolt('count', [from('words', { grouping: 'fields', fields: ['wrod', 'at'] })]);
  const problems = validate(topologyOf([words, count]));
  t.strictSame(
    problems.map((problem) => [problem.code, problem.path, problem.hint]),
    [
      ['MILLRACE_TOPOLOGY_UNKNOWN_FIELD', 'bolts.count.inputs[0].fields[0]', 'did you mean "word"? its fields: word'],
      ['MILLRACE_TOPOLOGY_UNKNOWN_FIELD', 'bolts.count.inputs[0].fields[1]', 'its fields: word'],
    ],
    'the fields of other streams do not count',
  );
  t.end();
});

void t.test('C06 names of topologies, components and streams', (t) => {
  const good = ['a', '0', 'word-count', 'A.b_c-9', 'constructor', 'toString', 'x'.repeat(128)];
  for (const name of good) t.strictSame(found(topologyOf([spout(name)], { name })), [], name.slice(0, 20));
  const bad = ['', '-a', '.a', '_a', '__proto__', '__system', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(129)];
  for (const name of bad) {
    const codes = validate(topologyOf([spout(name)], { name })).map((problem) => problem.code);
    t.strictSame(codes, ['MILLRACE_TOPOLOGY_NAME', 'MILLRACE_TOPOLOGY_NAME'], JSON.stringify(name).slice(0, 20));
    const outputs = Object.fromEntries([[name, ['word']]]);
    const ofStream = validate(topologyOf([spout('words', { outputs })]));
    t.match(ofStream, [{ code: 'MILLRACE_TOPOLOGY_NAME' }], `as a stream: ${JSON.stringify(name).slice(0, 20)}`);
  }
  const [problem] = validate(topologyOf([spout('words')], { name: 'red\u001b[31m\u202e' }));
  t.notMatch(problem?.message, /[\u001b\u202e]/, 'what would garble a terminal is not shown');
  t.end();
});

void t.test('C06 names that objects have by themselves are streams only when they are declared', (t) => {
  for (const stream of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const problems = found(topologyOf([spout('words'), bolt('b', [from('words', { stream })])]));
    t.strictSame(problems, ['UNKNOWN_STREAM bolts.b.inputs[0].stream'], stream);
    t.strictSame(found(topologyOf([spout('words'), bolt('b', [from(stream)])])), [
      'UNKNOWN_COMPONENT bolts.b.inputs[0].from',
    ]);
  }
  const declared = spout('words', { outputs: { constructor: ['valueOf'] } });
  const input = from('words', { stream: 'constructor', grouping: 'fields', fields: ['valueOf'] });
  t.strictSame(found(topologyOf([declared, bolt('b', [input])])), []);
  t.end();
});

void t.test('C07 limits on tasks and workers', (t) => {
  const components = [spout('words', { parallelism: 3 }), bolt('count', [from('words')], { parallelism: 4 })];
  const config = { ...defaultConfig, workers: 5 };
  const topology = topologyOf(components, { config });
  t.strictSame(found(topology, { tasksMax: 7, workersMax: 5 }), []);
  t.strictSame(found(topology, { tasksMax: 6, workersMax: 4 }), ['TOO_LARGE ', 'TOO_LARGE config.workers']);
  t.equal(validate(topology, { tasksMax: 6 })[0]?.message, 'the topology has 7 tasks; the limit is 6');
  t.strictSame(found(topologyOf([spout('a', { parallelism: 9000 }), spout('b', { parallelism: 9000 })])), [
    'TOO_LARGE ',
  ]);
  const many = Array.from({ length: 1001 }, (_, index) => spout(`s${index}`));
  t.strictSame(found(topologyOf(many)), ['TOO_LARGE ']);
  t.end();
});

void t.test('C13 components with one id, spouts with inputs, bolts without, no spout', (t) => {
  t.strictSame(found(topologyOf([spout('a'), bolt('a', [from('a')], { outputs: {} })])), [
    'DUPLICATE_COMPONENT bolts.a',
  ]);
  t.strictSame(found(topologyOf([spout('a'), spout('a')])), ['DUPLICATE_COMPONENT spouts.a']);
  const withInputs = { ...spout('a'), inputs: [from('b')] };
  t.strictSame(found(topologyOf([withInputs, spout('b')])), ['SPOUT_WITH_INPUTS spouts.a.inputs']);
  t.strictSame(found(topologyOf([spout('a'), bolt('b', [])])), ['BOLT_WITHOUT_INPUTS bolts.b.inputs']);
  t.strictSame(found(topologyOf([])), ['NO_SPOUT spouts']);
  t.end();
});

void t.test('C13 a parallelism that is not a positive whole number is refused', (t) => {
  for (const parallelism of [0, -1, 1.5, NaN, Infinity, 10_001, '2' as unknown as number, null as unknown as number]) {
    const components = [spout('a', { parallelism }), bolt('b', [from('a')], { parallelism })];
    const expected = ['NUMBER spouts.a.parallelism', 'NUMBER bolts.b.parallelism'];
    t.strictSame(found(topologyOf(components)), expected, String(parallelism));
  }
  t.end();
});

void t.test('other senseless numbers are refused', (t) => {
  for (const value of [0, -1, 0.5, NaN, Infinity, 3e9, '9' as unknown as number]) {
    const behavior = { ...defaultBehavior, concurrency: value, tickMs: value };
    const config = {
      workers: value,
      messageTimeoutMs: value,
      maxSpoutPending: value,
      tracking: true,
      keyGroups: value,
      stallTimeoutMs: value,
      workerHeapMb: value,
      workerBuffersMb: value,
      placement: value as unknown as Placement,
      hostLabels: value as unknown as readonly string[],
      priority: 0.5,
      autoRebalance: value as unknown as boolean,
    };
    const problems = found(topologyOf([spout('a'), bolt('b', [from('a')], { behavior })], { config }));
    t.strictSame(
      problems.sort(),
      [
        'DURATION bolts.b.tickEvery',
        'DURATION config.messageTimeout',
        'DURATION config.stallTimeout',
        'FLAG config.autoRebalance',
        'LABELS config.hostLabels',
        'NUMBER bolts.b.concurrency',
        'NUMBER config.keyGroups',
        'NUMBER config.maxSpoutPending',
        'NUMBER config.priority',
        'NUMBER config.workerBuffersMb',
        'NUMBER config.workerHeapMb',
        'NUMBER config.workers',
        'PLACEMENT config.placement',
      ],
      String(value),
    );
  }
  const off = { ...defaultConfig, messageTimeoutMs: null, maxSpoutPending: null };
  t.strictSame(found(topologyOf([spout('a')], { config: off })), [], 'null is no number, and means off');
  const flags = { ...defaultBehavior, manualAck: 1 as unknown as boolean, ordered: 'no' as unknown as boolean };
  t.strictSame(found(topologyOf([spout('a'), bolt('b', [from('a')], { behavior: flags })])), [
    'FLAG bolts.b.manualAck',
    'FLAG bolts.b.ordered',
  ]);
  const both = { ...defaultBehavior, manualAck: true, ordered: true };
  t.strictSame(found(topologyOf([spout('a'), bolt('b', [from('a')], { behavior: both })])), [
    'ORDERED_MANUAL bolts.b.ordered',
  ]);
  t.end();
});

void t.test('groupings and their fields', (t) => {
  const inputs = [
    from('a', { grouping: 'shufle' as 'shuffle' }),
    from('b', { grouping: 'fields' }),
    from('c', { grouping: 'global', fields: ['word'] }),
    from('d', { grouping: 'fields', fields: ['word', 'word'] }),
    from('d', { grouping: 'shuffle' }),
  ];
  const topology = topologyOf([...['a', 'b', 'c', 'd'].map((id) => spout(id)), bolt('x', inputs)]);
  t.strictSame(found(topology), [
    'UNKNOWN_GROUPING bolts.x.inputs[0].grouping',
    'GROUPING_WITHOUT_FIELDS bolts.x.inputs[1].fields',
    'GROUPING_WITH_FIELDS bolts.x.inputs[2].fields',
    'REPEATED_KEY bolts.x.inputs[3].fields[1]',
    'DUPLICATE_INPUT bolts.x.inputs[4]',
  ]);
  t.match(validate(topology)[0]?.hint, /did you mean "shuffle"\?/);
  t.end();
});

void t.test('fields grouping takes no more tasks than there are key groups', (t) => {
  const config = { ...defaultConfig, keyGroups: 4 };
  const byWord = from('a', { grouping: 'fields', fields: ['word'] });
  const topology = (parallelism: number, input: InputDefinition): Topology =>
    topologyOf([spout('a'), bolt('b', [input], { parallelism })], { config });
  t.strictSame(found(topology(4, byWord)), []);
  t.strictSame(found(topology(5, byWord)), ['KEY_GROUPS bolts.b.parallelism']);
  t.strictSame(found(topology(5, from('a'))), [], 'other groupings have no key');
  t.end();
});

void t.test('streams and fields that cannot be', (t) => {
  const wide = Array.from({ length: 1025 }, (_, index) => `f${index}`);
  const outputs = {
    none: [],
    fields: ['', 'a', 'a', '__proto__', 'b\n', 'ok field', 'x'.repeat(129), 5 as unknown as string],
    wide,
  };
  t.strictSame(found(topologyOf([spout('a', { outputs })])), [
    'EMPTY_STREAM spouts.a.outputs.none',
    'FIELD_NAME spouts.a.outputs.fields[0]',
    'DUPLICATE_FIELD spouts.a.outputs.fields[2]',
    'FIELD_NAME spouts.a.outputs.fields[3]',
    'FIELD_NAME spouts.a.outputs.fields[4]',
    'FIELD_NAME spouts.a.outputs.fields[6]',
    'FIELD_NAME spouts.a.outputs.fields[7]',
    'TOO_LARGE spouts.a.outputs.wide',
  ]);
  const streams = Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`s${index}`, ['a']]));
  t.strictSame(found(topologyOf([spout('a', { outputs: streams })])), ['TOO_LARGE spouts.a.outputs']);
  t.end();
});

void t.test('cycles are refused, with their way', (t) => {
  const components = [
    spout('s'),
    bolt('a', [from('s'), from('c')]),
    bolt('b', [from('a')]),
    bolt('c', [from('b')]),
    bolt('self', [from('self'), from('s')]),
    bolt('d', [from('a'), from('b'), from('c')]),
  ];
  const problems = validate(topologyOf(components));
  t.strictSame(
    problems.map((problem) => [problem.path, problem.message]),
    [
      ['bolts.b.inputs[0]', 'the components form a cycle: a → b → c → a'],
      ['bolts.self.inputs[0]', 'the components form a cycle: self → self'],
    ],
  );
  const length = 1000;
  const ring = Array.from({ length }, (_, index) => bolt(`b${index}`, [from(`b${(index + length - 1) % length}`)]));
  const [problem, ...others] = validate(topologyOf([...ring.slice(0, 999), bolt('b999', [from('b998')]), spout('s')]));
  t.match(problem, { code: 'MILLRACE_TOPOLOGY_CYCLE' });
  t.ok((problem?.message.length ?? 0) < 200, 'a long way is cut');
  t.match(others, [{ code: 'MILLRACE_TOPOLOGY_TOO_LARGE' }]);
  t.end();
});

void t.test('more problems than are listed are counted', (t) => {
  const inputs = Array.from({ length: 1200 }, (_, index) => from(`missing${index}`));
  const problems = validate(topologyOf([spout('s'), bolt('b', inputs)]));
  t.equal(problems.length, 1001);
  t.match(problems.at(-1), {
    code: 'MILLRACE_TOPOLOGY_MORE_PROBLEMS',
    message: '200 further problem(s) are not listed',
  });
  t.end();
});

void t.test('paths quote ids that are no plain words, and versions are checked', (t) => {
  t.strictSame(found(topologyOf([spout('a.b', { parallelism: 0 })])), ['NUMBER spouts["a.b"].parallelism']);
  for (const version of ['', 'x'.repeat(129), 5 as unknown as string]) {
    t.strictSame(found(topologyOf([spout('a')], { version })), ['VERSION version']);
  }
  t.strictSame(found(topologyOf([spout('a')], { version: '1.0' })), []);
  t.end();
});

const direct = { outputs: { default: ['word'], orders: ['what'] }, directStreams: ['orders'] } as const;
const asIs = (words: unknown): Partial<InputDefinition> => words as Partial<InputDefinition>;

void t.test('every grouping, as it should be', (t) => {
  const custom = { name: 'mine', create: () => ({ choose: () => 0 }) };
  const components = [
    spout('words', direct),
    bolt('a', [from('words', { grouping: 'partial-key', fields: ['word'] })]),
    bolt('b', [from('words', { grouping: 'none', locality: true })]),
    bolt('c', [from('words', { stream: 'orders', grouping: 'direct' })]),
    bolt('d', [from('words', { grouping: 'local-or-shuffle' })]),
    bolt('e', [from('words', { grouping: 'custom', custom })]),
    bolt('f', [from('words', { locality: false }), from('f', { feedback: true, overflow: 'drop' })]),
  ];
  t.strictSame(validate(topologyOf(components)), []);
  t.end();
});

void t.test('senseless groupings are refused, all of them at once', (t) => {
  const custom = { name: '', create: () => ({ choose: () => 0 }) };
  const components = [
    spout('words', direct),
    bolt('a', [from('words', { grouping: 'partial-key' })]),
    bolt('b', [from('words', { grouping: 'fields', fields: ['word'], locality: true })]),
    bolt('c', [from('words', asIs({ locality: 'yes' }))]),
    bolt('d', [from('words', { grouping: 'custom' })]),
    bolt('e', [from('words', { custom })]),
    bolt('f', [from('words', { grouping: 'direct' }), from('words', { stream: 'orders' })]),
    bolt('g', [from('words', { grouping: 'local-or-shuffle', fields: ['word'] })]),
  ];
  t.strictSame(found(topologyOf(components)), [
    'GROUPING_WITHOUT_FIELDS bolts.a.inputs[0].fields',
    'GROUPING_OPTION bolts.b.inputs[0].locality',
    'FLAG bolts.c.inputs[0].locality',
    'CUSTOM bolts.d.inputs[0].custom',
    'GROUPING_OPTION bolts.e.inputs[0].custom',
    'DIRECT bolts.f.inputs[0].grouping',
    'DIRECT bolts.f.inputs[1].grouping',
    'GROUPING_WITH_FIELDS bolts.g.inputs[0].fields',
  ]);
  t.end();
});

void t.test('cycles name their feedback, and only they do', (t) => {
  const cycle = (feedback: Partial<InputDefinition>, changes: Partial<SpoutDefinition> = {}) => [
    spout('words', changes),
    bolt('a', [from('words'), from('b', feedback)]),
    bolt('b', [from('a')]),
  ];
  const untracked = { ...defaultConfig, tracking: false };
  t.strictSame(found(topologyOf(cycle({}))), ['CYCLE bolts.b.inputs[0]']);
  t.strictSame(found(topologyOf(cycle({ feedback: true }))), []);
  t.strictSame(found(topologyOf(cycle({ feedback: true }), { config: untracked })), [
    'FEEDBACK bolts.a.inputs[1].feedback',
  ]);
  t.strictSame(found(topologyOf(cycle({ feedback: true, overflow: 'drop' }), { config: untracked })), []);
  t.strictSame(found(topologyOf(cycle({ feedback: true }, { untracked: true }))), [
    'FEEDBACK bolts.a.inputs[1].feedback',
  ]);
  t.strictSame(found(topologyOf(cycle(asIs({ feedback: 'yes', overflow: 'block' })))), [
    'CYCLE bolts.b.inputs[0]',
    'FLAG bolts.a.inputs[1].feedback',
    'FEEDBACK bolts.a.inputs[1].overflow',
  ]);
  t.strictSame(found(topologyOf([spout('words'), bolt('a', [from('words', { feedback: true })])])), [
    'FEEDBACK bolts.a.inputs[0].feedback',
  ]);
  t.strictSame(found(topologyOf([spout('words'), bolt('a', [from('words', { overflow: 'drop' })])])), [
    'FEEDBACK bolts.a.inputs[0].overflow',
  ]);
  const half = [
    spout('words'),
    bolt('a', [from('words'), from('b', { feedback: true }), from('b', { stream: 'more' })]),
    bolt('b', [from('a')], { outputs: { default: ['word'], more: ['word'] } }),
  ];
  t.ok(found(topologyOf(half)).includes('FEEDBACK bolts.a.inputs[1].feedback'), 'all streams between the two, or none');
  const unfed = [spout('words'), bolt('a', [from('b', { feedback: true })]), bolt('b', [from('a')])];
  t.strictSame(found(topologyOf(unfed)), ['FEEDBACK bolts.a.inputs[0].feedback']);
  t.end();
});

void t.test('labels, and who is to be kept apart', (t) => {
  const sink = (changes: Partial<BoltDefinition>): BoltDefinition => bolt('b', [from('a')], changes);
  const two = { config: { ...defaultConfig, workers: 2 } };
  t.strictSame(found(topologyOf([spout('a', { labels: ['eu'] }), sink({ apart: 'a' })], two)), []);
  t.strictSame(found(topologyOf([spout('a', { labels: ['eu', '', 'a b'] }), sink({ labels: 7 as never })])), [
    'LABELS spouts.a.labels[1]',
    'LABELS spouts.a.labels[2]',
    'LABELS bolts.b.labels',
  ]);
  const many = Array.from({ length: 65 }, (_, index) => `l${index}`);
  t.strictSame(found(topologyOf([spout('a', { labels: many })])), ['LABELS spouts.a.labels']);
  const [nobody] = validate(topologyOf([spout('lines'), bolt('b', [from('lines')], { apart: 'line' })]));
  t.match(nobody, { code: 'MILLRACE_TOPOLOGY_APART', path: 'bolts.b.apart', hint: /^did you mean "lines"/ });
  t.strictSame(found(topologyOf([spout('a', { apart: 'a' }), sink({ apart: 3 as never })])), [
    'APART spouts.a.apart',
    'APART bolts.b.apart',
  ]);
  t.match(validate(topologyOf([spout('a'), sink({ apart: 'a' })])), [
    { code: 'MILLRACE_TOPOLOGY_APART_WORKERS', path: 'config.workers', hint: /at least 2 workers/ },
  ]);
  t.end();
});
