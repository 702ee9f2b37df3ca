// Topologies for hosts in processes of their own: documents, and modules as text.

export const TICKS = {
  name: 'ticks',
  spouts: { numbers: { type: 'generator', config: { template: { n: { sequence: 1 } }, rate: 50 } } },
  bolts: { out: { type: 'log', inputs: [{ from: 'numbers', grouping: 'shuffle' }] } },
};

/** Shouts what it is given; the last word on two tasks. */
export const SHOUT = `
import { Bolt, topology, type Emit, type Tuple } from 'millrace';
import { ingest } from 'millrace/connect/ingest';
import { log } from 'millrace/connect/log';

enum Pitch { Loud = '!' }

class Shout extends Bolt {
  static readonly outputs = ['text'] as const;
  execute(tuple: Tuple<[text: string]>, emit: Emit<[text: string]>): void {
    emit([tuple.values[0].toUpperCase() + Pitch.Loud]);
  }
}

export default topology('shout', (t) => {
  const words = t.spout('words', ingest({ fields: ['text'] }));
  const shout = t.bolt('shout', Shout).shuffle(words);
  t.bolt('out', log(), { parallelism: 2 }).shuffle(shout);
});
`;

/** Takes its time to close. */
export const STUCK = `
import { Bolt, topology } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class Stuck extends Bolt {
  execute() {}
  close() { return new Promise(() => setInterval(() => {}, 1000)); }
}

export default topology('stuck', (t) => {
  t.bolt('stuck', Stuck).shuffle(t.spout('words', ingest({ fields: ['text'] })));
});
`;
