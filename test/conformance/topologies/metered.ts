// What is counted in many ways: a bolt that sends each tuple on twice to all tasks of another one, measures itself, and
// fails the number 13; beside it one whose calls take 100 ms of virtual time each, up to 16 at once.

import { Bolt, Spout, topology, type BoltContext, type Counter, type Emit, type Gauge, type Tuple } from 'millrace';
import type { UserHistogram } from 'millrace';

class Source extends Spout {
  static readonly outputs = ['n'] as const;

  nextTuple(_emit: Emit): 'done' {
    return 'done';
  }
}

class Spread extends Bolt {
  static readonly outputs = ['n', 'which'] as const;
  private seen!: Counter;
  private last!: Gauge;
  private size!: UserHistogram;

  override prepare({ metrics }: BoltContext): void {
    this.seen = metrics.counter('seen');
    this.last = metrics.gauge('last');
    this.size = metrics.histogram('size');
  }

  execute(tuple: Tuple, emit: Emit): void {
    const n = tuple.values[0] as number;
    this.seen.add();
    this.last.set(n);
    this.size.record(n);
    if (n === 13) throw new Error('thirteen');
    emit([n, 'a']);
    emit([n, 'b']);
  }
}

class Wide extends Bolt {
  execute(_tuple: Tuple): void {
    return undefined;
  }
}

class Late extends Bolt {
  static readonly options = { concurrency: 16 } as const;
  private context!: BoltContext;
  private readonly waiting: { readonly untilMs: number; readonly done: () => void }[] = [];

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(_tuple: Tuple): Promise<void> {
    return new Promise((done) => this.waiting.push({ untilMs: this.context.now() + 100, done }));
  }

  override tick(): void {
    while (this.waiting[0] !== undefined && this.waiting[0].untilMs <= this.context.now()) this.waiting.shift()!.done();
  }
}

export default topology('metered', (t) => {
  const source = t.spout('source', Source);
  const spread = t.bolt('spread', Spread).shuffle(source);
  t.bolt('wide', Wide, { parallelism: 2 }).all(spread);
  t.bolt('late', Late, { tickEvery: 50 }).shuffle(source);
});
