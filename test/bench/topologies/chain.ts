// A chain of bolts, each of which passes on what it takes: as many as the URL of this module says
// (`chain.js?bolts=10`).

import { topology } from 'millrace';
import { Id } from './bolts.js';
import { Constant } from './spouts.js';

const bolts = Number(new URL(import.meta.url).searchParams.get('bolts') ?? 1);

export default topology('chain', (t) => {
  const source = t.spout('source', Constant, { config: { tracked: true } });
  let last = t.bolt('bolt-1', Id).shuffle(source);
  for (let i = 2; i <= bolts; i++) last = t.bolt(`bolt-${i}`, Id).shuffle(last);
});
