// A spout of a few numbers that replays what fails every second, and a bolt whose instances do not work, each in the
// way that a setting says, before the incarnation `healsAt`. Which of both does not work is said by its own setting.

import { AckedOffsets, Bolt, Replay, Spout, topology } from 'millrace';
import type { BoltContext, Emit, NextTuple, SpoutContext, Tuple } from 'millrace';

type Settings = Readonly<Record<string, unknown>>;

export class Numbers extends Spout {
  static readonly outputs = ['n'] as const;
  private readonly count: number;
  private readonly healsAt: number;
  private next = 0;
  private offsets = new AckedOffsets();
  private replay = new Replay<number>(() => 0);
  private context!: SpoutContext;

  constructor(settings: Settings) {
    super();
    this.count = Number(settings['count']);
    this.healsAt = Number(settings['healsAt']);
  }

  override open(context: SpoutContext): void {
    this.context = context;
    this.next = Number(context.restored('all') ?? 0);
    this.offsets = new AckedOffsets(this.next);
    this.replay = new Replay<number>(() => context.now(), { waitMinMs: 1000, waitMaxMs: 1000 });
  }

  nextTuple(emit: Emit): NextTuple {
    const again = this.replay.next();
    if (again !== undefined) {
      emit([again], { id: again });
      return undefined;
    }
    if (this.context.incarnation < this.healsAt && this.next === this.count / 2) throw new RangeError('no source');
    if (this.next === this.count) return this.replay.waiting === 0 ? 'done' : undefined;
    this.offsets.open(this.next);
    emit([this.next], { id: this.next++ });
    return undefined;
  }

  override ack(id: unknown): void {
    this.replay.ack(id as number);
    this.offsets.ack(id as number);
    this.context.checkpoint('all', this.offsets.low);
  }

  override fail(id: unknown): void {
    this.replay.fail(id as number);
  }
}

/** Each number in a turn of its own. */
export class OneByOne extends Numbers {
  private rests = false;

  override nextTuple(emit: Emit): NextTuple {
    this.rests = !this.rests;
    return this.rests ? super.nextTuple(emit) : undefined;
  }
}

export class Work extends Bolt {
  private readonly healsAt: number;
  private readonly how: unknown;
  private context!: BoltContext;
  private held: Tuple | null = null;
  private seen = 0;

  constructor(settings: Settings) {
    super();
    this.healsAt = Number(settings['healsAt']);
    this.how = settings['how'];
  }

  override async prepare(context: BoltContext): Promise<void> {
    this.context = context;
    await Promise.resolve();
    if (this.how === 'prepare' && context.incarnation > 0 && this.isBroken) throw new RangeError('cannot begin');
  }

  private get isBroken(): boolean {
    return this.context.incarnation < this.healsAt;
  }

  execute(tuple: Tuple): void | Promise<void> {
    const n = tuple.values[0] as number;
    if (!this.isBroken) {
      if (this.how !== 'returns') this.context.ack(tuple);
      return undefined;
    }
    if (this.how === 'async') return Promise.resolve().then(() => this.fault());
    if (this.how === 'hang' && n === 0) return new Promise(() => undefined);
    if (this.how === 'holding' && this.held === null) {
      this.held = tuple;
      return undefined;
    }
    if (this.how === 'now and then' && this.seen++ % 50 === 0) {
      this.context.ack(tuple);
      return undefined;
    }
    this.fault();
    return undefined;
  }

  private fault(): never {
    throw new RangeError('no target');
  }
}

export default topology('broken', (t) => {
  const numbers = t.spout('numbers', Numbers, { config: { count: 20, healsAt: 0 } });
  t.bolt('work', Work, { manualAck: true, concurrency: 4, config: { healsAt: 0, how: 'sync' } }).shuffle(numbers);
});
