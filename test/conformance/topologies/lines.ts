// The built-in components under test: lines of a file, split and counted.

import { topology } from 'millrace';
import { count } from 'millrace/connect/count';
import { fileLines } from 'millrace/connect/file';
import { Relay, Sink } from './parts.js';

export default topology(
  'lines',
  (t) => {
    const lines = t.spout('lines', fileLines({ path: 'set by the test' }), { parallelism: 2 });
    const relay = t.bolt('relay', Relay, { parallelism: 2 }).shuffle(lines);
    const counted = t.bolt('count', count(), { parallelism: 2 }).fields(relay, 'value');
    t.bolt('sink', Sink).shuffle(counted);
  },
  { messageTimeout: null, maxSpoutPending: 20 },
);
