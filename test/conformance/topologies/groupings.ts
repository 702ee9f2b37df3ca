// One stream of two senders, one on each worker where there are two, dealt by every grouping.

import { topology } from 'millrace';
import { Fed, Sink } from './parts.js';

class Source extends Fed {
  static readonly outputs = { default: ['key', 'number'], every: ['key'] } as const;
}

export default topology('groupings', (t) => {
  const source = t.spout('source', Source, { parallelism: 2 });
  t.bolt('shuffled', Sink, { parallelism: 4 }).shuffle(source, { locality: false });
  t.bolt('keyed', Sink, { parallelism: 6 }).fields(source, 'key');
  t.bolt('single', Sink, { parallelism: 3 }).global(source);
  t.bolt('every', Sink, { parallelism: 3 }).all(source.stream('every'));
});
