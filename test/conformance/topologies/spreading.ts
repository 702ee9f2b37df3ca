// Records of eight partitions, each read by one task and in order, paced by time; a bolt that takes a while and owns
// keys; a sink that owns partitions. What is emitted carries where it comes from.

import { AckedOffsets, Bolt, Spout, topology, type Emit, type SpoutContext, type Tuple } from 'millrace';

const PARTITIONS = 8;
/** With so many tasks the spout cannot be opened … */
const REFUSING_SPOUTS = 4;
/** … and with so many it never is. */
const HANGING_SPOUTS = 5;
/** Records of each partition in a tick of five milliseconds. */
const PER_TICK = 2;

interface Partition {
  readonly name: string;
  readonly acked: AckedOffsets;
  readonly again: number[];
  next: number;
}

class Records extends Spout {
  static readonly outputs = ['partition', 'seq', 'key'] as const;
  private context!: SpoutContext;
  private readonly partitions: Partition[] = [];
  private count = 0;

  override async open(context: SpoutContext): Promise<void> {
    this.context = context;
    if (context.parallelism === REFUSING_SPOUTS && context.index === 1) throw new RangeError('no room for four');
    if (context.parallelism === HANGING_SPOUTS && context.index === 1) await new Promise(() => undefined);
    this.count = context.config['count'] as number;
    for (let at = context.index; at < PARTITIONS; at += context.parallelism) {
      const next = (context.restored(`p${at}`) as number | undefined) ?? 0;
      this.partitions.push({ name: `p${at}`, acked: new AckedOffsets(next), again: [], next });
    }
  }

  nextTuple(emit: Emit): 'done' | undefined {
    const due = Math.floor(this.context.now() / 5) * PER_TICK;
    const until = Math.min(this.count, due);
    const partition = this.partitions.find(({ next, again }) => again.length > 0 || next < until);
    if (partition === undefined) return until === this.count ? 'done' : undefined;
    const again = partition.again.shift();
    const seq = again ?? partition.next++;
    if (again === undefined) partition.acked.open(seq);
    const { name } = partition;
    emit([name, seq, `k${seq % 5}`], { id: `${name}/${seq}` });
    return undefined;
  }

  override ack(id: unknown): void {
    const { partition, seq } = this.find(id);
    partition.acked.ack(seq);
    this.context.checkpoint(partition.name, partition.acked.low);
  }

  override fail(id: unknown): void {
    const { partition, seq } = this.find(id);
    partition.again.push(seq);
  }

  private find(id: unknown): { readonly partition: Partition; readonly seq: number } {
    const [name, seq] = (id as string).split('/');
    return { partition: this.partitions.find((each) => each.name === name)!, seq: Number(seq) };
  }
}

/** Passes a record on after some turns of the event loop: some calls are always under way. */
class Owner extends Bolt {
  static readonly outputs = ['partition', 'seq', 'key'] as const;
  static readonly options = { concurrency: 4 } as const;
  private owned = 0;

  async execute(tuple: Tuple, emit: Emit): Promise<void> {
    this.owned++;
    for (let turn = 0; turn < this.owned % 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    emit(tuple.values);
  }
}

class Refusing extends Bolt {
  override prepare({ index }: { readonly index: number }): Promise<void> | undefined {
    if (index === 2) throw new RangeError('no third one');
    if (index > 2) return new Promise(() => undefined);
    return undefined;
  }

  execute(): void {
    return undefined;
  }
}

class Sink extends Bolt {
  execute(): void {
    return undefined;
  }
}

export default topology(
  'spreading',
  (t) => {
    const records = t.spout('records', Records, { config: { count: 120 }, parallelism: 2 });
    const owner = t.bolt('owner', Owner, { parallelism: 2 }).fields(records, 'key');
    t.bolt('sink', Sink, { parallelism: 2 }).fields(owner, 'partition');
    t.bolt('refusing', Refusing).shuffle(records);
  },
  { messageTimeout: '30s', keyGroups: 64 },
);
