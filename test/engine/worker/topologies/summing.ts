// Numbers at a steady pace, without an end; bolts that keep their sums until the end of their input. The last one
// prints the total, so that it shows whether every number and every end has come through.

import {
  AckedOffsets,
  Bolt,
  Spout,
  topology,
  type BoltContext,
  type Emit,
  type SpoutContext,
  type Tuple,
} from 'millrace';

class Numbers extends Spout {
  static readonly outputs = ['number'] as const;
  private context!: SpoutContext;
  private acked = new AckedOffsets(0);
  private next = 0;

  override open(context: SpoutContext): void {
    this.context = context;
    this.next = (context.restored('all') as number | undefined) ?? 0;
    this.acked = new AckedOffsets(this.next);
  }

  nextTuple(emit: Emit): void {
    if (this.next >= this.context.now()) return;
    this.acked.open(this.next);
    emit([this.next], { id: this.next });
    this.next++;
  }

  override ack(id: unknown): void {
    this.acked.ack(id as number);
    this.context.checkpoint('all', this.acked.low);
  }
}

class Sum extends Bolt {
  static readonly outputs = ['number'] as const;
  protected context!: BoltContext;
  protected sum = 0;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    this.sum += tuple.values[0] as number;
  }

  override finish(emit: Emit): void {
    emit([this.sum]);
  }
}

class Total extends Sum {
  override finish(): void {
    void this.context.print(`total ${this.sum}`);
  }
}

export default topology('summing', (t) => {
  const numbers = t.spout('numbers', Numbers);
  const sums = t.bolt('sums', Sum, { parallelism: 3 }).shuffle(numbers, { locality: false });
  t.bolt('total', Total).global(sums);
});
