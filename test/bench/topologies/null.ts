// The least topology: a constant spout, and a bolt that takes what it emits.

import { topology } from 'millrace';
import { Sink } from './bolts.js';
import { Constant } from './spouts.js';

export default topology('null', (t) => {
  const source = t.spout('source', Constant, { config: { tracked: true } });
  t.bolt('sink', Sink).shuffle(source);
});
