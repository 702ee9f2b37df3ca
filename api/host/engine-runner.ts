// Runs topologies of the cluster's host on the engine: the one place where coordination and engine meet.
//
//   start ─► loading ─► running ─► over: `ended`, forgotten
//     kill, activate, deactivate at any time: what comes before it runs is remembered
//
// Main thread.

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
import type { SeenParameters } from '../../coordination/host/live-parameters.js';
import type { Checkpoint as PackedCheckpoint, Payload, WorkerPlace } from '../../coordination/topology-records.js';
import { aborted, pause } from '../../coordination/store/signals.js';
import { hasCode, isPassing, isSessionOver } from '../../coordination/store/store-errors.js';
import { pack, unpack } from '../../engine/codec/pack.js';
import { failure, reasonOf, toWire } from '../../engine/errors.js';
import type { Clock } from '../../engine/clock.js';
import { RUNS_REMEMBERED, STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import type { TopologyMetrics } from '../../engine/metrics/snapshot.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { Plan } from '../../engine/plan/plan.js';
import type { TopologySource } from '../../engine/worker/module.js';
import type { SpareThreads } from '../../engine/worker/spare-threads.js';
import { TopologyRun, type TopologyRunOptions } from '../../engine/worker/topology-run.js';
import { Arrivals } from './arrivals.js';
import { doneOf, finalOf, type Done } from './details.js';
import { RunRebalances } from './run-rebalances.js';
import { RunStages } from './run-stages.js';
import type { Asked } from './peers.js';
import type { Led, Together } from './together.js';

export interface EngineRunnerOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Code that is not here may come later, from another host. */
  readonly waitsForCode: boolean;
  /** Workers that may run at a time: they share the machine's memory. */
  readonly slots: number;
  readonly print: (line: string, topology: string) => void | Promise<void>;
  /** Where workers load it from. Rejects when what it needs is gone. */
  readonly sourceOf: (order: Payload) => Promise<TopologySource>;
  /** The directory that its built-in components may use; null: any. */
  readonly filesRootOf: (order: Payload) => string | null;
  /** Threads that stand by for what other hosts ran; null: none do. */
  readonly spares: SpareThreads | null;
  /** How it runs topologies together with other hosts; null: it is alone. */
  readonly together: Together | null;
  /** The parameters that its components see, followed while it runs. */
  readonly parametersOf: (order: RunOrder, changed: (parameters: ParameterValues) => void) => SeenParameters;
  /** Submissions that are not started again. */
  readonly heldBack: ReadonlySet<string>;
  /** Told which submissions run, before each one that is started. */
  readonly onRunning: (ids: readonly string[]) => void;
}

export class EngineRunner implements TopologyRunner {
  private readonly options: EngineRunnerOptions;
  private readonly byId = new Map<string, EngineRun>();
  /** What the last runs came to, until the history tells it. */
  private readonly over = new Map<string, { readonly done: Done; readonly metrics: TopologyMetrics }>();
  private readonly arrivals: Arrivals;

  constructor(options: EngineRunnerOptions) {
    this.options = options;
    this.arrivals = new Arrivals(options.clock);
  }

  /** @throws MILLRACE_HOST_HELD_BACK */
  start(order: RunOrder, listener: RunListener): RunningTopology {
    const { heldBack, onRunning } = this.options;
    if (heldBack.has(order.id)) throw failure('MILLRACE_HOST_HELD_BACK', { topology: order.name });
    onRunning([...this.byId.keys(), order.id]);
    const run = new EngineRun(order, listener, this.options, () => this.arrivals.arrived(order.name));
    this.byId.set(order.id, run);
    void run.ended.then(() => {
      if (this.byId.get(order.id) !== run) return;
      this.byId.delete(order.id);
      onRunning([...this.byId.keys()]);
      const done = run.done();
      const metrics = run.metrics();
      if (done !== null && metrics !== null) this.over.set(order.id, { done, metrics });
      if (this.over.size > RUNS_REMEMBERED) this.over.delete([...this.over.keys()][0]!);
      this.arrivals.arrived(order.name);
    });
    return run;
  }

  /** @throws TypeError on a host that is alone: nobody assigns it such a part */
  join(order: JoinOrder): Membership {
    const { together, slots, spares, clock, logger, sourceOf, filesRootOf } = this.options;
    if (together === null) throw new TypeError(`"${order.name}" has places on several hosts, and this one is alone`);
    const filesRoot = filesRootOf(order);
    return together.join(order, { slots, spares, clock, logger, filesRoot, source: async () => await sourceOf(order) });
  }

  /** Resolves when a topology of that name begins to run here, or was waited for long enough. */
  async arrival(name: string, signal: AbortSignal): Promise<void> {
    await this.arrivals.next(name, signal);
  }

  /** What the run of that id has done so far; null when none is here. */
  doneOf(id: string): Done | null {
    return this.byId.get(id)?.done() ?? this.over.get(id)?.done ?? null;
  }

  /** Whether a topology of that name runs here, or is about to. */
  runs(name: string, what: Asked): boolean {
    for (const run of this.byId.values()) {
      if (run.name === name && (what === 'topology' ? !run.isComing : run.takesRecords)) return true;
    }
    return false;
  }

  /** Which task runs where, in the run of that id; null when none is here. */
  planOf(id: string): Plan | null {
    return this.byId.get(id)?.plan() ?? null;
  }

  /**
   * Resolves when the run of that id has carried out that rebalance, or a later one; at once when none is here: it is
   * spread that way when it starts.
   *
   * @throws why it was refused; MILLRACE_REBALANCE_ENDED; the reason of the signal
   */
  async rebalanced(id: string, change: number, signal: AbortSignal): Promise<void> {
    await this.byId.get(id)?.rebalances.done(change, signal);
  }

  /** What is measured of the run of that id, or was at its end; null when none is here. */
  metricsOf(id: string): TopologyMetrics | null {
    return this.byId.get(id)?.metrics() ?? this.over.get(id)?.metrics ?? null;
  }

  /**
   * Has a record emitted; null when no topology of that name runs here yet.
   *
   * @param id - only that submission is meant
   */
  ingest(
    name: string,
    id: string | undefined,
    spout: string,
    record: unknown,
    signal: AbortSignal,
  ): Promise<void> | null {
    for (const run of this.byId.values()) {
      if (run.name !== name || (id !== undefined && run.id !== id)) continue;
      const given = run.ingest(spout, record, signal);
      if (given !== null) return given;
    }
    return null;
  }
}

class EngineRun implements RunningTopology {
  readonly name: string;
  readonly id: string;
  readonly ended: Promise<RunEnd>;
  private readonly options: EngineRunnerOptions;
  private readonly order: RunOrder;
  private readonly listener: RunListener;
  readonly rebalances: RunRebalances;
  private readonly stages: RunStages;
  private run: TopologyRun | null = null;
  /** Where its workers are; null while it is loaded, and on a host that is alone. */
  private led: Led | null = null;
  private places: readonly WorkerPlace[];
  private active = true;
  /** It is to end, before it runs. */
  private killed = false;
  private readonly stopping = new AbortController();

  /** @param loaded - called when it takes records, or others may */
  constructor(order: RunOrder, listener: RunListener, options: EngineRunnerOptions, loaded: () => void) {
    this.name = order.name;
    this.id = order.id;
    this.order = order;
    this.listener = listener;
    this.options = options;
    this.places = order.places;
    this.rebalances = new RunRebalances(order, options.clock, (change, error) =>
      listener.rebalanced(change, error === null ? null : toWire(error)),
    );
    this.stages = new RunStages(order, {
      clock: options.clock,
      logger: options.logger,
      told: (stage) => {
        if (this.stages.takesRecords) loaded();
        listener.stage(stage);
      },
    });
    this.ended = this.toEnd(loaded).finally(() => {
      this.stages.end();
      this.rebalances.end();
    });
  }

  rebalance(order: RebalanceOrder): void {
    this.place(order.places);
    this.rebalances.add(order);
  }

  place(places: readonly WorkerPlace[]): void {
    this.places = places;
    if (this.led !== null) this.run?.move(this.led.place(places));
  }

  plan(): Plan | null {
    return this.run?.plan ?? null;
  }

  activate(): void {
    this.active = true;
    void this.run?.activate();
  }

  deactivate(): void {
    this.active = false;
    void this.run?.deactivate();
  }

  open(checkpoints: readonly PackedCheckpoint[]): void {
    this.stages.open(checkpoints.flatMap((each) => unpacked(each, this.options.logger)));
  }

  standAside(): void {
    this.stages.standAside();
  }

  comeBack(): void {
    this.stages.comeBack();
  }

  kill(options: { readonly waitMs: number }): void {
    this.killed = true;
    this.stages.end();
    this.stopping.abort();
    void this.run?.kill(options);
  }

  done(): Done | null {
    return this.run === null ? null : doneOf(this.run.status());
  }

  metrics(): TopologyMetrics | null {
    return this.run?.metrics() ?? null;
  }

  /** Null while it is being loaded, and while records are for another version of it. */
  /** It is to replace a version that still runs. */
  get isComing(): boolean {
    return this.stages.isComing;
  }

  get takesRecords(): boolean {
    return this.stages.takesRecords;
  }

  ingest(spout: string, record: unknown, signal: AbortSignal): Promise<void> | null {
    if (!this.stages.takesRecords) return null;
    return this.run?.ingest(spout, record, signal) ?? null;
  }

  private async toEnd(loaded: () => void): Promise<RunEnd> {
    const parameters = this.options.parametersOf(this.order, (values) => this.run?.parameters.set(values));
    try {
      const source = await this.source();
      await Promise.race([parameters.ready, aborted(this.stopping.signal)]);
      if (source === null || this.killed) return { status: 'killed', error: null, final: null };
      const { together, slots, spares, clock, logger } = this.options;
      const away = (hosts: readonly string[]): void => this.listener.away(hosts);
      this.led = together?.lead(this.order, { slots, spares, clock, logger, away }) ?? null;
      const run = new TopologyRun(this.runOptions(source, parameters.now));
      this.run = run;
      // They may have been changed while it was loaded.
      this.place(this.places);
      if (this.stages.takesRecords) loaded();
      if (!this.active) void run.deactivate();
      // Why it could not start stands in its outcome.
      await run.start().then(
        () => this.stages.started(run, () => this.rebalances.started(run)),
        () => undefined,
      );
      const { status, error } = await run.completed;
      return { status, error, final: finalOf(run.status()) };
    } catch (error) {
      // Nobody else ends what was made for it.
      if (this.run === null) await this.led?.pool.destroy();
      return { status: 'failed', error: toWire(error), final: null };
    } finally {
      parameters.close();
    }
  }

  /** Null when it is killed before its code is here: the host that has it may be away for a while. */
  private async source(): Promise<TopologySource | null> {
    const { sourceOf, waitsForCode, clock, logger } = this.options;
    for (let waitMs = STORE_RETRY_MIN_MS; !this.killed; waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS)) {
      try {
        return await sourceOf(this.order);
      } catch (error) {
        const passes = hasCode(error, 'MILLRACE_ARTIFACT_UNKNOWN') || isPassing(error) || isSessionOver(error);
        if (!waitsForCode || !passes) throw error;
        logger.warn(`topology "${this.name}" waits for its code: ${reasonOf(error)}`);
      }
      await pause(clock, waitMs, this.stopping.signal);
    }
    return null;
  }

  /** What the embedding program does with a line must not end what runs here. */
  private async print(line: string): Promise<void> {
    try {
      await this.options.print(line, this.name);
    } catch (error) {
      this.options.logger.error(`${this.name}: a printed line was lost: ${reasonOf(error)}`);
    }
  }

  private runOptions(source: TopologySource, parameters: ParameterValues): TopologyRunOptions {
    const { order, listener, options, name } = this;
    return {
      source,
      description: order.description,
      workers: order.places.length,
      parallelism: order.parallelism,
      slots: options.slots,
      parameters,
      firstIncarnation: order.firstIncarnation,
      logger: named(options.logger, name),
      print: async (line) => await this.print(line),
      standby: order.standby,
      checkpoints: order.checkpoints.flatMap((each) => unpacked(each, options.logger)),
      onCheckpoint: ({ component, partition, progress }) => {
        const packed = progress === undefined ? null : pack(progress).slice();
        listener.checkpoint({ component, partition, progress: packed });
      },
      filesRoot: options.filesRootOf(order),
      ...(this.led === null ? {} : { pool: this.led.pool }),
    };
  }
}

/** Progress that cannot be read is as none: its spout begins anew, and says so in its log. */
function unpacked({ component, partition, progress }: PackedCheckpoint, logger: Logger) {
  try {
    return [{ component, partition, progress: unpack(progress) }];
  } catch (error) {
    logger.error(`progress of "${component}", partition "${partition}", cannot be read: ${reasonOf(error)}`);
    return [];
  }
}

function named(logger: Logger, name: string): Logger {
  const prefixed = (message: string): string => `${name}: ${message}`;
  return {
    debug: (message) => logger.debug(prefixed(message)),
    info: (message) => logger.info(prefixed(message)),
    warn: (message) => logger.warn(prefixed(message)),
    error: (message) => logger.error(prefixed(message)),
  };
}
