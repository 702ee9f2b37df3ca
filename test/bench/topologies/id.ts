// A constant spout, a bolt that passes on what it takes, and one that takes that: two hops a tuple.

import { topology } from 'millrace';
import { Id, Sink } from './bolts.js';
import { Constant } from './spouts.js';

export default topology('id', (t) => {
  const source = t.spout('source', Constant, { config: { tracked: true } });
  const id = t.bolt('id', Id).shuffle(source);
  t.bolt('sink', Sink).shuffle(id);
});
