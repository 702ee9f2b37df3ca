// A cluster in one process on virtual time: hosts over one store in memory, with runners that do what the test says.

import { VirtualClock } from '../../engine/clock.js';
import type { Logger } from '../../engine/log.js';
import type { ComponentDescription, TopologyDescription } from '../../engine/model/describe.js';
import { Random } from '../../engine/random.js';
import { ClusterHost, type ClusterHostOptions } from '../../coordination/host/cluster-host.js';
import type {
  JoinOrder,
  Membership,
  RebalanceOrder,
  RunEnd,
  RunListener,
  RunningTopology,
  RunOrder,
  TopologyRunner,
} from '../../coordination/host/runner.js';
import type { Store } from '../../coordination/store/contract.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import type { NewTopology } from '../../coordination/topologies.js';
import type { Checkpoint, WorkerPlace } from '../../coordination/topology-records.js';
import { defaultConfig } from '../../engine/model/config.js';

/** One run of a topology, as its host sees it; ends when the test says so, or as `kill` does. */
export class FakeRun implements RunningTopology {
  readonly order: RunOrder;
  readonly listener: RunListener;
  readonly ended: Promise<RunEnd>;
  /** What it was told, in order. */
  readonly told: string[] = [];
  /** A bolt still holds a tuple: kill waits for all of its time. */
  holds = false;
  over = false;
  private readonly clock: VirtualClock;
  private resolve: (end: RunEnd) => void = () => undefined;

  constructor(order: RunOrder, listener: RunListener, clock: VirtualClock) {
    this.order = order;
    this.listener = listener;
    this.clock = clock;
    this.ended = new Promise((resolve) => (this.resolve = resolve));
  }

  activate(): void {
    this.told.push('activate');
  }

  deactivate(): void {
    this.told.push('deactivate');
  }

  rebalance({ workers, parallelism, change }: RebalanceOrder): void {
    this.told.push(`rebalance ${change} ${workers} ${JSON.stringify(parallelism)}`);
  }

  place(places: readonly WorkerPlace[]): void {
    this.told.push(`place ${places.map(({ host, slot }) => `${host}/${slot}`).join(' ')}`);
  }

  open(checkpoints: readonly Checkpoint[]): void {
    this.told.push(`open ${checkpoints.length}`);
  }

  standAside(): void {
    this.told.push('standAside');
  }

  comeBack(): void {
    this.told.push('comeBack');
  }

  kill({ waitMs }: { readonly waitMs: number }): void {
    this.told.push(`kill ${waitMs}`);
    const killed = { status: 'killed', error: null, final: { counts: 7 } } as const;
    if (this.holds && waitMs > 0) this.clock.after(waitMs, () => this.end(killed));
    else this.end(killed);
  }

  end(end: RunEnd): void {
    this.over = true;
    this.resolve(end);
  }
}

/** Part of a topology that another host leads. */
export class FakeMembership implements Membership {
  readonly order: JoinOrder;
  over = false;
  workers = 0;

  constructor(order: JoinOrder) {
    this.order = order;
  }

  async end(): Promise<void> {
    this.over = true;
    await Promise.resolve();
  }
}

export class FakeRunner implements TopologyRunner {
  readonly runs: FakeRun[] = [];
  readonly memberships: FakeMembership[] = [];
  /** Thrown by the next start. */
  failure: Error | null = null;
  private readonly clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  start(order: RunOrder, listener: RunListener): RunningTopology {
    if (this.failure !== null) throw this.failure;
    const run = new FakeRun(order, listener, this.clock);
    this.runs.push(run);
    return run;
  }

  join(order: JoinOrder): Membership {
    const membership = new FakeMembership(order);
    this.memberships.push(membership);
    return membership;
  }

  /** The last run of that name. */
  run(name: string): FakeRun {
    const run = this.runs.findLast(({ order }) => order.name === name);
    if (run === undefined) throw new Error(`"${name}" does not run`);
    return run;
  }

  /** Names of what runs now, in the order of their start. */
  get running(): readonly string[] {
    return this.runs.filter(({ over }) => !over).map(({ order }) => order.name);
  }
}

export interface Member {
  readonly host: ClusterHost;
  readonly runner: FakeRunner;
}

export class Cluster {
  readonly clock = new VirtualClock(1000);
  readonly logged: string[] = [];
  readonly store: EmbeddedStore;
  private static seed = 1;

  private constructor(store: EmbeddedStore) {
    this.store = store;
  }

  static async open(directory: string | null = null): Promise<Cluster> {
    return new Cluster(await EmbeddedStore.open({ directory }));
  }

  readonly logger: Logger = {
    debug: () => undefined,
    info: (line) => void this.logged.push(`info ${line}`),
    warn: (line) => void this.logged.push(`warn ${line}`),
    error: (line) => void this.logged.push(`error ${line}`),
  };

  async host(
    name: string,
    slots: number,
    store: Store = this.store,
    more: Partial<ClusterHostOptions> = {},
  ): Promise<Member> {
    const { clock, logger } = this;
    const runner = new FakeRunner(clock);
    const random = new Random(Cluster.seed++);
    const options = { store, host: name, slots, runner, clock, logger, random, wallMs: () => 1e12 + clock.now() };
    const host = new ClusterHost({ ...options, ...more });
    await host.start();
    await settle();
    return { host, runner };
  }

  /** Moves time on, and lets what is due happen. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await settle();
    while (this.clock.step(untilMs)) await settle();
    await settle();
  }
}

/** Lets everything happen that waits for no time. With a store on disk, give what is waited for. */
export async function settle(until?: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5 || until?.() === false; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function described(name: string, parallelism = 1): TopologyDescription {
  const component: ComponentDescription = { kind: 'spout', id: 'lines', parallelism, outputs: {}, config: {} };
  const config = { ...defaultConfig, workers: 1, messageTimeoutMs: 30_000, keyGroups: 1024 };
  return { name, version: null, config, components: [component] };
}

export function topology(name: string, options: Partial<NewTopology> = {}): NewTopology {
  return {
    source: { kind: 'document', document: { name } },
    posted: true,
    settings: {},
    description: described(name),
    workers: 1,
    artifacts: [],
    active: true,
    submittedAtMs: 5,
    ...options,
  };
}
