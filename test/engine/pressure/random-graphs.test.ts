// Random graphs under tiny bounds: fan-out, fan-in, diamonds, amplification, payloads larger than any bound, bolts that
// are slow, ordered, asynchronous, that commit in batches, ack by hand or fail. Each has to complete with every tuple
// where it belongs, every tree acked, order kept between any two tasks, and no queue above its bound at any moment.

import fc from 'fast-check';
import t from 'tap';
import { graphs } from './graph.js';
import { play } from './play.js';

t.test('random graphs under tiny bounds complete, in order, within their bounds', async (t) => {
  await fc.assert(fc.asyncProperty(graphs, play), { numRuns: 150 });
  t.pass('150 graphs');
});
