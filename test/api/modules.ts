// Topology modules as text, for tests that write them to files.

/** Counts to three and prints it. */
export const NUMBERS = `
import { topology } from 'millrace';
import { generator } from 'millrace/connect/generator';
import { log } from 'millrace/connect/log';

export default topology('numbers', (t) => {
  const numbers = t.spout('numbers', generator({ template: { n: { sequence: 1 } }, count: 3 }));
  t.bolt('log', log()).shuffle(numbers);
});
`;

/** Counts for ever, and prints nothing but that it began. */
export const ENDLESS = `
import { Bolt, Spout, topology } from 'millrace';

class Ever extends Spout {
  static readonly outputs = ['n'] as const;
  #n = 0;
  open(context) { return context.print('begun'); }
  nextTuple(emit) { emit([this.#n], { id: this.#n++ }); }
}

class Nothing extends Bolt {
  static readonly outputs = [] as const;
  execute() {}
}

export default topology('endless', (t) => {
  const ever = t.spout('ever', Ever);
  t.bolt('nothing', Nothing).shuffle(ever);
}, { maxSpoutPending: 100 });
`;
