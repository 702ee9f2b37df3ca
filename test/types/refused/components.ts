// Each line marked `refused` must not compile, with an error that says what stands there; every other line must.

import { Bolt, Spout, defineSpout, topology } from '../../../engine/index.js';
import type { Emit, Tuple } from '../../../engine/index.js';
import { Configured, Count, Lines, Split, keyed, someLines } from '../accepted.js';

class TooManyFields extends Bolt {
  static readonly outputs = ['word', 'count'] as const;
  execute(tuple: Tuple<[line: string]>, emit: Emit<[word: string]>) {
    emit([tuple.values[0]]);
  }
}

class UndeclaredStream extends Bolt {
  static readonly outputs = ['word'] as const;
  execute(tuple: Tuple<[line: string]>, emit: Emit<[word: string], { late: [word: string] }>) {
    emit([tuple.values[0]], { stream: 'late' });
  }
}

class NoOutputs extends Bolt {
  execute(tuple: Tuple<[line: string]>, emit: Emit<[word: string]>) {
    emit([tuple.values[0]]);
  }
}

class SpoutFields extends Spout {
  static readonly outputs = ['a', 'b'] as const;
  override nextTuple(emit: Emit<[a: string]>) {
    emit(['a']);
  }
}

topology('components', (t) => {
  const lines = t.spout('lines', Lines);
  t.bolt('spout-as-bolt', Lines); // refused: Property 'execute' is missing in type 'Lines'
  t.bolt('spout-spec-as-bolt', someLines('a')); // refused: is not assignable to parameter of type 'BoltSource'
  t.spout('bolt-as-spout', Split); // refused: Property 'nextTuple' is missing in type 'Split'
  t.spout('bolt-spec-as-spout', keyed()); // refused: is not assignable to parameter of type 'SpoutSource'
  t.bolt('not-a-component', { outputs: ['word'] }); // refused: not assignable
  lines.shuffle(lines); // refused: Property 'shuffle' does not exist

  t.bolt('too-many-fields', TooManyFields); // refused: the outputs do not fit the type parameters of Emit, on stream
  t.bolt('undeclared-stream', UndeclaredStream); // refused: OutputsDisagree<"late">
  t.bolt('no-outputs', NoOutputs); // refused: OutputsDisagree<"default">
  t.spout('spout-fields', SpoutFields); // refused: OutputsDisagree<"default">
  t.bolt('function', (_tuple: Tuple, emit: Emit<[word: string]>) => emit(['a'])); // refused: OutputsDisagree<"default">
  t.bolt('function-fields', (_tuple: Tuple, emit: Emit<[word: string]>) => emit(['a']), { outputs: ['a', 'b'] }); // refused: OutputsDisagree<"default">
  t.spout('pairs', () => [['a', 1] as [string, number]], { outputs: ['word'] }); // refused: OutputsDisagree<"default">
  t.spout('no-list', () => [1, 2], { outputs: ['n'] }); // refused: is not assignable

  t.bolt('outputs-of-class', Split, { outputs: ['line'] }); // refused: not assignable to type 'undefined'
  t.bolt('unknown-option', Split, { paralelism: 2 }); // refused: Did you mean to write 'parallelism'?
  t.bolt('wrong-option', Split, { parallelism: '2' }); // refused: Type 'string' is not assignable to type 'number'
  t.spout('bolt-option', Lines, { tickEvery: '1s' }); // refused: 'tickEvery' does not exist
  t.spout('function-option', Lines, { tracked: true }); // refused: 'tracked' does not exist
  t.bolt('without-config', Configured); // refused: Expected 3 arguments, but got 2
  t.bolt('empty-config', Configured, { config: {} }); // refused: Property 'minLength' is missing
  t.bolt('wrong-config', Configured, { config: { minLength: '3' } }); // refused: Type 'string' is not assignable to type 'number'
  t.bolt('count', Count, { tickEvery: true }); // refused: Type 'true' is not assignable
});

topology('config', () => undefined, { worker: 2 }); // refused: Did you mean to write 'workers'?
topology('config', () => undefined, { messageTimeout: true }); // refused: Type 'true' is not assignable
topology('config', () => undefined, { placement: 'apart' }); // refused: Type '"apart"' is not assignable
topology(5, () => undefined); // refused: Argument of type 'number' is not assignable to parameter of type 'string'

defineSpout({ type: 'a', outputs: 'line', create: () => new Lines() }); // refused: Type 'string' is not assignable
defineSpout({ type: 'a', outputs: ['line'], create: () => new Split() }); // refused: Property 'nextTuple' is missing in type 'Split'
