// Records of eight partitions until a file says that it is enough; a bolt that owns keys and a sink that owns
// partitions. They may be in several processes, so what each does is written to files: a lock while a key is in use,
// and a line a record.
//
//   records ─ key ─► owner ─ partition ─► sink

import { appendFileSync, closeSync, existsSync, openSync, unlinkSync } from 'node:fs';
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
} from 'millrace';

const PARTITIONS = 8;
const KEYS = 5;

interface Partition {
  readonly name: string;
  readonly acked: AckedOffsets;
  readonly again: number[];
  next: number;
}

class Records extends Spout {
  static readonly outputs = ['partition', 'seq', 'key'] as const;
  private context!: SpoutContext;
  private directory = '';
  private readonly partitions: Partition[] = [];

  override open(context: SpoutContext): void {
    this.context = context;
    this.directory = context.config['directory'] as string;
    if (existsSync(join(this.directory, 'refuse')) && context.parallelism > 2) throw new RangeError('not now');
    for (let at = context.index; at < PARTITIONS; at += context.parallelism) {
      const next = (context.restored(`p${at}`) as number | undefined) ?? 0;
      this.partitions.push({ name: `p${at}`, acked: new AckedOffsets(next), again: [], next });
    }
  }

  nextTuple(emit: Emit): 'done' | undefined {
    const isEnough = existsSync(join(this.directory, 'enough'));
    const partition = this.partitions.find(({ again }) => again.length > 0) ?? (isEnough ? null : this.partitions[0]);
    if (partition === null || partition === undefined) return 'done';
    // Partitions take turns.
    this.partitions.push(...this.partitions.splice(0, this.partitions.indexOf(partition) + 1));
    const again = partition.again.shift();
    const seq = again ?? partition.next++;
    if (again === undefined) partition.acked.open(seq);
    emit([partition.name, seq, `k${seq % KEYS}`], { id: { partition, seq } });
    return undefined;
  }

  override ack(id: unknown): void {
    const { partition, seq } = id as { readonly partition: Partition; readonly seq: number };
    appendFileSync(join(this.directory, 'acked'), `${partition.name}/${seq}\n`);
    partition.acked.ack(seq);
    this.context.checkpoint(partition.name, partition.acked.low);
  }

  override fail(id: unknown): void {
    const { partition, seq } = id as { readonly partition: Partition; readonly seq: number };
    partition.again.push(seq);
  }
}

class Owner extends Bolt {
  static readonly outputs = ['partition', 'seq', 'key'] as const;
  private directory = '';

  override async prepare({ config }: BoltContext): Promise<void> {
    this.directory = config['directory'] as string;
    while (existsSync(join(this.directory, 'hold'))) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async execute(tuple: Tuple, emit: Emit): Promise<void> {
    const [partition, seq, key] = tuple.values as [string, number, string];
    const lock = join(this.directory, `${key}.lock`);
    // Throws while another call of any task has the key.
    closeSync(openSync(lock, 'wx'));
    await new Promise((resolve) => setImmediate(resolve));
    appendFileSync(join(this.directory, key), `${partition}/${seq}\n`);
    unlinkSync(lock);
    emit([partition, seq, key]);
  }
}

class Sink extends Bolt {
  private directory = '';

  override prepare({ config }: BoltContext): void {
    this.directory = config['directory'] as string;
  }

  execute({ values }: Tuple): void {
    appendFileSync(join(this.directory, 'sunk'), `${values[0] as string}/${values[1] as number}\n`);
  }
}

/** Where files are written is a setting of each component. */
const config = { directory: '' };

export default topology(
  'watched-keys',
  (t) => {
    const records = t.spout('records', Records, { config, parallelism: 2 });
    const owner = t.bolt('owner', Owner, { config, parallelism: 3 }).fields(records, 'key');
    t.bolt('sink', Sink, { config, parallelism: 2 }).fields(owner, 'partition');
  },
  { messageTimeout: '60s', keyGroups: 64, maxSpoutPending: 20 },
);
