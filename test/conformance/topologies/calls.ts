// A spout that prints which of its calls is under way when `ack` and `fail` come. Its even tuples fail at the first
// try.

import { Bolt, Spout, topology, type Emit, type SpoutContext, type Tuple } from 'millrace';

class Watching extends Spout {
  static readonly outputs = ['number'] as const;
  private context!: SpoutContext;
  private next = 0;
  private inside = 'nothing';

  override open(context: SpoutContext): void {
    this.context = context;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    if (this.next === 6) return 'done';
    this.inside = 'nextTuple';
    for (let each = 0; each < 3; each++) {
      const number = this.next++;
      this.inside = 'emit';
      emit([number], { id: number });
      this.inside = 'nextTuple';
    }
    this.inside = 'nothing';
    return undefined;
  }

  override ack(id: unknown): void {
    void this.context.print(`ack ${String(id)} inside ${this.inside}`);
  }

  override fail(id: unknown): void {
    void this.context.print(`fail ${String(id)} inside ${this.inside}`);
  }
}

class Odd extends Bolt {
  execute(tuple: Tuple): void {
    if ((tuple.values[0] as number) % 2 === 0) throw new Error('even');
  }
}

export default topology('calls', (t) => {
  t.bolt('odd', Odd).shuffle(t.spout('watching', Watching));
});
