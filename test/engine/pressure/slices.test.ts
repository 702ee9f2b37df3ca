// A bolt whose calls take longer than a slice leaves after each of them: it delays the other tasks of its worker by one
// call at a time, not by many.

import t from 'tap';
import { Spout, topology, type Tuple } from 'millrace';
import { TestRun } from 'millrace/testing';
import { range } from '../../conformance/transports.js';

class Source extends Spout {
  static readonly outputs = ['number'] as const;

  nextTuple(): void {
    // Fed by the test.
  }
}

/** Longer than the turn of a worker. */
const BUSY_MS = 2;

function busy(_tuple: Tuple): void {
  const untilMs = performance.now() + BUSY_MS;
  while (performance.now() < untilMs);
}

t.test('C120 a slow bolt delays the other tasks of its worker by one call at a time', async (t) => {
  // Tasks are dealt to workers in turn: both spouts to the first, both bolts to the second.
  const run = await TestRun.start(
    topology('slices', (t) => {
      const forSlow = t.spout('for-slow', Source);
      t.bolt('slow', busy).shuffle(forSlow);
      const forQuick = t.spout('for-quick', Source);
      t.bolt('quick', () => undefined).shuffle(forQuick);
    }),
    {
      workers: 2,
      fed: ['for-slow', 'for-quick'],
      strict: false,
      virtualTime: false,
      settings: { placement: 'spread' },
    },
  );
  t.teardown(() => run.close());
  for (const number of range(60)) {
    run.feed('for-slow', [number], { id: number });
    run.feed('for-quick', [number], { id: number });
  }
  while (run.acked('for-slow').length < 60) await run.settle();
  t.equal(run.of('executed', 'slow')[0]?.worker, run.of('executed', 'quick')[0]?.worker);
  const order = run.events.filter(({ type }) => type === 'executed').map(({ component }) => component);
  const between = order.slice(order.indexOf('quick'), order.lastIndexOf('quick')).filter((each) => each === 'slow');
  t.ok(between.length <= 8, `the quick one is done after ${between.length} calls of the slow one`);
  t.equal(order.length, 120);
});
