// Whatever a topology is made of, it is either accepted or refused with problems; nothing else is ever thrown.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Check } from 'typebox/value';
import { builtins } from '../../../engine/connect/registry.js';
import type { TopologyBuilder } from '../../../engine/index.js';
import { isMillraceError, topology } from '../../../engine/index.js';
import type { Topology } from '../../../engine/index.js';
import { canonicalJson, describe } from '../../../engine/model/describe.js';
import { topologyFromDocument, topologySchema } from '../../../engine/model/document.js';
import { applySettings } from '../../../engine/model/settings.js';
import { validate } from '../../../engine/model/validate.js';
import { Count, Lines, Split, keyed, someLines } from '../../types/accepted.js';

const runs = { numRuns: 1500 };
const odd = fc.constantFrom<unknown>(
  undefined,
  null,
  0,
  -1,
  1.5,
  NaN,
  '',
  '__proto__',
  'constructor',
  'a b',
  [],
  {},
  true,
  5n,
  Symbol.iterator,
  () => 1,
);
const oddJson = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    -1,
    1.5,
    '',
    '__proto__',
    'constructor',
    'a b',
    [],
    {},
    true,
    [null],
    { a: 1 },
    1e9,
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const mostly = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: bad });
const partial = (shape: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.record(shape, { requiredKeys: [] });

/** Accepted: null. Refused: its number of problems. */
function outcome(make: () => Topology): number | null {
  let made: Topology;
  try {
    made = make();
  } catch (thrown) {
    if (!isMillraceError(thrown) || thrown.code !== 'MILLRACE_TOPOLOGY_INVALID') throw thrown;
    for (const { message, hint } of thrown.problems) {
      assert.ok(message !== '' && hint !== '', thrown.message);
      assert.doesNotMatch(message + hint, /\{(what|known|actual|component|stream|source|field|key|owner|expected)\}/);
    }
    return thrown.problems.length;
  }
  assert.deepEqual(validate(made), [], 'what was accepted is valid');
  const description = describe(made);
  assert.deepEqual(JSON.parse(canonicalJson(description)), JSON.parse(JSON.stringify(description)));
  return null;
}

type Step = readonly [
  kind: 'spout' | 'bolt',
  id: unknown,
  component: unknown,
  options: unknown,
  inputs: readonly Input[],
];
type Input = readonly [call: string, source: number, stream: unknown, fields: readonly unknown[]];

const OWN = 'an id of its own';
const id = mostly(fc.constant(OWN), fc.oneof(odd, fc.constant('c1')));
const input: fc.Arbitrary<Input> = fc.tuple(
  fc.constantFrom(
    'shuffle',
    'shuffle',
    'fields',
    'partialKey',
    'all',
    'global',
    'none',
    'direct',
    'localOrShuffle',
    'custom',
    'feedback',
  ),
  fc.integer({ min: 0, max: 6 }),
  mostly(fc.constant('default'), odd),
  fc.array(mostly(fc.constantFrom('line', 'word', 'count'), odd), { maxLength: 2 }),
);
const spoutOptions = {
  parallelism: mostly(fc.integer({ min: 1, max: 4 }), odd),
  config: mostly(fc.constant({ minLength: 1 }), odd),
  outputs: mostly(fc.constant(undefined), odd),
};
const boltOptions = {
  ...spoutOptions,
  concurrency: mostly(fc.constant(2), odd),
  tickEvery: mostly(fc.constant('1s'), odd),
};
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(
    fc.constant('spout' as const),
    id,
    mostly(fc.constantFrom<unknown>(Lines, someLines('a')), odd),
    mostly(partial(spoutOptions), odd),
    fc.constant([]),
  ),
  fc.tuple(
    fc.constant('bolt' as const),
    id,
    mostly(fc.constantFrom<unknown>(Split, Count, keyed()), odd),
    mostly(partial(boltOptions), odd),
    fc.array(input, { minLength: 1, maxLength: 3 }),
  ),
);

type Handle = Record<string, (...given: readonly unknown[]) => unknown>;

function build(steps: readonly Step[]): (t: TopologyBuilder) => void {
  return (t) => {
    const builder = t as unknown as Record<string, (...given: readonly unknown[]) => Handle>;
    const handles: Handle[] = [];
    for (const [index, [kind, id, component, given, inputs]] of steps.entries()) {
      const handle = builder[kind]?.(id === OWN ? `c${index}` : id, component, given);
      if (handle === undefined) continue;
      for (const [call, at, stream, fields] of inputs) {
        const from: Handle = handles[at % Math.max(1, handles.length)] ?? handle;
        const source = stream === 'default' ? from : (from['stream']?.(stream) as Handle);
        if (call === 'custom') handle[call]?.(source, fields[0] === 'word' ? () => 0 : fields[0]);
        else if (call === 'feedback') handle['shuffle']?.(source[call]?.(fields[0] === 'word' ? {} : fields[0]));
        else handle[call]?.(source, ...fields);
      }
      handles.push(handle);
    }
  };
}

void t.test('random topologies in TypeScript', (t) => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 5 }), mostly(fc.constant('name'), odd), (steps, name) => {
      seen[outcome(() => topology(name as string, build(steps))) === null ? 'accepted' : 'refused'] += 1;
    }),
    runs,
  );
  t.ok(seen.accepted > 20, `accepted ${seen.accepted}`);
  t.ok(seen.refused > 20, `refused ${seen.refused}`);
  t.end();
});

function component(type: fc.Arbitrary<string>, more: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const shape: Record<string, fc.Arbitrary<unknown>> = {
    type: mostly(type, oddJson),
    parallelism: mostly(fc.integer({ min: 1, max: 4 }), oddJson),
    config: mostly(fc.constant({ path: 'a' }), oddJson),
    ...more,
  };
  return mostly(fc.record(shape, { requiredKeys: ['type', 'config', ...Object.keys(more)] }), oddJson);
}

const documentInput = mostly(
  fc.record(
    {
      from: mostly(fc.constantFrom('a', 'b', 'c'), oddJson),
      grouping: mostly(fc.constantFrom('shuffle', 'all', 'global', 'none', 'local-or-shuffle', 'direct'), oddJson),
      stream: mostly(fc.constant('default'), oddJson),
      locality: mostly(fc.boolean(), oddJson),
      feedback: mostly(fc.constant(false), oddJson),
      overflow: mostly(fc.constantFrom('fail', 'drop'), oddJson),
      custom: mostly(fc.constant('mine'), oddJson),
    },
    { requiredKeys: ['from', 'grouping'] },
  ),
  oddJson,
);
const document = mostly(
  fc.record(
    {
      name: mostly(fc.constant('a'), oddJson),
      version: mostly(fc.constant('1'), oddJson),
      config: mostly(
        partial({ workers: mostly(fc.constant(2), oddJson), messageTimeout: mostly(fc.constant('5s'), oddJson) }),
        oddJson,
      ),
      spouts: mostly(
        fc.dictionary(fc.constantFrom('a', 'b'), component(fc.constant('file-lines'), {}), { minKeys: 1 }),
        oddJson,
      ),
      bolts: mostly(
        fc.dictionary(
          fc.constantFrom('c', 'd', 'e', '__proto__'),
          component(fc.constantFrom('file-sink', 'file-sink', 'log'), {
            inputs: mostly(fc.array(documentInput, { minLength: 1, maxLength: 2 }), oddJson),
          }),
          { maxKeys: 2 },
        ),
        oddJson,
      ),
    },
    { requiredKeys: ['name', 'spouts'] },
  ),
  oddJson,
);

void t.test('random documents; the schema refuses none that is accepted', (t) => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(document, (each) => {
      const problems = outcome(() => topologyFromDocument(each, builtins));
      seen[problems === null ? 'accepted' : 'refused'] += 1;
      return problems !== null || Check(topologySchema, each);
    }),
    runs,
  );
  t.ok(seen.accepted > 20, `accepted ${seen.accepted}`);
  t.ok(seen.refused > 20, `refused ${seen.refused}`);
  t.end();
});

void t.test('random settings', (t) => {
  const base = topology('base', (t) => {
    const lines = t.spout('lines', someLines('a'));
    t.bolt('split', Split).fields(lines, 'line');
  });
  const name = fc.oneof(
    fc.constantFrom('workers', 'messageTimeout', 'lines.path', 'split.parallelism', '__proto__', 'lines.', '.a'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.dictionary(name, fc.oneof(odd, fc.anything())), (settings) => {
      outcome(() => applySettings(base, settings));
    }),
    { ...runs, numRuns: 500 },
  );
  t.end();
});
