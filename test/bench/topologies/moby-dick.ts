// The word count over the lines of a book: many more words than five sentences have, most of them rare.

import { topology, type SpoutContext } from 'millrace';
import { mobyDickLines } from '../data/moby-dick.js';
import { Count, Split } from './bolts.js';
import { Sentences } from './spouts.js';

class Lines extends Sentences {
  override open(context: SpoutContext): void {
    super.open(context);
    this.texts = mobyDickLines();
  }
}

export default topology('moby-dick', (t) => {
  const source = t.spout('source', Lines, { config: { tracked: true } });
  const split = t.bolt('split', Split).shuffle(source);
  t.bolt('count', Count).fields(split, 'word');
});
