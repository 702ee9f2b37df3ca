import t from 'tap';
import { FunctionBolt } from '../../../engine/component/function-bolt.js';
import { SPEC_BRAND, isComponentSpec } from '../../../engine/component/spec.js';
import type { Emit, Tuple } from '../../../engine/index.js';
import { defineBolt, defineSpout } from '../../../engine/index.js';
import { Count, Lines } from '../../types/accepted.js';

void t.test('specs are known by their brand, of any copy of the package', (t) => {
  const spout = defineSpout({ type: 'a', outputs: ['line'], configKeys: ['x'], create: () => new Lines() });
  const bolt = defineBolt({ type: 'b', create: () => new Count() });
  t.ok(isComponentSpec(spout));
  t.ok(isComponentSpec(bolt));
  t.ok(isComponentSpec({ [Symbol.for('millrace.component-spec')]: 'spout' }));
  t.equal(spout[SPEC_BRAND], 'spout');
  t.match(spout, { configKeys: ['x'], config: {}, outputs: ['line'] });
  t.ok(bolt.create({}, []) instanceof Count);
  for (const other of [null, undefined, 5, {}, [], Lines, { [SPEC_BRAND]: 'other' }]) t.notOk(isComponentSpec(other));
  t.end();
});

void t.test('a function as a bolt', (t) => {
  const calls: unknown[] = [];
  const promise = Promise.resolve();
  const bolt = new FunctionBolt((tuple, emit) => {
    calls.push(tuple, emit);
    return promise;
  });
  const tuple = {} as Tuple;
  const emit = {} as Emit;
  t.equal(bolt.execute(tuple, emit), promise);
  t.equal(calls[0], tuple);
  t.equal(calls[1], emit);
  t.end();
});
