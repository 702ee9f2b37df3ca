import t from 'tap';
import type { Problem, Topology, Tuple } from '../../../engine/index.js';
import { Bolt, Spout, defineBolt, defineSpout, isMillraceError, isTopology, topology } from '../../../engine/index.js';
import type { SpoutOptions, TopologyBuilder } from '../../../engine/index.js';
import {
  Configured,
  Count,
  Lines,
  Split,
  everyWay,
  someLines,
  withoutTimeout,
  wordCount,
} from '../../types/accepted.js';

type AnyBuilder = Record<'spout' | 'bolt', (...given: readonly unknown[]) => AnyHandle>;
type AnyHandle = Record<
  'shuffle' | 'fields' | 'all' | 'global' | 'stream',
  (...given: readonly unknown[]) => AnyHandle
>;

/** As somebody writes who has no compiler. */
function untyped(define: (t: AnyBuilder) => void): (t: TopologyBuilder) => void {
  return define as unknown as (t: TopologyBuilder) => void;
}

function problemsOf(make: () => Topology): readonly Problem[] {
  try {
    make();
  } catch (thrown) {
    if (isMillraceError(thrown) && thrown.code === 'MILLRACE_TOPOLOGY_INVALID') return thrown.problems;
    throw thrown;
  }
  return [];
}

function found(define: (t: AnyBuilder) => void, options: unknown = {}, name: unknown = 'test'): string[] {
  const problems = problemsOf(() => topology(name as string, untyped(define), options as object));
  return problems.map((problem) => `${problem.code.replace('MILLRACE_', '')} ${problem.path}`);
}

void t.test('the word count of the documentation', (t) => {
  t.ok(isTopology(wordCount));
  t.equal(wordCount.name, 'word-count');
  const [lines, split, count, late] = wordCount.components;
  t.match(lines, { kind: 'spout', id: 'lines', parallelism: 1, outputs: { default: ['line'] }, config: {} });
  t.match(split, { kind: 'bolt', id: 'split', parallelism: 2, outputs: { default: ['word'] } });
  t.match(count, { id: 'count', behavior: { manualAck: false, concurrency: 1, ordered: false, tickMs: 30_000 } });
  t.match(late, { inputs: [{ from: 'count', stream: 'late', grouping: 'global', fields: [] }], outputs: {} });
  t.strictSame(count?.kind === 'bolt' && count.inputs, [
    { from: 'split', stream: 'default', grouping: 'fields', fields: ['word'] },
  ]);
  t.ok(split?.create({}) instanceof Split);
  t.ok(lines?.create({}) instanceof Lines);
  t.not(split?.create({}), split?.create({}), 'one instance a call');
  t.end();
});

void t.test('every way to give a component and its options', (t) => {
  t.match(everyWay, {
    version: '1.2.0',
    config: {
      workers: 2,
      messageTimeoutMs: 10_000,
      maxSpoutPending: 100,
      tracking: true,
      keyGroups: 64,
      placement: 'spread',
    },
  });
  t.equal(withoutTimeout.config.messageTimeoutMs, null);
  const component = (id: string) => everyWay.components.find((each) => each.id === id);
  t.match(component('lines'), { parallelism: 2, config: { path: 'moby-dick.txt', from: 1 } });
  t.match(component('pairs'), { kind: 'spout', outputs: { default: ['word', 'count'] } });
  t.match(component('short'), { config: { minLength: 3 }, behavior: { concurrency: 8, ordered: true } });
  t.match(component('either'), { behavior: { manualAck: true } });
  t.match(component('anything'), { behavior: { tickMs: 500 } });
  t.match(component('keys'), { outputs: { default: ['word', 'count'] } });
  t.end();
});

void t.test('config reaches constructors, later overrides too', (t) => {
  const built = topology('configured', (t) => {
    const words = t.spout('words', () => [['a'] as [string]], { outputs: ['word'] });
    t.bolt('short', Configured, { config: { minLength: 3 } }).shuffle(words);
  });
  const short = built.components.find((each) => each.id === 'short');
  t.equal((short?.create(short.config) as unknown as Configured).minLength, 3);
  t.equal((short?.create({ minLength: 9 }) as unknown as Configured).minLength, 9);
  t.end();
});

void t.test('specs: behaviour, config, dynamic outputs, inputs', (t) => {
  const seen: unknown[] = [];
  const spec = defineBolt({
    type: 'keys',
    outputs: (inputs, config) => ({ default: [...inputs.flatMap((input) => input.fields), String(config['as'])] }),
    config: { as: 'count' },
    behavior: { concurrency: 3, tickMs: 100 },
    create: (config, inputs) => {
      seen.push(config, inputs);
      return new Count();
    },
  });
  const built = topology('specs', (t) => {
    const keys = t.bolt('keys', spec, { tickEvery: '1m', config: { as: 'n' } }).fields(t.spout('lines', Lines), 'line');
    t.bolt('after', (tuple: Tuple) => void tuple).fields(keys, 'line', 'n');
  });
  const [keys] = built.components;
  t.match(keys, {
    outputs: { default: ['line', 'n'] },
    behavior: { concurrency: 3, tickMs: 60_000 },
    config: { as: 'n' },
  });
  keys?.create({ as: 'n' });
  t.strictSame(seen, [{ as: 'n' }, [{ from: 'lines', stream: 'default', grouping: 'fields', fields: ['line'] }]]);

  const silent = defineBolt({ type: 'silent', create: () => new Count() });
  t.match(silent, { outputs: [], config: {}, configKeys: null, behavior: {} });
  t.end();
});

void t.test('static options of a class are defaults, and options change them', (t) => {
  class Slow extends Bolt {
    static readonly options = { parallelism: 3, concurrency: 5, tickEvery: '1s' } as const;
    execute(): void {}
  }
  const built = topology('static', (t) => {
    const lines = t.spout('lines', Lines);
    t.bolt('plain', Slow).shuffle(lines);
    t.bolt('changed', Slow, { concurrency: 2, tickEvery: null }).shuffle(lines);
  });
  const [, plain, changed] = built.components;
  t.match(plain, { parallelism: 3, behavior: { concurrency: 5, tickMs: 1000 } });
  t.match(changed, { parallelism: 3, behavior: { concurrency: 2, tickMs: null } });
  t.end();
});

void t.test('components of another copy of this package are known by what they are', (t) => {
  class ForeignSpout {
    static readonly outputs = ['word'] as const;
    nextTuple(): void {}
  }
  class ForeignBolt {
    execute(): void {}
  }
  function OldStyle(this: object): void {}
  Object.assign(OldStyle.prototype as object, { execute: () => undefined });
  t.strictSame(
    found((t) => {
      const words = t.spout('words', ForeignSpout);
      t.bolt('foreign', ForeignBolt).shuffle(words);
      t.bolt('old', OldStyle).shuffle(words);
    }),
    [],
  );
  t.end();
});

void t.test('all problems come at once, in one error that can be read', (t) => {
  const define = (t: AnyBuilder): void => {
    const lines = t.spout('lines', Lines, { parallelism: 0 });
    const split = t.bolt('split', Split, { paralelism: 2 }).shuffle(lines);
    t.bolt('count', Count).fields(split, 'wrod');
    t.bolt('lonely', Split);
  };
  try {
    topology('bad name', untyped(define), { worker: 2 } as object);
    t.fail('it must throw');
  } catch (thrown) {
    if (!isMillraceError(thrown)) throw thrown;
    t.equal(thrown.code, 'MILLRACE_TOPOLOGY_INVALID');
    t.equal(thrown.status, 400);
    t.equal(thrown.problems.length, 6);
    for (const problem of thrown.problems) {
      t.ok(thrown.message.includes(problem.message), problem.code);
      t.not(problem.hint, '');
    }
    t.match(
      thrown.message,
      /^topology "bad name" has 6 problem\(s\):\n {2}config.worker: a topology has no setting "worker"/,
    );
    t.match(thrown.message, /did you mean "word"/);
  }
  t.end();
});

void t.test('C03 C04 C13 as somebody without a compiler meets them', (t) => {
  t.strictSame(
    found((t) => {
      const lines = t.spout('lines', Lines).shuffle('x');
      t.spout('fed', Lines).shuffle(lines);
      t.bolt('lines', Split).shuffle(lines.stream('late'));
      t.bolt('count', Split, { parallelism: 1.5 }).fields(lines);
      t.bolt('count2', Split).fields(lines, 'line', 5);
    }),
    [
      'TOPOLOGY_SOURCE spouts.lines.inputs[0]',
      'TOPOLOGY_DUPLICATE_COMPONENT bolts.lines',
      'TOPOLOGY_NUMBER bolts.count.parallelism',
      'TOPOLOGY_SPOUT_WITH_INPUTS spouts.fed.inputs',
      'TOPOLOGY_UNKNOWN_STREAM bolts.lines.inputs[0].stream',
      'TOPOLOGY_GROUPING_WITHOUT_FIELDS bolts.count.inputs[0].fields',
      'TOPOLOGY_UNKNOWN_FIELD bolts.count2.inputs[0].fields[1]',
    ],
  );
  t.strictSame(
    found(() => undefined),
    ['TOPOLOGY_NO_SPOUT spouts'],
  );
  t.end();
});

void t.test('sources that are none: the bolt is not said to have no inputs on top', (t) => {
  let other: unknown;
  topology('other', (t) => {
    other = t.spout('lines', Lines);
  });
  for (const source of [undefined, null, 'lines', {}, other, { componentId: 'lines', streamName: 'default' }]) {
    const problems = found((t) => {
      t.spout('lines', Lines);
      t.bolt('split', Split).shuffle(source);
    });
    t.strictSame(problems, ['TOPOLOGY_SOURCE bolts.split.inputs[0]']);
  }
  t.end();
});

void t.test('components that are none', (t) => {
  class Neither {}
  const cases: readonly [unknown, RegExp][] = [
    [undefined, /it is nothing/],
    [null, /it is null/],
    ['Split', /it is "Split"/],
    [{ execute() {} }, /it is an object/],
    [Lines, /class Lines is a spout/],
    [someLines('a'), /"some-lines" is a spout/],
  ];
  for (const [component, what] of cases) {
    const problems = problemsOf(() =>
      topology(
        'test',
        untyped((t) => {
          const bolt = t.bolt('bolt', component).shuffle(t.spout('lines', Lines));
          t.bolt('after', Split).fields(bolt, 'anything');
        }),
      ),
    );
    t.match(problems, [{ code: 'MILLRACE_TOPOLOGY_COMPONENT', path: 'bolts.bolt', message: what }], String(what));
    t.equal(problems.length, 1, 'and nothing is said about its streams');
  }
  t.match(
    found((t) => void t.spout('s', Split)),
    ['TOPOLOGY_COMPONENT spouts.s'],
  );
  t.match(
    found((t) => void t.spout('s', defineBolt({ type: 'b', create: () => new Count() }))),
    ['TOPOLOGY_COMPONENT spouts.s'],
  );
  t.strictSame(
    found((t) => void t.spout('s', Neither)),
    [],
    'a class without nextTuple fails when it starts, not here',
  );
  t.end();
});

void t.test('options that are none', (t) => {
  const ofBolt = (options: unknown): string[] =>
    found((t) => void t.bolt('b', (tuple: Tuple) => void tuple, options).shuffle(t.spout('s', Lines)));
  t.strictSame(ofBolt(5), ['TOPOLOGY_COMPONENT bolts.b']);
  t.strictSame(ofBolt({ outputs: 5 }), ['TOPOLOGY_OUTPUTS bolts.b.outputs']);
  t.strictSame(ofBolt({ outputs: { default: 'word' } }), ['TOPOLOGY_OUTPUTS bolts.b.outputs.default']);
  t.strictSame(ofBolt({ outputs: { default: [] } }), ['TOPOLOGY_EMPTY_STREAM bolts.b.outputs.default']);
  t.strictSame(ofBolt({ outputs: [] }), [], 'no fields: it emits nothing');
  t.strictSame(ofBolt({ config: 5 }), ['TOPOLOGY_COMPONENT bolts.b.config']);
  t.strictSame(ofBolt({ tickEvery: '5 parsecs' }), ['TOPOLOGY_DURATION bolts.b.tickEvery']);
  t.strictSame(ofBolt({ tickEvery: NaN, concurrency: undefined }), ['TOPOLOGY_DURATION bolts.b.tickEvery']);
  t.strictSame(ofBolt({ concurency: 2 }), ['TOPOLOGY_UNKNOWN_OPTION bolts.b.concurency']);
  t.strictSame(ofBolt({ tracked: true }), ['TOPOLOGY_UNKNOWN_OPTION bolts.b.tracked']);
  const ofSpout = (options: SpoutOptions | object): string[] => found((t) => void t.spout('s', () => [['a']], options));
  t.strictSame(ofSpout({ outputs: ['a'], tracked: 'no', pendingMax: 0 }), [
    'TOPOLOGY_FLAG spouts.s.tracked',
    'TOPOLOGY_NUMBER spouts.s.pendingMax',
  ]);
  const outputsTwice = found((t) => {
    t.spout('a', Lines, { outputs: ['x'] });
    t.spout('b', someLines('a'), { outputs: ['x'] });
  });
  t.strictSame(outputsTwice, ['TOPOLOGY_OUTPUTS spouts.a.outputs', 'TOPOLOGY_OUTPUTS spouts.b.outputs']);
  t.end();
});

void t.test('C09 settings of a topology: unknown keys and wrong types', (t) => {
  const of = (options: unknown): string[] => found((t) => void t.spout('s', Lines), options);
  t.strictSame(of({ wokers: 2, toString: 1 }), [
    'CONFIG_UNKNOWN_KEY config.wokers',
    'CONFIG_UNKNOWN_KEY config.toString',
  ]);
  t.strictSame(of({ workers: '2' }), ['TOPOLOGY_NUMBER config.workers']);
  t.strictSame(of({ messageTimeout: '30 seconds' }), ['TOPOLOGY_DURATION config.messageTimeout']);
  t.strictSame(of({ messageTimeout: true }), ['TOPOLOGY_DURATION config.messageTimeout']);
  t.strictSame(of({ tracking: 'yes' }), ['TOPOLOGY_FLAG config.tracking']);
  t.strictSame(of({ maxSpoutPending: false, keyGroups: 0 }), [
    'TOPOLOGY_NUMBER config.maxSpoutPending',
    'TOPOLOGY_NUMBER config.keyGroups',
  ]);
  t.strictSame(of({ version: 5 }), ['TOPOLOGY_VERSION version']);
  t.strictSame(of({ messageTimeout: null, maxSpoutPending: null, workers: undefined }), []);
  t.match(of(5), ['TOPOLOGY_DEFINITION version']);
  t.end();
});

void t.test('names and definitions that are none', (t) => {
  t.strictSame(
    found((t) => void t.spout('s', Lines), {}, 5),
    ['TOPOLOGY_NAME name'],
  );
  t.strictSame(
    found((t) => void t.spout(5, Lines)),
    ['TOPOLOGY_NAME spouts["(5)"]'],
  );
  t.match(
    problemsOf(() => topology('test', 5 as unknown as () => void)),
    [{ code: 'MILLRACE_TOPOLOGY_DEFINITION' }, { code: 'MILLRACE_TOPOLOGY_NO_SPOUT' }],
  );
  const asynchronous: unknown = async () => Promise.reject(new Error('later'));
  t.match(
    problemsOf(() => topology('test', asynchronous as () => void)),
    [{ code: 'MILLRACE_TOPOLOGY_DEFINITION', message: 'the definition of topology "test" is asynchronous' }, {}],
  );
  const mine = new Error('mine');
  t.throws(
    () =>
      topology('test', () => {
        throw mine;
      }),
    mine,
    'what the definition throws is not wrapped',
  );
  t.end();
});

void t.test('nothing can be added to a topology that is defined', (t) => {
  let builder: TopologyBuilder | undefined;
  topology('test', (t) => {
    builder = t;
    t.spout('s', Lines);
  });
  t.throws(() => builder?.spout('late', Lines), { code: 'MILLRACE_TOPOLOGY_DEFINITION' });
  t.end();
});

void t.test('outputs that cannot be worked out', (t) => {
  const broken = defineSpout({
    type: 'broken',
    outputs: () => {
      throw new TypeError('no template');
    },
    create: () => new Lines(),
  });
  const problems = problemsOf(() =>
    topology('test', (t) => {
      t.bolt('split', Split).fields(t.spout('broken', broken), 'line');
    }),
  );
  t.match(problems, [{ code: 'MILLRACE_TOPOLOGY_OUTPUTS', path: 'spouts.broken.outputs', message: /no template/ }]);
  t.equal(problems.length, 1);
  t.end();
});

void t.test('streams have no prototype', (t) => {
  class Empty extends Spout {
    nextTuple(): void {}
  }
  const built = topology('test', (t) => void t.spout('s', Empty));
  t.equal((built.components[0]?.outputs as Record<string, unknown>)['constructor'], undefined);
  t.end();
});
