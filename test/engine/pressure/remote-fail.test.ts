// A bolt that throws inside the call of the bolt before it, on another worker than the spout: the tree fails, though
// everything else in it is acked in the same turn.

import t from 'tap';
import { Spout, topology, type Emit, type Tuple } from 'millrace';
import { TestRun } from 'millrace/testing';

class Source extends Spout {
  static readonly outputs = ['number'] as const;

  nextTuple(): void {
    // Fed by the test.
  }
}

const through = (tuple: Tuple, emit: Emit): void => emit(tuple.values);
const throws = (): void => {
  throw new Error('no');
};

t.test('C28 the ack of a caller does not overtake the failure of the call inside it', async (t) => {
  const run = await TestRun.start(
    topology('nested', (t) => {
      const source = t.spout('source', Source);
      const first = t.bolt('first', through, { outputs: ['number'] }).shuffle(source);
      const other = t.spout('other', Source);
      t.bolt('throws', throws).shuffle(first);
      t.bolt('elsewhere', () => undefined).shuffle(other);
    }),
    { workers: 2, fed: ['source'], strict: false, settings: { placement: 'spread' } },
  );
  t.teardown(() => run.close());
  for (let number = 0; number < 20; number++) run.feed('source', [number], { id: number });
  await run.settle();
  t.strictSame(run.of('executed', 'first')[0]?.worker, run.of('executed', 'throws')[0]?.worker);
  t.not(run.of('executed', 'first')[0]?.worker, run.of('emitted', 'source')[0]?.worker);
  t.strictSame(run.acked('source'), []);
  t.equal(run.failed('source').length, 20);
});
