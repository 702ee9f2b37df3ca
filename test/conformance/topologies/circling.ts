// Numbers that go round a cycle of two bolts by key until they are 0. Each call has its key for itself, in whatever
// worker: it locks a file while it is under way, and throws when another call has it. The last number waits for a file
// `go`, and the end for a file `end`.
//
//   numbers ─ key ─► first ─ key ─► second ─ done ─► out
//                      ▲   feedback   │
//                      └──────────────┘

import { closeSync, existsSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  AckedOffsets,
  Bolt,
  Spout,
  topology,
  type BoltContext,
  type Emit,
  type SpoutContext,
  type Tuple,
  type Values,
} from 'millrace';

const COUNT = 120;
const ROUNDS = 6;
const KEYS = 7;

type Row = [id: number, key: string, left: number];

/** Goes on from its progress where it is moved to. */
class Numbers extends Spout {
  static readonly outputs = ['id', 'key', 'left'] as const;
  private context!: SpoutContext;
  private acked = new AckedOffsets(0);
  private next = 0;

  override open(context: SpoutContext): void {
    this.context = context;
    this.next = (context.restored('all') as number | undefined) ?? 0;
    this.acked = new AckedOffsets(this.next);
  }

  nextTuple(emit: Emit<Row>): 'done' | undefined {
    if (this.next === COUNT) return 'done';
    const isLast = this.next === COUNT - 1;
    if (isLast && !existsSync(join(this.context.config['directory'] as string, 'go'))) return undefined;
    const id = this.next++;
    this.acked.open(id);
    emit([id, `k${id % KEYS}`, ROUNDS], { id });
    return undefined;
  }

  override ack(id: unknown): void {
    this.acked.ack(id as number);
    this.context.checkpoint('all', this.acked.low);
  }
}

/** Some turns of the event loop with a key of its own. */
abstract class Locking extends Bolt {
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  protected async alone(key: string): Promise<void> {
    const { component, config } = this.context;
    const lock = join(config['directory'] as string, `${component}-${key}`);
    closeSync(openSync(lock, 'wx'));
    await new Promise((resolve) => setImmediate(resolve));
    unlinkSync(lock);
  }
}

class First extends Locking {
  static readonly outputs = ['id', 'key', 'left'] as const;

  async execute(tuple: Tuple<Row>, emit: Emit<Row>): Promise<void> {
    await this.alone(tuple.values[1]);
    emit(tuple.values);
  }
}

/** The key changes with each round, so that numbers wander between tasks. */
class Second extends Locking {
  static readonly outputs = { back: ['id', 'key', 'left'], done: ['id'] } as const;

  async execute(tuple: Tuple<Row>, emit: Emit<Values, { back: Row; done: [id: number] }>): Promise<void> {
    const [id, key, left] = tuple.values;
    await this.alone(key);
    if (left > 1) emit([id, `k${(id + left) % KEYS}`, left - 1], { stream: 'back' });
    else emit([id], { stream: 'done' });
  }
}

class Out extends Bolt {
  execute(): void {
    return undefined;
  }
}

/** Keeps the topology from its end until there is a file `end`. */
class Keeper extends Spout {
  static readonly outputs = ['nothing'] as const;
  private file = '';

  override open(context: SpoutContext): void {
    this.file = join(context.config['directory'] as string, 'end');
  }

  nextTuple(): 'done' | undefined {
    return existsSync(this.file) ? 'done' : undefined;
  }
}

const config = { directory: '' };

export default topology(
  'circling',
  (t) => {
    const source = t.spout('numbers', Numbers, { config });
    const first = t.bolt('first', First, { config, parallelism: 2 }).fields(source, 'key');
    const second = t.bolt('second', Second, { config, parallelism: 2 }).fields(first, 'key');
    first.fields(second.stream('back').feedback(), 'key');
    t.bolt('out', Out).global(second.stream('done'));
    t.spout('keeper', Keeper, { config });
  },
  { messageTimeout: '60s', keyGroups: 64, maxSpoutPending: 25 },
);
