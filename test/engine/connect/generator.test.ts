// The generator: the same tuples from the same seed, shared out among tasks, at its rate on virtual time.

import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { Generator } from '../../../engine/connect/generator/generator.js';
import { generator } from '../../../engine/connect/generator/index.js';
import { drain, fakeContext, recorder, thrownBy } from './fakes.js';

const template = {
  constant: 'x',
  list: [1, 2],
  word: { oneOf: ['whale', 'ship', { any: 'thing' }] },
  small: { integer: [-2, 2] },
  part: { float: [0.5, 1.5] },
  number: { sequence: 100 },
  name: { string: { length: 6, alphabet: 'ab😀' } },
  letters: { string: { length: 3 } },
} as const;

function open(config: Readonly<Record<string, unknown>>, options: Parameters<typeof fakeContext>[0] = {}): Generator {
  const spout = new Generator(config);
  spout.open(fakeContext(options));
  spout.activate();
  return spout;
}

t.test('values follow the rules of their fields', async (t) => {
  const emitted = drain(open({ template, count: 2000 }));
  t.equal(emitted.length, 2000);
  const seen = new Set<unknown>();
  emitted.forEach(({ values: [constant, list, word, small, part, number, name, letters] }, at) => {
    if (constant !== 'x' || JSON.stringify(list) !== '[1,2]') t.fail('constants');
    seen.add(JSON.stringify(word)).add(small);
    if (typeof part !== 'number' || part < 0.5 || part >= 1.5) t.fail('float');
    if (number !== 100 + at) t.fail('sequence');
    if (!/^(a|b|😀){6}$/u.test(String(name)) || !/^[a-z]{3}$/.test(String(letters))) t.fail('string');
  });
  t.strictSame([...seen].filter((value) => typeof value === 'number').sort(), [-1, -2, 0, 1, 2]);
  t.equal(seen.size, 8);
  t.equal(new Set(emitted.map(({ values }) => values[4])).size, 2000, 'no two tuples draw the same numbers');
});

t.test('the same seed makes the same tuples, another one others', async (t) => {
  const run = (config: object): string =>
    JSON.stringify(drain(open({ template, count: 50, ...config })).map((e) => e.values));
  t.equal(run({}), run({ seed: 1 }));
  t.equal(run({ seed: 7 }), run({ seed: 7 }));
  t.not(run({ seed: 7 }), run({ seed: 8 }));
});

t.test('any number of tasks makes the same tuples all together, and exactly so many', async () => {
  const config = { template: { n: { sequence: 0 }, x: { float: [0, 1] } }, seed: 3 };
  fc.assert(
    fc.property(fc.nat(100), fc.integer({ min: 1, max: 7 }), (count, parallelism) => {
      const all = Array.from({ length: parallelism }, (_, index) =>
        drain(open({ ...config, count }, { index, parallelism })),
      );
      const tuples = all.flat().map((each) => each.values as [number, number]);
      const expected = drain(open({ ...config, count })).map((each) => each.values);
      return JSON.stringify(tuples.sort((a, b) => a[0] - b[0])) === JSON.stringify(expected);
    }),
    { numRuns: 50 },
  );
});

t.test('a failed tuple is made again, the same, after a wait', async (t) => {
  const clock = new VirtualClock();
  const spout = open({ template, count: 3 }, { clock });
  const { emit, emitted } = recorder();
  while (spout.nextTuple(emit) !== 'done');
  spout.ack(emitted[0]?.id);
  spout.fail(emitted[1]?.id);
  spout.ack(emitted[2]?.id);
  t.equal(spout.nextTuple(emit), undefined);
  clock.step(100);
  spout.nextTuple(emit);
  t.strictSame(emitted[3], emitted[1]);
  t.equal(spout.nextTuple(emit), 'done');
});

t.test('a restarted task goes on below the first tuple that was not acked', async (t) => {
  const progress = new Map<string, unknown>();
  const config = { template: { n: { sequence: 0 } }, count: 20 };
  const first = open(config, { index: 1, parallelism: 2, progress });
  const { emit, emitted } = recorder();
  for (let call = 0; call < 5; call++) first.nextTuple(emit);
  for (const at of [0, 1, 3, 4]) first.ack(emitted[at]?.id);
  first.close();
  t.strictSame(Object.fromEntries(progress), { '1/2': { next: 2 } });
  const second = open(config, { index: 1, parallelism: 2, progress, incarnation: 1 });
  t.strictSame(
    drain(second).map((each) => each.values[0]),
    [5, 7, 9, 11, 13, 15, 17, 19],
  );
  t.strictSame(progress.get('1/2'), { next: 10 });
  t.strictSame(drain(open(config, { index: 1, parallelism: 2, progress, incarnation: 2 })), []);
});

t.test('untracked it emits without ids', async (t) => {
  const emitted = drain(open({ template: { a: 1 }, count: 3, tracked: false }));
  t.strictSame(
    emitted.map((each) => each.id),
    [undefined, undefined, undefined],
  );
});

t.test('at a rate: so many a second over all tasks, and at most one second is caught up', async (t) => {
  for (const parallelism of [1, 4]) {
    const clock = new VirtualClock();
    const spouts = Array.from({ length: parallelism }, (_, index) => {
      return open({ template: { a: 1 }, rate: 100 }, { clock, index, parallelism });
    });
    const { emit, emitted } = recorder();
    const run = (untilMs: number, stepMs: number): number => {
      const before = emitted.length;
      while (clock.now() < untilMs) {
        clock.step(clock.now() + stepMs);
        for (const spout of spouts) {
          for (let had = -1; had !== emitted.length;) {
            had = emitted.length;
            spout.nextTuple(emit);
          }
        }
      }
      return emitted.length - before;
    };
    run(1, 1);
    const second = run(1001, 1);
    t.ok(second >= 99 && second <= 101, `${second} in the first second`);
    const slow = run(2001, 250);
    t.ok(slow >= 99 && slow <= 101, `${slow} when asked four times a second`);
    clock.step(60_000);
    const after = run(60_001, 1);
    t.ok(after >= 99 && after <= 105, `${after} after a stall of 58 s`);
  }
});

t.test('the first tuple comes at once, at less than one a second too', async (t) => {
  const clock = new VirtualClock();
  const spout = open({ template: { a: 1 }, rate: 0.5 }, { clock });
  const { emit, emitted } = recorder();
  spout.nextTuple(emit);
  t.equal(emitted.length, 1);
  clock.step(1999);
  spout.nextTuple(emit);
  t.equal(emitted.length, 1);
  clock.step(2000);
  spout.nextTuple(emit);
  t.equal(emitted.length, 2);
});

t.test('senseless settings are told by name', async (t) => {
  for (const [field, rule] of [
    ['no value', undefined],
    ['exactly one rule', {}],
    ['exactly one rule', { oneOf: [1], integer: [1, 2] }],
    ['no rule "onOf"', { onOf: [1] }],
    ['oneOf', { oneOf: [] }],
    ['oneOf', { oneOf: 'ab' }],
    ['integer', { integer: [2, 1] }],
    ['integer', { integer: [0.5, 1] }],
    ['integer', { integer: 5 }],
    ['integer', { integer: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] }],
    ['float', { float: [2, 1] }],
    ['float', { float: [0, Infinity] }],
    ['sequence', { sequence: 'a' }],
    ['string', { string: 5 }],
    ['string', { string: { length: -1 } }],
    ['string', { string: { length: 1e9 } }],
    ['string', { string: { length: 1, alphabet: '' } }],
    ['string', { string: { length: 1, letters: 'ab' } }],
  ] as const) {
    const error = thrownBy(() => new Generator({ template: { a: rule } }));
    t.equal(error.code, 'MILLRACE_CONNECT_SETTING');
    t.match(error.message, '"template.a"');
    if (rule !== undefined) t.match(error.message, field);
  }
  for (const config of [{}, { template: {} }, { template: [] }, { template: 'a' }]) {
    t.match(thrownBy(() => new Generator(config)).message, '"template"');
  }
  const good = { template: { a: 1 } };
  for (const [key, value] of [
    ['seed', 1.5],
    ['rate', 0],
    ['rate', 'fast'],
    ['count', -1],
    ['tracked', 1],
  ] as const) {
    t.match(thrownBy(() => new Generator({ ...good, [key]: value })).message, `"${key}"`);
  }
});

t.test('the function makes a component of that type, with the fields of its template', async (t) => {
  const spec = generator({ template, count: 1 });
  t.equal(spec.type, 'generator');
  t.strictSame(spec.outputs([], spec.config, { component: 'it', inputFields: [] }), { default: Object.keys(template) });
  t.ok(spec.create(spec.config) instanceof Generator);
});
