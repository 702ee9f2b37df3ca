// Runs a topology under test: the production engine on virtual time, in the calling thread or in real threads, with
// every component watched. Nothing in here is a second engine: workers, links, acks and supervision are those of
// production.
//
//   const kit = await TestRun.start(topology, { fed: ['lines'] });
//   kit.feed('lines', ['call me ishmael'], { id: 1 });
//   await kit.settle();
//   kit.emitted('split');           // [['call'], ['me'], ['ishmael']]
//   kit.acked('lines');             // [1]
//   await kit.close();

import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { VirtualClock } from '../clock.js';
import type { Values } from '../component/tuple.js';
import { runtimeLimits, type RuntimeLimits } from '../limits.js';
import { silentLogger, type Logger } from '../log.js';
import type { TopologyMetrics } from '../metrics/snapshot.js';
import { describe } from '../model/describe.js';
import type { Topology } from '../model/definition.js';
import { readDurationMs, type Duration } from '../model/duration.js';
import { checkParameters, type ParameterValues } from '../model/parameters.js';
import { applySettings } from '../model/settings.js';
import type { PlanChange } from '../plan/replan.js';
import type { Checkpoint, Instrument } from '../worker/messages.js';
import { loadTopology, type TopologySource } from '../worker/module.js';
import { ThreadPool } from '../worker/pool.js';
import { TopologyRun, type KillOptions, type Outcome, type TopologyStatus } from '../worker/topology-run.js';
import { InThreadPool } from './in-thread-pool.js';
import type { FromInstrument, InstrumentSetup, LifeCall, TestEvent, ToInstrument } from './messages.js';

export interface TestOptions {
  /** Workers to spread the tasks over. Default: what the topology's config says. */
  readonly workers?: number;
  /** Real threads; needs a topology given by its module. Default false: all workers in the calling thread. */
  readonly threads?: boolean;
  /**
   * What leads from one worker to another within the calling thread: TCP is what leads to other hosts. Default `ports`.
   */
  readonly links?: 'ports' | 'tcp';
  /** Spouts whose tuples come from `feed`. Default: none, spouts run as they are. */
  readonly fed?: readonly string[];
  /** Freeze values and send each tuple through the codec, wherever it goes. Default true. */
  readonly strict?: boolean;
  /** Repeats a run. Default 1. */
  readonly seed?: number;
  /** Bounds that differ from those of production, to reach them sooner. */
  readonly limits?: Partial<RuntimeLimits>;
  /** Settings as `--set` gives them; `placement: 'spread'` has as much as can be cross between workers. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What components see as `context.parameters` at first. Default: none. */
  readonly parameters?: ParameterValues;
  /** Virtual time; false lets the machine's clock run. Default true. */
  readonly virtualTime?: boolean;
  /** Record what components do. Default true; runs of millions of tuples do without. */
  readonly record?: boolean;
  readonly logger?: Logger;
  /** @internal Spouts are made by `openSpouts`. */
  readonly standby?: boolean;
  /** @internal The progress that spouts go on from. */
  readonly checkpoints?: readonly Checkpoint[];
  /** @internal Told the progress that is to be kept. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  /** @internal Incarnations count from here. */
  readonly firstIncarnation?: number;
}

/** A settled worker stays idle for this many looks in a row: promises of components get their time in between. */
const IDLE_ROUNDS = 3;

export class TestRun {
  /** Lines that components printed. */
  readonly printed: string[] = [];
  /** All that happened, in the order in which the test heard of it. */
  readonly events: TestEvent[] = [];
  readonly completed: Promise<Outcome>;
  /** @internal What runs. */
  readonly run: TopologyRun;
  private readonly options: TestOptions;
  private readonly ports = new Map<number, MessagePort>();
  private readonly synced = new Map<string, () => void>();
  private readonly endedFeeds = new Set<string>();
  /** The supervisor's time, which goes ahead of the workers'. */
  private readonly clock = new VirtualClock();
  private nowMs = 0;
  private round = 0;
  private over = false;

  private constructor(topology: Topology, source: TopologySource, options: TestOptions) {
    this.options = options;
    const workers = options.workers ?? topology.config.workers;
    const threads = options.threads ?? false;
    this.run = new TopologyRun({
      source,
      description: describe(topology),
      workers,
      logger: options.logger ?? silentLogger,
      print: (line) => Promise.resolve(void this.printed.push(line)),
      pool: threads
        ? new ThreadPool({ threads: workers })
        : new InThreadPool(source.kind === 'module' ? null : topology, options.links ?? 'ports'),
      limits: { ...runtimeLimits, ...options.limits },
      seed: options.seed ?? 1,
      strict: options.strict ?? true,
      replaceAtOnce: true,
      parameters: checkParameters(options.parameters ?? {}, `topology "${topology.name}"`),
      standby: options.standby ?? false,
      checkpoints: options.checkpoints ?? [],
      onCheckpoint: options.onCheckpoint ?? (() => undefined),
      firstIncarnation: options.firstIncarnation ?? 0,
      ...((options.virtualTime ?? true) ? { virtualTimeMs: () => this.nowMs, clock: this.clock } : {}),
      instrument: (worker) => this.instrument(worker),
    });
    this.completed = this.run.completed.then((outcome) => {
      this.over = true;
      for (const [worker, port] of this.ports) this.closePort(worker, port);
      for (const resolve of this.synced.values()) resolve();
      return outcome;
    });
  }

  /**
   * Starts a topology: an object made by `topology()`, or the URL of a module that exports one (which real threads
   * need).
   *
   * @throws whatever keeps it from starting
   */
  static async start(topology: Topology | URL, options: TestOptions = {}): Promise<TestRun> {
    const settings = options.settings ?? {};
    const source: TopologySource =
      topology instanceof URL
        ? { kind: 'module', url: topology.href, settings }
        : { kind: 'document', document: null, settings };
    if (!(topology instanceof URL) && options.threads === true) {
      throw new TypeError('a topology object cannot enter a thread: give the URL of its module');
    }
    const loaded = topology instanceof URL ? await loadTopology(source) : applySettings(topology, settings);
    const test = new TestRun(loaded, source, options);
    await test.run.start();
    return test;
  }

  /**
   * Has a fed spout emit one tuple. With an id its tree is tracked.
   *
   * @throws TypeError when that spout is not fed, or was told that nothing more comes
   */
  feed(
    spout: string,
    values: Values,
    options: { readonly id?: unknown; readonly stream?: string; readonly index?: number } = {},
  ): void {
    this.checkFed(spout);
    const { id, stream = 'default', index = 0 } = options;
    this.tell({ type: 'feed', component: spout, index, stream, values, id });
  }

  /** A fed spout has no more to come; one that is started again is told so too. */
  endFeed(spout: string): void {
    this.checkFed(spout);
    this.endedFeeds.add(spout);
    this.tell({ type: 'endFeed', component: spout });
  }

  /** The n-th tuple from now on, counted from 1 in each worker, throws in that bolt. */
  failAt(bolt: string, at: number): void {
    this.tell({ type: 'strike', component: bolt, at, how: 'fail' });
  }

  /** The n-th tuple from now on, counted from 1 in each worker, kills the worker that executes it. */
  killAt(bolt: string, at: number): void {
    this.tell({ type: 'strike', component: bolt, at, how: 'kill' });
  }

  /** Kills a worker. */
  async crash(worker: number): Promise<void> {
    await this.run.crashWorker(worker);
  }

  /** Waits until no worker has anything left to do at this moment of virtual time. */
  async settle(): Promise<void> {
    let quiet = 0;
    let last = '';
    while (quiet < IDLE_ROUNDS && !this.over) {
      const now = await this.look();
      quiet = now.idle && now.frames === last ? quiet + 1 : 0;
      last = now.frames;
    }
  }

  /** Moves virtual time on, stopping at each timer on the way: `'30s'` or milliseconds. */
  async advance(by: Duration): Promise<void> {
    const byMs = readDurationMs(by);
    if (byMs === null) throw new TypeError(`"${by}" is not a duration: write "30s" or milliseconds`);
    const targetMs = this.nowMs + byMs;
    for (;;) {
      await this.settle();
      if (this.over) return;
      const { nextDueMs } = await this.look();
      if (this.over) return;
      this.nowMs = Math.min(targetMs, Math.max(this.nowMs, nextDueMs ?? targetMs));
      while (this.clock.step(this.nowMs));
      this.run.advance(this.nowMs);
      if (this.nowMs >= targetMs && (nextDueMs ?? Infinity) > targetMs) break;
    }
    await this.settle();
  }

  /** The values that a component emitted on a stream, in order. */
  emitted(component: string, stream = 'default'): Values[] {
    return this.of('emitted', component)
      .filter((event) => event.stream === stream)
      .map((event) => event.values);
  }

  /** The values that a bolt executed, in order; of one task only when it is named. */
  executed(component: string, task?: number): Values[] {
    return this.of('executed', component)
      .filter((event) => task === undefined || event.task === task)
      .map((event) => event.values);
  }

  /** The ids that a spout's `ack` was given, in order. */
  acked(spout: string): unknown[] {
    return this.of('acked', spout).map((event) => event.id);
  }

  /** The ids that a spout's `fail` was given, in order. */
  failed(spout: string): unknown[] {
    return this.of('failed', spout).map((event) => event.id);
  }

  /** The calls of a component's life, in order, over all its tasks. */
  life(component: string): LifeCall[] {
    return this.of('life', component).map((event) => event.call);
  }

  /** All events of one type of a component, with task, worker and incarnation. */
  of<T extends TestEvent['type']>(type: T, component: string): Extract<TestEvent, { readonly type: T }>[] {
    return this.events.filter(
      (event): event is Extract<TestEvent, { readonly type: T }> =>
        event.type === type && event.component === component,
    );
  }

  status(): TopologyStatus {
    return this.run.status();
  }

  /** All that is measured, by component and task. */
  metrics(): TopologyMetrics {
    return this.run.metrics();
  }

  /** How many turns each worker has had so far: they stand still while nothing is to be done. */
  turns(): readonly number[] {
    return this.run.turns;
  }

  /**
   * Spreads it over other workers, and gives components another number of tasks; resolves when that is carried out,
   * which may take `advance`.
   */
  async rebalance(change: PlanChange): Promise<void> {
    await this.run.rebalance(change);
  }

  /**
   * Has components see other parameters; `settle` waits until all have been told.
   *
   * @throws MILLRACE_PARAMETERS_INVALID
   */
  setParameters(parameters: ParameterValues): void {
    this.run.parameters.set(checkParameters(parameters, 'the topology under test'));
  }

  /** Spouts stop; what is under way is handled; the topology ends. */
  drain(): void {
    this.run.drain();
  }

  /** Spouts are asked no more; resolves when their `deactivate` has returned. */
  async deactivate(): Promise<void> {
    await this.run.deactivate();
    await this.hearAll();
  }

  /** Spouts are asked again; resolves when their `activate` has returned. */
  async activate(): Promise<void> {
    await this.run.activate();
    await this.hearAll();
  }

  /** What workers said of their components comes by another way than what the run hears of them. */
  private async hearAll(): Promise<void> {
    if (!this.over) await this.sync(this.round++);
  }

  /**
   * Has a spout of type `ingest` emit one record; settles when its tree is done, which may take `settle` or `advance`.
   */
  async ingest(spout: string, record: unknown, signal?: AbortSignal): Promise<void> {
    await this.run.ingest(spout, record, signal);
  }

  /** Ends the topology, after the wait that is given in virtual time; resolves when it is over. */
  async kill(options: KillOptions = {}): Promise<void> {
    await this.run.kill(options);
  }

  /** Ends the topology, if it has not ended, and gives how it ended. */
  async close(): Promise<Outcome> {
    await this.run.kill();
    return this.completed;
  }

  private checkFed(spout: string): void {
    const { fed = [] } = this.options;
    if (!fed.includes(spout)) throw new TypeError(`"${spout}" is not fed: name it in the option "fed"`);
    if (this.endedFeeds.has(spout)) throw new TypeError(`"${spout}" was told that nothing more comes`);
  }

  private tell(message: ToInstrument): void {
    for (const port of this.ports.values()) port.postMessage(message);
  }

  private instrument(worker: number): Instrument {
    const { port1, port2 } = new MessageChannel();
    const before = this.ports.get(worker);
    if (before !== undefined) this.closePort(worker, before);
    this.ports.set(worker, port1);
    const setup: InstrumentSetup = {
      worker,
      fed: this.options.fed ?? [],
      record: this.options.record ?? true,
    };
    port1.postMessage(setup);
    for (const component of this.endedFeeds) port1.postMessage({ type: 'endFeed', component } satisfies ToInstrument);
    port1.on('message', (message: FromInstrument) => this.onMessage(worker, message));
    port1.on('close', () => {
      if (this.ports.get(worker) === port1) this.ports.delete(worker);
      this.forgetSyncs(worker);
    });
    return { url: new URL('./instrument.js', import.meta.url).href, port: port2 };
  }

  private onMessage(worker: number, message: FromInstrument): void {
    if (message.type !== 'synced') this.events.push(message);
    else this.synced.get(`${worker}:${message.round}`)?.();
  }

  /** What a worker told before it ended has come, but may not have been heard yet. */
  private closePort(worker: number, port: MessagePort): void {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      this.onMessage(worker, next.message as FromInstrument);
    }
    port.close();
    this.forgetSyncs(worker);
  }

  /** Nobody is left to answer. */
  private forgetSyncs(worker: number): void {
    for (const [key, resolve] of this.synced) if (key.startsWith(`${worker}:`)) resolve();
  }

  /** One look at all workers: what was sent to and from their instruments before is through. */
  private async look(): Promise<{
    readonly idle: boolean;
    readonly frames: string;
    readonly nextDueMs: number | null;
  }> {
    const round = this.round++;
    await this.sync(round);
    const answers = await this.run.probe(round);
    await new Promise((resolve) => setImmediate(resolve));
    const sent = answers.reduce((sum, answer) => sum + answer.sentFrames, 0);
    const received = answers.reduce((sum, answer) => sum + answer.receivedFrames, 0);
    const due = answers.flatMap((answer) => (answer.nextDueMs === null ? [] : [answer.nextDueMs]));
    return {
      idle: !this.run.changing && answers.every((answer) => answer.idle) && (sent === received || this.run.rewired),
      frames: `${sent} ${received} ${this.events.length}`,
      nextDueMs: due.length === 0 ? null : Math.min(...due),
    };
  }

  private async sync(round: number): Promise<void> {
    await Promise.all(
      [...this.ports].map(
        ([worker, port]) =>
          new Promise<void>((resolve) => {
            const key = `${worker}:${round}`;
            this.synced.set(key, () => {
              this.synced.delete(key);
              resolve();
            });
            port.postMessage({ type: 'sync', round } satisfies ToInstrument);
          }),
      ),
    );
  }
}
