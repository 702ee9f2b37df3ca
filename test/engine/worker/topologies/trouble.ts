// A spout that numbers tuples and replays what fails, and a bolt that gets into the trouble that the query of the
// module's address names: one of its tasks, in its first incarnation, or all of them `always`.

import { isMainThread } from 'node:worker_threads';
import { Bolt, topology, Spout, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';

const query = new URL(import.meta.url).searchParams;
const trouble = query.get('trouble');
const tuples = Number(query.get('tuples') ?? 200);
/** The task of the bolt that gets into trouble. */
const troubledIndex = Number(query.get('index') ?? 1);
const always = query.has('always');

if (trouble === 'import' && !isMainThread) throw new RangeError('not in this thread');

class Numbers extends Spout {
  static readonly outputs = ['n'] as const;
  private next = 0;
  private readonly again: number[] = [];
  private context!: SpoutContext;

  override open(context: SpoutContext): void {
    this.context = context;
    if (trouble === 'open') throw new RangeError('no such place');
  }

  nextTuple(emit: Emit): 'done' | undefined {
    const replay = this.again.pop();
    if (replay !== undefined) void this.context.print(`replays ${replay}`);
    const n = replay ?? (this.next < tuples ? this.next++ : undefined);
    if (n === undefined) return 'done';
    emit([n], { id: n });
    return undefined;
  }

  override fail(n: unknown): void {
    this.again.push(n as number);
  }
}

class Work extends Bolt {
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  override activate(): void {
    if (trouble === 'activate') throw new RangeError('not now');
  }

  execute(tuple: Tuple): void | Promise<void> {
    const n = tuple.values[0] as number;
    const { index, incarnation } = this.context;
    if (n >= tuples / 2 && (always || (index === troubledIndex && incarnation === 0))) {
      const trap = this.troubled(n);
      if (trap !== null) return trap;
    }
    // Acked when it is written: what was acked was seen.
    return this.context.print(`value ${n}`);
  }

  private troubled(n: number): Promise<void> | null {
    const forEver = new Promise<void>(() => undefined);
    switch (trouble) {
      case 'hang':
        void this.context.print(`hangs at ${n}`);
        return forEver;
      case 'exit':
        process.exit(0);
        return forEver;
      case 'timer':
        setTimeout(() => {
          throw new RangeError('in a timer');
        }, 0);
        return forEver;
      case 'rejection':
        void Promise.reject(new RangeError('nobody caught me'));
        return forEver;
      case 'throw':
        if (n % 2 === 0) throw Object.create(null);
        return null;
      default:
        return null;
    }
  }
}

const defined = topology(
  'trouble',
  (t) => {
    const numbers = t.spout('numbers', Numbers);
    const parallelism = trouble === 'definition' && !isMainThread ? 3 : 2;
    t.bolt('work', Work, { parallelism }).fields(numbers, 'n');
  },
  { workers: 2 },
);

export default trouble === 'export' && !isMainThread ? 'a text' : defined;
