// A spout that numbers tuples and replays what fails, on the first worker, and a bolt `work` on the second, which gets
// into the trouble that the query of the module's address names when it comes to the number `at`; `times` in its first
// incarnations, then never again.

import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Bolt, topology, Spout, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';

const query = new URL(import.meta.url).searchParams;
const trouble = query.get('trouble');
const tuples = Number(query.get('tuples') ?? 50);
const at = Number(query.get('at') ?? 10);
const times = Number(query.get('times') ?? 1);
/** Counts up in this file's place of the process: workers that load the module again can tell. */
const loads = query.get('loads');

const kept: unknown[] = [];

function spin(): void {
  for (;;) Math.random();
}

if (trouble === 'load' && loads !== null && !isMainThread && readFileSync(loads, 'utf8') === 'broken') {
  throw new RangeError('a file that it needs is gone');
}

class Numbers extends Spout {
  static readonly outputs = ['n'] as const;
  private next = 0;
  private readonly again: number[] = [];
  private context!: SpoutContext;

  override open(context: SpoutContext): void {
    this.context = context;
    this.next = (context.restored('all') as number | undefined) ?? 0;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    const n = this.again.pop() ?? (this.next < tuples ? this.next++ : undefined);
    if (n === undefined) return 'done';
    emit([n], { id: n });
    if (trouble === 'spin-in-spout' && n === at && this.context.incarnation < times) spin();
    return undefined;
  }

  override fail(n: unknown): void {
    this.again.push(n as number);
  }
}

class Pass extends Bolt {
  static readonly outputs = ['n'] as const;

  execute(tuple: Tuple, emit: Emit): void {
    emit([...tuple.values]);
  }
}

class Work extends Bolt {
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
    if (trouble === 'spin-in-prepare' && context.incarnation > 0 && context.incarnation <= times) spin();
    if (trouble === 'prepare' && context.incarnation > 0 && context.incarnation <= times) {
      throw new RangeError('the database is away');
    }
  }

  execute(tuple: Tuple): void | Promise<void> {
    const n = tuple.values[0] as number;
    if (n === at && this.context.incarnation < times) {
      const trap = this.misbehave();
      if (trap !== null) return trap;
    }
    return this.context.print(`value ${n}`);
  }

  private misbehave(): Promise<void> | null {
    const forEver = new Promise<void>(() => undefined);
    switch (trouble) {
      case 'spin':
        spin();
        return null;
      case 'spin-later':
        setTimeout(spin, 1);
        return forEver;
      case 'exit':
      case 'load':
      case 'prepare':
      case 'spin-in-prepare':
        process.exit(3);
        return null;
      case 'timer':
        setTimeout(() => {
          throw new RangeError('in a timer');
        }, 0);
        return forEver;
      case 'rejection':
        void Promise.reject(new RangeError('nobody caught me'));
        return forEver;
      case 'heap':
        for (;;) kept.push(Array.from({ length: 1000 }, () => ({ kept })));
        return null;
      case 'buffers':
        this.leakSlowly();
        return forEver;
      case 'buffers-at-once':
        for (;;) kept.push(Buffer.alloc(1_000_000, 1));
        return null;
      default:
        return null;
    }
  }

  private leakSlowly(): void {
    for (let n = 0; n < 10; n++) kept.push(Buffer.alloc(1_000_000, 1));
    setTimeout(() => this.leakSlowly(), 5);
  }
}

export default topology(
  'faulty',
  (t) => {
    const numbers = t.spout('numbers', Numbers);
    const pass = t.bolt('pass', Pass).shuffle(numbers);
    t.bolt('work', Work).shuffle(pass);
  },
  { workers: 2, placement: 'spread' },
);
