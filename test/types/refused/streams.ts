// Each line marked `refused` must not compile, with an error that says what stands there; every other line must.

import { topology } from '../../../engine/index.js';
import type { Emit, Tuple } from '../../../engine/index.js';
import { ingest } from '../../../engine/connect/ingest/index.js';
import { Count, Either, Lines, OneByOne, Router, Split, someLines } from '../accepted.js';

topology('unknown-names', (t) => {
  const lines = t.spout('lines', Lines);
  const split = t.bolt('split', Split).shuffle(lines);
  const count = t.bolt('count', Count).fields(split, 'word');

  t.bolt('field', Split).fields(lines, 'lin'); // refused: '"lin"' is not assignable to parameter of type '"line"'
  t.bolt('second-field', Either).fields(count, 'word', 'cuont'); // refused: '"cuont"' is not assignable to parameter of type
  t.bolt('no-field', Split).fields(lines); // refused: Expected at least 2 arguments
  t.bolt('field-of-other-stream', Either).fields(count, 'at'); // refused: '"at"' is not assignable
  t.bolt('field-of-spec', Split).fields(t.spout('spec', someLines('a')), 'word'); // refused: '"word"' is not assignable to parameter of type '"line"'
  t.bolt('field-of-ingest', Either).fields(t.spout('in', ingest({ fields: ['a', 'b'] })), 'c'); // refused: '"c"' is not assignable to parameter of type '"a" | "b"'

  t.bolt('bolt-stream', Either).shuffle(split.stream('late')); // refused: '"late"' is not assignable to parameter of type '"default"'
  const anything = t.bolt('anything', (tuple: Tuple) => void tuple);
  anything.shuffle(count.stream('lat')); // refused: '"lat"' is not assignable to parameter of type
  anything.shuffle(lines.stream('late')); // refused: '"late"' is not assignable to parameter of type '"default"'
  anything.shuffle(t.bolt('silent', Either).shuffle(split)); // refused: Type 'NothingEmitted' is missing
  anything.all('lines'); // refused: Argument of type 'string' is not assignable
});

topology('values', (t) => {
  const lines = t.spout('lines', Lines);
  const split = t.bolt('split', Split).shuffle(lines);
  const count = t.bolt('count', Count).fields(split, 'word');
  const number = t.bolt('number', (tuple: Tuple<[n: number]>) => void tuple.values[0].toFixed());
  number.shuffle(split); // refused: Type 'string' is not assignable to type 'number'
  number.fields(split, 'word'); // refused: Type 'string' is not assignable to type 'number'
  number.all(split); // refused: Type 'string' is not assignable to type 'number'
  number.global(split); // refused: Type 'string' is not assignable to type 'number'
  number.shuffle(split.stream('default')); // refused: Type 'string' is not assignable to type 'number'
  t.bolt('split-of-counts', Split).shuffle(count); // refused: Source has 2 element(s) but target allows only 1
  t.bolt('count-of-late', (tuple: Tuple<[word: string, count: number]>) => void tuple).shuffle(count.stream('late')); // refused: Type 'Date' is not assignable to type 'number'
  t.bolt('three', (tuple: Tuple<[a: string, b: number, c: string]>) => void tuple).shuffle(count); // refused: Source has 2 element(s) but target requires 3

  const pairs = t.spout('pairs', () => [['a', 1] as [string, number]], { outputs: ['word', 'count'] });
  t.bolt('of-pairs', Split).shuffle(pairs); // refused: Source has 2 element(s) but target allows only 1
  const generated = t.spout(
    'generated',
    function* () {
      yield [1];
    },
    { outputs: ['n'] },
  );
  t.bolt('of-numbers', Split).shuffle(generated); // refused: Type 'number' is not assignable to type 'string'
});

topology('groupings', (t) => {
  const lines = t.spout('lines', Lines);
  const split = t.bolt('split', Split).shuffle(lines);
  const count = t.bolt('count', Count).fields(split, 'word');
  const router = t.bolt('router', Router).shuffle(split);
  const orders = router.stream('orders');
  t.bolt('partial-field', Split).partialKey(lines, 'lin'); // refused: '"lin"' is not assignable to parameter of type '"line"'
  t.bolt('partial-none', Split).partialKey(lines); // refused: Expected at least 2 arguments
  t.bolt('locality', Split).shuffle(lines, { locality: 'no' }); // refused: Type 'string' is not assignable to type 'boolean | undefined'
  t.bolt('option', Split).none(lines, { local: true }); // refused: 'local' does not exist
  t.bolt('of-pairs', Split).localOrShuffle(count); // refused: Source has 2 element(s) but target allows only 1
  t.bolt('direct', Either).direct(split); // refused: is not assignable to
  t.bolt('dealt', Either).shuffle(orders); // refused: is not assignable to
  t.bolt('direct-values', (tuple: Tuple<[n: number]>) => void tuple).direct(orders); // refused: is not assignable to
  t.bolt('no-grouping', Either).custom(split); // refused: Expected 2 arguments
  t.bolt('text', Either).custom(split, () => 'first'); // refused: Type 'string' is not assignable to type
  t.bolt('wrong-values', Either).custom(count, ([word]) => word.length + word.missing); // refused: Property 'missing' does not exist
  t.bolt('other-class', Either).custom(split, Split); // refused: is not assignable to
  t.bolt('class', Either).custom(split, OneByOne);
  split.shuffle(count.feedback()); // refused: Source has 2 element(s) but target allows only 1
  split.fields(split.feedback(), 'line'); // refused: '"line"' is not assignable to parameter of type '"word"'
  split.shuffle(split.feedback({ overflow: 'block' })); // refused: Type '"block"' is not assignable to type
  router.shuffle(router.stream('order')); // refused: '"order"' is not assignable to parameter of type
});

export function direct(emit: Emit<[word: string, count: number], { late: [word: string] }>): void {
  emit.direct(1, ['a', 1]);
  emit.direct(1, ['a'], { stream: 'late' });
  emit.direct('1', ['a', 1]); // refused: Argument of type 'string' is not assignable
  emit.direct(1, ['a'], { stream: 'lat' }); // refused: Type '"lat"' is not assignable to type '"late"'
  emit.direct(1, ['a']); // refused: Source has 1 element(s) but target requires 2
}

export function emits(emit: Emit<[word: string, count: number], { late: [word: string] }>): void {
  emit(['a', 1]);
  emit(['a'], { stream: 'late' });
  emit(['a']); // refused: Source has 1 element(s) but target requires 2
  emit(['a', 1, 2]); // refused: Source has 3 element(s) but target allows only 2
  emit(['a', '1']); // refused: Type 'string' is not assignable to type 'number'
  emit(['a'], { stream: 'lat' }); // refused: Type '"lat"' is not assignable to type '"late"'
  emit(['a', 1], { stream: 'late' }); // refused: Source has 2 element(s) but target allows only 1
}
