// Random topologies that watch themselves while they are rebalanced: which task has which key, in which order what
// came, how often each record was seen. All of it runs in the test's own thread, so components write to what the test
// reads.
//
//   records of partitions ─► spouts (each partition by one task, progress kept) ─► layers of bolts ─► acked

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';
import type { Random } from '../../../engine/random.js';
import { PLACEMENTS, type Placement, type Topology } from '../../../engine/model/definition.js';

export const PARTITIONS = 8;
const KEYS = 5;

type Grouping = 'shuffle' | 'partition' | 'key' | 'global' | 'all';

interface Layer {
  readonly id: string;
  readonly parallelism: number;
  readonly from: string;
  readonly grouping: Grouping;
  /** How long a call takes: in the same call, or after so many rounds of the event loop. */
  readonly rounds: number;
  readonly concurrency: number;
  readonly commits: boolean;
}

export interface Plan {
  readonly spouts: number;
  readonly perPartition: number;
  readonly tracked: boolean;
  readonly placement: Placement;
  readonly layers: readonly Layer[];
}

/** @param isTracked - nothing may be lost, whatever dies */
export function randomPlan(random: Random, isTracked = false): Plan {
  const pick = <T>(all: readonly T[]): T => all[random.nextBelow(all.length)]!;
  const layers: Layer[] = [];
  const count = 1 + random.nextBelow(3);
  for (let at = 0; at < count; at++) {
    // What every task gets is counted apart: nothing takes from there.
    const sources = ['records', ...layers.filter(({ grouping }) => grouping !== 'all').map(({ id }) => id)];
    layers.push({
      id: `b${at}`,
      parallelism: 1 + random.nextBelow(4),
      from: pick(sources),
      grouping: pick(['shuffle', 'partition', 'key', 'key', 'global', 'all'] as const),
      rounds: pick([0, 0, 1, 3]),
      concurrency: pick([1, 1, 4]),
      commits: random.nextBelow(4) === 0,
    });
  }
  return {
    spouts: 1 + random.nextBelow(3),
    perPartition: 50 + random.nextBelow(250),
    tracked: isTracked || random.nextBelow(4) > 0,
    placement: pick(PLACEMENTS),
    layers,
  };
}

interface Seen {
  /** By sender and key: the last number. */
  readonly order: Map<string, number>;
  /** By key: the tasks that had it, one after the other. */
  readonly holders: Map<string, string[]>;
  /** By key: who has it now, and how many calls of it. */
  readonly active: Map<string, { readonly holder: string; calls: number }>;
  /** By record: how often. */
  readonly count: Map<string, number>;
}

/** What the components of one run tell. */
export class World {
  readonly plan: Plan;
  readonly problems: string[] = [];
  readonly acked = new Map<string, number>();
  readonly failed = new Map<string, number>();
  readonly seen = new Map<string, Seen>();
  readonly dead = new Set<object>();
  /** The next spout that is to be opened throws, and no other one. */
  refusesNext = false;
  refusals = 0;
  /** The spout tasks that were ever opened. */
  readonly opened = new Set<number>();
  /** Order and single owners are promised as long as no worker died. */
  strict = true;
  readonly topology: Topology;

  constructor(plan: Plan) {
    this.plan = plan;
    for (const { id } of plan.layers) {
      this.seen.set(id, { order: new Map(), holders: new Map(), active: new Map(), count: new Map() });
    }
    this.topology = this.build();
  }

  problem(what: string): void {
    if (this.problems.length < 20) this.problems.push(what);
  }

  private build(world: World = this): Topology {
    const { plan } = this;
    class Records extends WatchedSpout {
      static readonly outputs = ['partition', 'seq', 'key', 'number'] as const;

      constructor() {
        super(world);
      }
    }
    return topology(
      'watched',
      (t) => {
        const handles = new Map<string, ReturnType<typeof t.spout<typeof Records>>>();
        handles.set('records', t.spout('records', Records, { parallelism: plan.spouts }));
        for (const layer of plan.layers) {
          class Layered extends WatchedBolt {
            static readonly outputs = ['partition', 'seq', 'key', 'number'] as const;

            constructor() {
              super(world, layer);
            }
          }
          class Committing extends Layered {
            override endBatch(): Promise<void> | void {
              if (layer.rounds > 0) return rounds(layer.rounds);
              return undefined;
            }
          }
          const bolt = t.bolt(layer.id, layer.commits ? Committing : Layered, {
            parallelism: layer.parallelism,
            ...(layer.rounds > 0 ? { concurrency: layer.concurrency } : {}),
          });
          const from = handles.get(layer.from)!;
          if (layer.grouping === 'partition') bolt.fields(from, 'partition');
          else if (layer.grouping === 'key') bolt.fields(from, 'key');
          else bolt[layer.grouping](from);
          handles.set(layer.id, bolt);
        }
      },
      { keyGroups: 16, messageTimeout: '60s', tracking: plan.tracked, placement: plan.placement },
    );
  }
}

export async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve));
}

interface Partition {
  readonly name: string;
  next: number;
  low: number;
  readonly open: Set<number>;
  readonly again: number[];
}

/** Reads its share of the partitions, each from where it was left. */
class WatchedSpout extends Spout {
  private readonly world: World;
  private context!: SpoutContext;
  private readonly partitions: Partition[] = [];
  private number = 0;

  constructor(world: World) {
    super();
    this.world = world;
  }

  override open(context: SpoutContext): void {
    this.context = context;
    // One that begins anew where it was has to: to refuse that is a death of its worker, and no refusal of a change.
    const isNew = !this.world.opened.has(context.task);
    this.world.opened.add(context.task);
    if (this.world.refusesNext && isNew) {
      this.world.refusesNext = false;
      this.world.refusals++;
      throw new RangeError('not now');
    }
    // One that begins anew goes on with higher numbers.
    this.number = context.incarnation * 1_000_000;
    for (let at = context.index; at < PARTITIONS; at += context.parallelism) {
      const name = `p${at}`;
      const low = (context.restored(name) as number | undefined) ?? 0;
      this.partitions.push({ name, next: low, low, open: new Set(), again: [] });
    }
  }

  nextTuple(emit: Emit): void | 'done' {
    const { perPartition } = this.world.plan;
    const partition = this.partitions.find((each) => each.again.length > 0 || each.next < perPartition);
    if (partition === undefined) return 'done';
    // Partitions take turns.
    this.partitions.push(...this.partitions.splice(0, this.partitions.indexOf(partition) + 1));
    const again = partition.again.shift();
    const seq = again ?? partition.next++;
    partition.open.add(seq);
    const values = [partition.name, seq, `k${(seq * 7 + Number(partition.name.slice(1))) % KEYS}`, this.number++];
    (emit as (values: readonly unknown[], options: { id: unknown }) => void)(values, {
      id: { partition: partition.name, seq },
    });
    return undefined;
  }

  override ack(id: unknown): void {
    const { name, seq, partition } = this.find(id);
    const record = `${name}/${seq}`;
    this.world.acked.set(record, (this.world.acked.get(record) ?? 0) + 1);
    partition.open.delete(seq);
    let { low } = partition;
    while (low < partition.next && !partition.open.has(low) && !partition.again.includes(low)) low++;
    if (low === partition.low) return;
    partition.low = low;
    this.context.checkpoint(name, low);
  }

  override fail(id: unknown): void {
    const { name, seq, partition } = this.find(id);
    const record = `${name}/${seq}`;
    this.world.failed.set(record, (this.world.failed.get(record) ?? 0) + 1);
    partition.open.delete(seq);
    partition.again.push(seq);
  }

  private find(id: unknown): { readonly name: string; readonly seq: number; readonly partition: Partition } {
    const { partition: name, seq } = id as { partition: string; seq: number };
    return { name, seq, partition: this.partitions.find((each) => each.name === name)! };
  }
}

class WatchedBolt extends Bolt {
  private readonly world: World;
  private readonly layer: Layer;
  private context!: BoltContext;
  private number = 0;
  private closed = false;

  constructor(world: World, layer: Layer) {
    super();
    this.world = world;
    this.layer = layer;
  }

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit): Promise<void> | void {
    if (this.world.dead.has(this)) return undefined;
    const key = this.come(tuple);
    const pass = (): void => {
      const [partition, seq, word] = tuple.values;
      (emit as (values: readonly unknown[]) => void)([partition, seq, word, this.number++]);
      this.go(key);
    };
    if (this.layer.rounds === 0) {
      pass();
      return undefined;
    }
    return rounds(this.layer.rounds).then(pass);
  }

  override close(): void {
    this.closed = true;
  }

  private come(tuple: Tuple): string | null {
    const { world, layer, context } = this;
    const [partition, seq, word, number] = tuple.values as [string, number, string, number];
    const seen = world.seen.get(layer.id)!;
    const holder = `${context.task}#${context.incarnation}`;
    if (this.closed) world.problem(`${layer.id} ${holder} took a tuple after it was closed`);
    const record = `${partition}/${seq}`;
    seen.count.set(record, (seen.count.get(record) ?? 0) + 1);
    const key = layer.grouping === 'key' ? word : layer.grouping === 'partition' ? partition : null;
    if (!world.strict) return key;
    // Of one sender, what goes to one owner of a key comes in order, whichever task that is.
    const sender = `${tuple.task}>${key ?? holder}`;
    const last = seen.order.get(sender) ?? -1;
    if (number <= last) world.problem(`${layer.id}: ${sender} got ${number} after ${last}`);
    seen.order.set(sender, number);
    if (key === null) return null;
    const holders = seen.holders.get(key) ?? [];
    seen.holders.set(key, holders);
    if (holders.at(-1) !== holder) holders.push(holder);
    const active = seen.active.get(key);
    if (active === undefined || active.calls === 0) {
      seen.active.set(key, { holder, calls: 1 });
    } else {
      if (active.holder !== holder) world.problem(`${layer.id}: key ${key} in ${active.holder} and ${holder}`);
      active.calls++;
    }
    return key;
  }

  private go(key: string | null): void {
    if (!this.world.strict || key === null) return;
    const active = this.world.seen.get(this.layer.id)!.active.get(key);
    if (active !== undefined) active.calls--;
  }
}
