import t from 'tap';
import { topology } from '../../../engine/index.js';
import type { Problem, Topology } from '../../../engine/index.js';
import { defineSpout, isMillraceError } from '../../../engine/index.js';
import { applySettings } from '../../../engine/model/settings.js';
import type { Settings } from '../../../engine/model/settings.js';
import { Configured, Lines, Split } from '../../types/accepted.js';

const made: unknown[] = [];
const fields = defineSpout({
  type: 'fields',
  outputs: (_inputs, config) => ({ default: config['fields'] as string[] }),
  config: { fields: ['line'] },
  configKeys: ['fields', 'rate'],
  create: (config) => {
    made.push(config);
    return new Lines();
  },
});

const base = topology('base', (t) => {
  const lines = t.spout('a', fields);
  t.spout('a.b', Lines, { config: { path: 'x' } });
  const split = t.bolt('split', Split).fields(lines, 'line');
  t.bolt('short', Configured, { config: { minLength: 3 } }).shuffle(split);
});

function problemsOf(settings: Settings, of: Topology = base): readonly Problem[] {
  try {
    applySettings(of, settings);
  } catch (thrown) {
    if (isMillraceError(thrown)) return thrown.problems;
    throw thrown;
  }
  return [];
}

void t.test('settings change the config of the topology and of components, and parallelism', (t) => {
  const settings = {
    workers: 2,
    messageTimeout: null,
    maxSpoutPending: 5,
    placement: 'spread',
    'short.minLength': 7,
    'split.parallelism': 3,
    'a.rate': 5,
    'a.b.path': 'y',
  };
  const changed = applySettings(base, settings);
  t.match(changed.config, {
    workers: 2,
    messageTimeoutMs: null,
    maxSpoutPending: 5,
    keyGroups: 1024,
    placement: 'spread',
  });
  t.equal(base.config.placement, 'together');
  t.match(changed.components, [
    { id: 'a', config: { fields: ['line'], rate: 5 } },
    { id: 'a.b', config: { path: 'y' } },
    { id: 'split', parallelism: 3 },
    { id: 'short', config: { minLength: 7 } },
  ]);
  const [first, , , short] = changed.components;
  first?.create(first.config);
  t.strictSame(made, [{ fields: ['line'], rate: 5 }], 'what is changed reaches what makes the instances');
  t.equal((short?.create(short.config) as unknown as Configured).minLength, 7);
  t.match(base.components[3], { config: { minLength: 3 } }, 'the topology itself stays');
  t.equal(applySettings(base, {}).components[0], base.components[0]);
  t.end();
});

void t.test('C09 unknown settings and wrong types, all at once', (t) => {
  const settings = {
    mesageTimeout: 1,
    workers: 'two',
    'spilt.parallelism': 2,
    'short.minLenght': 2,
    'split.parallelism': 0,
    'a.b': 1,
    nothing: 1,
    constructor: 1,
    'short.toString': 1,
  };
  const problems = problemsOf(settings);
  t.strictSame(
    problems.map((problem) => [problem.path, /did you mean "([^"]+)"/.exec(problem.hint)?.[1]]),
    [
      ['settings.mesageTimeout', 'messageTimeout'],
      ['settings["spilt.parallelism"]', 'split'],
      ['settings.nothing', undefined],
      ['settings.constructor', undefined],
      ['settings.workers', undefined],
      ['settings["a.b"]', undefined],
      ['settings["short.minLenght"]', 'minLength'],
      ['settings["short.toString"]', undefined],
      ['settings["split.parallelism"]', undefined],
    ],
  );
  t.match(problems[4], { code: 'MILLRACE_TOPOLOGY_NUMBER' });
  t.end();
});

void t.test('outputs that follow from settings follow the changed ones', (t) => {
  const changed = applySettings(base, { 'a.fields': ['line', 'at'] });
  t.match(changed.components[0], { outputs: { default: ['line', 'at'] } });
  t.match(problemsOf({ 'a.fields': ['row'] }), [
    { code: 'MILLRACE_TOPOLOGY_UNKNOWN_FIELD', path: 'bolts.split.inputs[0].fields[0]' },
  ]);
  t.end();
});
