// Numbered records on two spout tasks, for tests that kill workers: each replays at once what fails, keeps its
// progress, and marks what it emits with when the tree before it failed. The last bolt says what it has handled, and
// acks when that is written. Messages are `spout task, number, incarnation of the spout, when its tree failed or 0`.

import {
  AckedOffsets,
  Bolt,
  Spout,
  topology,
  type BoltContext,
  type Emit,
  type NextTuple,
  type SpoutContext,
  type Tuple,
} from 'millrace';

/** Milliseconds since the epoch with fractions: the same in every thread. */
const now = (): number => performance.timeOrigin + performance.now();

const FIELDS = ['spout', 'n', 'incarnation', 'failedMs'] as const;
/** A spout keeps its progress at most this often. */
const KEEP_MS = 50;

class Records extends Spout {
  static readonly outputs = FIELDS;
  private readonly count: number;
  private readonly rate: number;
  private next = 0;
  private readonly again: { readonly n: number; readonly failedMs: number }[] = [];
  private offsets = new AckedOffsets();
  private readonly startedMs: number;
  private keptMs = 0;
  private context!: SpoutContext;

  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    this.count = Number(config['count']);
    this.rate = Number(config['rate']);
    this.startedMs = Number(config['startedMs']);
  }

  override open(context: SpoutContext): void {
    this.context = context;
    this.next = (context.restored(String(context.index)) as number | undefined) ?? 0;
    this.offsets = new AckedOffsets(this.next);
  }

  nextTuple(emit: Emit): NextTuple {
    const replay = this.again.pop();
    if (replay !== undefined) {
      this.emit(emit, replay.n, replay.failedMs);
      return undefined;
    }
    if (this.next >= this.count) return 'done';
    // What a death held up is caught up.
    if (this.next >= ((now() - this.startedMs) / 1000) * this.rate) return undefined;
    this.offsets.open(this.next);
    this.emit(emit, this.next++, 0);
    return undefined;
  }

  override ack(id: unknown): void {
    this.offsets.ack(id as number);
    if (now() - this.keptMs < KEEP_MS) return;
    this.keptMs = now();
    this.context.checkpoint(String(this.context.index), this.offsets.low);
  }

  override fail(id: unknown): void {
    this.again.push({ n: id as number, failedMs: now() });
  }

  private emit(emit: Emit, n: number, failedMs: number): void {
    const { index, incarnation } = this.context;
    emit([index, n, incarnation, failedMs], { id: n });
  }
}

class Pass extends Bolt {
  static readonly outputs = FIELDS;

  execute(tuple: Tuple, emit: Emit): void {
    emit([...tuple.values]);
  }
}

class Say extends Bolt {
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): Promise<void> {
    return this.context.print(tuple.values.join(' '));
  }
}

export default topology(
  'records',
  (t) => {
    const records = t.spout('records', Records, { parallelism: 2, config: { count: 1000, rate: 1000, startedMs: 0 } });
    const pass = t.bolt('pass', Pass, { parallelism: 3 }).shuffle(records);
    t.bolt('say', Say, { parallelism: 2, concurrency: 1024 }).fields(pass, 'n');
  },
  { workers: 3, maxSpoutPending: 2000, placement: 'spread' },
);
