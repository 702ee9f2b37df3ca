// A hundred tuples a second, and bolts that take their time: one 20 ms of virtual time for each, one none at all.

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';

class Hundred extends Spout {
  static readonly outputs = ['n'] as const;
  private context!: SpoutContext;
  private next = 0;

  override open(context: SpoutContext): void {
    this.context = context;
    this.next = Number(context.restored('all') ?? 0);
    if (this.next > 0) void context.print(`goes on at ${this.next}`);
    void context.print(`files below ${String(context.filesRoot)}`);
  }

  nextTuple(emit: Emit): void {
    if (this.context.now() < this.next * 10) return;
    emit([this.next], { id: this.next });
    this.next++;
  }

  override ack(id: unknown): void {
    this.context.checkpoint('all', (id as number) + 1);
  }
}

class Slow extends Bolt {
  static readonly options = { concurrency: 100 } as const;
  private context!: BoltContext;
  private readonly waiting: { readonly untilMs: number; readonly done: () => void }[] = [];

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(_tuple: Tuple): Promise<void> {
    return new Promise((done) => this.waiting.push({ untilMs: this.context.now() + 20, done }));
  }

  override tick(): void {
    while (this.waiting[0] !== undefined && this.waiting[0].untilMs <= this.context.now()) this.waiting.shift()!.done();
  }
}

class Quick extends Bolt {
  execute(_tuple: Tuple): void {
    return undefined;
  }
}

export default topology('measured', (t) => {
  const hundred = t.spout('hundred', Hundred);
  t.bolt('slow', Slow, { tickEvery: 10 }).shuffle(hundred);
  t.bolt('quick', Quick).shuffle(hundred);
});
