// The word count: five fixed sentences over and over, split, counted by word; the count emits.

import { topology } from 'millrace';
import { Count, Split } from './bolts.js';
import { Sentences } from './spouts.js';

export default topology('words', (t) => {
  const source = t.spout('source', Sentences, { config: { tracked: true } });
  const split = t.bolt('split', Split).shuffle(source);
  t.bolt('count', Count).fields(split, 'word');
});
