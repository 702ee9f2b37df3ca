// Two finite spouts through two layers of two tasks, one of them asynchronous, into two: each task numbers what it
// sends to each other one, so that any change of order shows. What came out of order is printed, and how many came at
// the end.

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';

class Numbers extends Spout {
  static readonly outputs = ['from', 'number'] as const;
  private from = 0;
  private number = 0;
  private count = 0;
  private tracked = false;
  private context!: SpoutContext;

  override open(context: SpoutContext): void {
    this.context = context;
    this.from = context.task;
    this.count = context.config['count'] as number;
    this.tracked = context.config['tracked'] === true;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    if (this.context.now() < (this.context.config['startsAtMs'] as number)) return undefined;
    // Some calls emit many: they overrun what their targets have room for.
    for (let burst = this.number % 7; burst >= 0 && this.number < this.count; burst--) {
      const number = this.number++;
      emit([this.from, number], this.tracked ? { id: number } : {});
    }
    return this.number < this.count ? undefined : 'done';
  }
}

/** Checks that numbers of each sender ascend. */
class InOrder extends Bolt {
  protected context!: BoltContext;
  protected took = 0;
  private readonly last = new Map<unknown, number>();

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, _emit: Emit): void | Promise<void> {
    const from = tuple.values[0];
    const number = tuple.values[1] as number;
    const last = this.last.get(from) ?? -1;
    if (number <= last)
      void this.context.print(`${this.context.component}: ${number} of ${String(from)} after ${last}`);
    this.last.set(from, number);
    this.took++;
  }

  override async finish(_emit: Emit): Promise<void> {
    await this.context.print(`${this.context.component}/${this.context.index} ${this.took}`);
  }
}

class Forward extends InOrder {
  static readonly outputs = ['from', 'number'] as const;
  private sent = 0;

  override execute(tuple: Tuple, emit: Emit): void | Promise<void> {
    void super.execute(tuple, emit);
    emit([this.context.task, this.sent++]);
  }
}

/** Asynchronous for every third tuple, one at a time. */
class Slow extends Forward {
  override execute(tuple: Tuple, emit: Emit): void | Promise<void> {
    if (this.took % 3 === 0) return this.later(tuple, emit);
    return super.execute(tuple, emit);
  }

  private async later(tuple: Tuple, emit: Emit): Promise<void> {
    if (this.took % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    await super.execute(tuple, emit);
    await emit.ready();
  }
}

export default topology(
  'flowing',
  (t) => {
    const numbers = t.spout('numbers', Numbers, {
      parallelism: 2,
      config: { count: 500, tracked: true, startsAtMs: 0 },
    });
    const forward = t.bolt('forward', Forward, { parallelism: 2 }).shuffle(numbers, { locality: false });
    const slow = t.bolt('slow', Slow, { parallelism: 2 }).fields(forward, 'number');
    t.bolt('sink', InOrder, { parallelism: 2 }).shuffle(slow, { locality: false });
  },
  { messageTimeout: null },
);
