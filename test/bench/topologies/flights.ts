// The mean delay of flights by their distance: rows of numbers, keyed by a number.

import { Bolt, Spout, topology, type Emit, type SpoutContext, type Tuple } from 'millrace';
import { flights, type Flight } from '../data/flights.js';

class Flights extends Spout {
  static readonly outputs = ['distance', 'delay', 'time'] as const;
  private rows: readonly Flight[] = [];
  private next = 0;
  private id = 0;
  private tracked = true;

  override open(context: SpoutContext): void {
    this.rows = flights();
    this.tracked = context.config['tracked'] !== false;
  }

  nextTuple(emit: Emit<[distance: number, delay: number, time: number]>): void {
    const [distance, delay, time] = this.rows[this.next]!;
    this.next = this.next + 1 === this.rows.length ? 0 : this.next + 1;
    if (this.tracked) emit([distance, delay, time], { id: this.id++ });
    else emit([distance, delay, time]);
  }
}

interface Sum {
  flights: number;
  delay: number;
}

class MeanDelay extends Bolt {
  static readonly outputs = ['distance', 'delay'] as const;
  private readonly sums = new Map<number, Sum>();

  execute(
    tuple: Tuple<[distance: number, delay: number, time: number]>,
    emit: Emit<[distance: number, delay: number]>,
  ): void {
    const [distance, delay] = tuple.values;
    let sum = this.sums.get(distance);
    if (sum === undefined) this.sums.set(distance, (sum = { flights: 0, delay: 0 }));
    sum.flights++;
    sum.delay += delay;
    emit([distance, sum.delay / sum.flights]);
  }
}

export default topology('flights', (t) => {
  const source = t.spout('source', Flights, { config: { tracked: true } });
  t.bolt('mean', MeanDelay).fields(source, 'distance');
});
