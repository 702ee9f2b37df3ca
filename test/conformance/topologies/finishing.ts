// A finite topology in which every layer keeps a sum and emits it at the end only: a spout task's last number has to go
// through all of them before it completes. The last one prints the total.

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';

class Numbers extends Spout {
  static readonly outputs = ['number'] as const;
  private tracked = false;
  private number = 0;

  override open(context: SpoutContext): void {
    this.tracked = context.config['tracked'] === true;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    const number = ++this.number;
    emit([number], this.tracked ? { id: number } : {});
    return number === 100 ? 'done' : undefined;
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

  override finish(emit: Emit): void | Promise<void> {
    emit([this.sum]);
  }
}

/** Takes a while for its last values, and emits them one after the other. */
class SlowSum extends Sum {
  override async finish(emit: Emit): Promise<void> {
    for (; this.sum > 1000; this.sum -= 1000) {
      emit([1000]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await emit.ready();
    emit([this.sum]);
  }
}

class Total extends Sum {
  static override readonly outputs = ['number'] as const;

  override finish(): void {
    void this.context.print(`total ${this.sum}`);
  }

  override close(): void {
    void this.context.print('closed');
  }
}

export default topology('finishing', (t) => {
  const numbers = t.spout('numbers', Numbers, { parallelism: 2, config: { tracked: true } });
  const sums = t.bolt('sums', Sum, { parallelism: 4 }).shuffle(numbers, { locality: false });
  const slow = t.bolt('slow', SlowSum, { parallelism: 3 }).shuffle(sums, { locality: false });
  const merged = t.bolt('merged', Sum, { parallelism: 2 }).fields(slow, 'number');
  t.bolt('total', Total).global(merged);
});
