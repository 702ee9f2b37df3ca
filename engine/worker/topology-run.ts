// Runs one topology on a pool of workers and watches over it, on the main thread. It plans the tasks, wires the
// workers, replaces those that die, and gathers what they report.
//
//   starting ─ all prepared ─► active ─┬─ every task ended ─► completed
//      │                               ├─ drain ─► draining ─ every task ended ─► killed
//      └─ refused ─► failed            ├─ kill ─► killed
//                                      └─ fatal error, too many deaths ─► failed
//
//   a worker dies ─► its tasks get new incarnations, its replacement starts, the others are rewired
//                 ─► all have confirmed ─► every open tree of theirs fails, and is replayed: seconds before any timeout

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { entropySeed } from '../random.js';
import { failure, fromWire, toWire, type WireError } from '../errors.js';
import { runtimeLimits, WORKER_DEATHS_WINDOW_MS } from '../limits.js';
import { Counters } from '../metrics/counters.js';
import { downstreamOf, planTasks, type Plan } from '../plan/plan.js';
import { DeathWatch } from './death-watch.js';
import { closed, meshOf, pairOf } from './mesh.js';
import type { Checkpoint, FromWorker, PeerPorts, Probed, ToWorker, WorkerInit } from './messages.js';
import { ThreadPool, type WorkerHandle, type WorkerPool } from './pool.js';
import type { Outcome, TopologyRunOptions } from './run-options.js';
import { spoutTasksOf } from './runtime.js';
import { RunReport, type TopologyStatus } from './run-report.js';

export type { ErrorReport } from './messages.js';
export type { Outcome, TopologyRunOptions } from './run-options.js';
export type { ComponentStatus, TopologyStatus } from './run-report.js';

/** A worker as the supervisor sees it. */
interface Seat {
  readonly worker: number;
  control: MessagePort;
  handle: WorkerHandle;
  state: 'preparing' | 'prepared' | 'active' | 'stopped' | 'dead';
  /** The last wiring that it confirmed. */
  revision: number;
  /** Resolves when it is over and all that it said was heard; null after it was stopped, else what it died of. */
  gone: Promise<string | null>;
  /** What its thread said that it dies of, when it could. */
  lastWords: WireError | null;
}

/** What a killed worker may take to close its components. */
const STOP_TIMEOUT_MS = 10_000;
/** What a topology may take to handle what is under way when it fails. */
const FAILED_DRAIN_MS = 10_000;

export class TopologyRun {
  /** Resolves when everything is over and every thread is gone. */
  readonly completed: Promise<Outcome>;
  private readonly options: TopologyRunOptions;
  private readonly plan: Plan;
  private readonly pool: WorkerPool;
  private readonly counters: Counters;
  private readonly report: RunReport;
  private readonly seats: Seat[] = [];
  private readonly incarnations: number[];
  private readonly checkpoints = new Map<string, Checkpoint>();
  private readonly endedTasks = new Set<number>();
  private readonly reopenedAt = new Map<number, number>();
  private readonly deaths = new DeathWatch();
  private revision = 0;
  private unconfirmed = false;
  private outcome: Outcome | null = null;
  private printing: Promise<void> = Promise.resolve();
  private resolveCompleted: (outcome: Outcome) => void = () => undefined;
  private resolveStarted: (error: WireError | null) => void = () => undefined;
  private readonly probes = new Map<number, (answer: Probed) => void>();

  constructor(options: TopologyRunOptions) {
    this.options = options;
    this.plan = planTasks(options.description, options.workers);
    this.pool = options.pool ?? new ThreadPool({ threads: options.workers });
    const spoutTasks = spoutTasksOf({ plan: this.plan, description: options.description });
    this.counters = new Counters(this.plan.tasks.length, spoutTasks, options.workers);
    this.report = new RunReport(options.description, this.plan, this.counters);
    this.incarnations = this.plan.tasks.map(() => 0);
    this.completed = new Promise((resolve) => (this.resolveCompleted = resolve));
  }

  /**
   * Starts the workers; resolves when every task is prepared and spouts may emit.
   *
   * @throws the error of the module, or of the `open` or `prepare`, that failed; everything is closed by then
   */
  async start(): Promise<void> {
    const started = new Promise<WireError | null>((resolve) => (this.resolveStarted = resolve));
    const ports = meshOf(this.plan.workers);
    for (let worker = 0; worker < this.plan.workers; worker++) this.seat(worker, ports[worker]!);
    const error = await started;
    if (error === null) return;
    await this.completed;
    throw fromWire(error);
  }

  /** What it does now, and has done. */
  status(): TopologyStatus {
    return this.report.status(this.plan.workers);
  }

  /** Spouts stop; what is under way is handled; then it ends as killed. */
  drain(): void {
    if (this.report.state === 'starting') {
      void this.kill();
    } else if (this.report.state === 'active') {
      this.report.state = 'draining';
      this.broadcast({ type: 'drain' });
    }
  }

  /** Ends it at once: components are closed, then threads are ended. */
  async kill(): Promise<void> {
    this.end({ status: 'killed', error: null });
    await this.completed;
  }

  /** Kills the thread of one worker, as if it had crashed. For tests of what follows. */
  async crashWorker(worker: number): Promise<void> {
    await this.seats[worker]?.handle.kill();
  }

  /** A worker is being started, replaced or stopped, or wiring is not confirmed yet. */
  get changing(): boolean {
    return this.unconfirmed || this.outcome !== null || this.seats.some((seat) => seat.state !== 'active');
  }

  /** Workers were replaced: frames sent to the dead ones were never received. */
  get rewired(): boolean {
    return this.revision > 0;
  }

  /** How many turns each worker has had: they stand still while nothing is to be done. */
  get turns(): readonly number[] {
    return this.seats.map((seat) => this.counters.beats(seat.worker));
  }

  /** Moves virtual time in every worker. */
  advance(toMs: number): void {
    this.broadcast({ type: 'advance', toMs });
  }

  /** Asks every worker whether it has anything to do. */
  async probe(round: number): Promise<readonly Probed[]> {
    const alive = this.seats.filter((seat) => seat.state === 'active' || seat.state === 'prepared');
    const answers = await Promise.all(
      alive.map(
        (seat) =>
          new Promise<Probed | null>((resolve) => {
            this.probes.set(seat.worker, resolve);
            void seat.gone.then(() => resolve(null));
            this.post(seat, { type: 'probe', round });
          }),
      ),
    );
    return answers.filter((answer) => answer !== null);
  }

  // --- workers ------------------------------------------------------------------------------------------------------

  private seat(worker: number, peers: readonly PeerPorts[]): void {
    const { port1, port2 } = new MessageChannel();
    const { options } = this;
    const instrument = options.instrument?.(worker) ?? null;
    const init: WorkerInit = {
      source: options.source,
      description: options.description,
      plan: this.plan,
      worker,
      incarnations: [...this.incarnations],
      revision: this.revision,
      counters: this.counters.memory,
      seed: options.seed ?? entropySeed(),
      limits: options.limits ?? runtimeLimits,
      strict: options.strict ?? false,
      virtualTimeMs: options.virtualTimeMs?.() ?? null,
      control: port2,
      peers,
      checkpoints: [...this.checkpoints.values()],
      instrument,
    };
    const transfer = [port2, ...peers.flatMap((peer) => [peer.data, peer.control])];
    if (instrument !== null) transfer.push(instrument.port);
    const handle = this.pool.start(init, transfer);
    const gone = Promise.all([handle.ended, closed(port1, handle.ended)]).then(([reason]) => reason);
    const seat: Seat = {
      worker,
      control: port1,
      handle,
      state: 'preparing',
      revision: this.revision,
      gone,
      lastWords: null,
    };
    this.seats[worker] = seat;
    port1.on('message', (message: FromWorker) => this.onMessage(seat, message));
    void gone.then((reason) => this.workerEnded(seat, reason));
  }

  private post(seat: Seat, message: ToWorker): void {
    seat.control.postMessage(message);
  }

  private broadcast(message: ToWorker): void {
    for (const seat of this.seats) this.post(seat, message);
  }

  private onMessage(seat: Seat, message: FromWorker): void {
    if (seat.state === 'dead') return;
    switch (message.type) {
      case 'hello':
        seat.handle.threadId = message.threadId;
        return;
      case 'prepared':
        seat.state = 'prepared';
        this.workerPrepared(seat);
        return;
      case 'refused':
        this.end({ status: 'failed', error: message.error });
        return;
      case 'rewired':
        seat.revision = message.revision;
        this.confirmWiring();
        return;
      case 'taskEnded':
        this.taskEnded(message.task, message.revision);
        return;
      case 'error':
        this.report.addError(message.report);
        if (message.report.error.fatal) this.failSoftly(message.report.error);
        return;
      case 'checkpoint': {
        const { component, partition } = message.checkpoint;
        this.checkpoints.set(`${component}\n${partition}`, message.checkpoint);
        return;
      }
      case 'print':
        this.printing = this.printing.then(() => this.print(seat, message.lines));
        return;
      case 'output':
        this.printing = this.printing.then(() => this.printAll(message.lines));
        return;
      case 'log':
        this.options.logger[message.level](`${message.component}: ${message.message}`);
        return;
      case 'metrics':
        this.report.setMetrics(message.task, message.values);
        return;
      case 'dying':
        seat.lastWords = message.error;
        return;
      case 'stopped':
        seat.state = 'stopped';
        return;
      case 'probed':
        this.probes.get(seat.worker)?.(message);
        return;
    }
  }

  private workerPrepared(seat: Seat): void {
    if (this.outcome !== null) return;
    if (this.report.state !== 'starting') {
      this.activate(seat);
      return;
    }
    if (!this.seats.every((each) => each.state === 'prepared')) return;
    this.report.state = 'active';
    for (const each of this.seats) this.activate(each);
    this.resolveStarted(null);
  }

  private activate(seat: Seat): void {
    seat.state = 'active';
    this.post(seat, { type: 'start' });
    if (this.report.state === 'draining') this.post(seat, { type: 'drain' });
  }

  private async print(seat: Seat, lines: readonly string[]): Promise<void> {
    await this.printAll(lines);
    this.post(seat, { type: 'printed', count: lines.length });
  }

  private async printAll(lines: readonly string[]): Promise<void> {
    for (const line of lines) await this.options.print(line);
  }

  // --- ends ---------------------------------------------------------------------------------------------------------

  private taskEnded(task: number, revision: number): void {
    if (revision < (this.reopenedAt.get(task) ?? 0)) return;
    this.endedTasks.add(task);
    if (this.endedTasks.size < this.plan.tasks.length) return;
    this.end({ status: this.report.state === 'draining' ? 'killed' : 'completed', error: null });
  }

  /** A component says that no replay can help: what is under way is handled, then the topology ends as failed. */
  private failSoftly(error: WireError): void {
    if (this.report.fatal !== null || this.outcome !== null) return;
    this.report.fatal = error;
    if (this.report.state === 'starting') {
      this.end({ status: 'failed', error });
      return;
    }
    this.drain();
    const timeout = setTimeout(() => this.end({ status: 'failed', error }), FAILED_DRAIN_MS);
    void this.completed.then(() => clearTimeout(timeout));
  }

  private end(outcome: Outcome): void {
    if (this.outcome !== null) return;
    const { fatal } = this.report;
    this.outcome = fatal === null ? outcome : { status: 'failed', error: fatal };
    void this.stopAll(this.outcome);
  }

  private async stopAll(outcome: Outcome): Promise<void> {
    this.broadcast({ type: 'stop' });
    const stragglers = setTimeout(() => {
      void this.pool.destroy();
    }, STOP_TIMEOUT_MS);
    await Promise.all(this.seats.map((seat) => seat.gone));
    clearTimeout(stragglers);
    await this.printing;
    for (const seat of this.seats) seat.control.close();
    await this.pool.destroy();
    this.report.finish(outcome.status);
    this.resolveStarted(outcome.error ?? (outcome.status === 'killed' ? killedWhileStarting(this.options) : null));
    this.resolveCompleted(outcome);
  }

  // --- deaths -------------------------------------------------------------------------------------------------------

  private workerEnded(seat: Seat, reason: string | null): void {
    if (this.outcome !== null || seat.state === 'dead') return;
    seat.state = 'dead';
    seat.control.close();
    this.workerDied(seat, seat.lastWords?.message ?? reason ?? 'its run ended without being asked');
  }

  private workerDied({ worker, lastWords }: Seat, reason: string): void {
    const { name } = this.options.description;
    const error = failure('MILLRACE_WORKER_DIED', { worker, topology: name, reason });
    if (lastWords !== null && lastWords.stack !== null) error.stack = lastWords.stack;
    this.report.addDeath(toWire(error));
    this.options.logger.warn(error.message);
    if (this.report.state === 'starting') {
      this.end({ status: 'failed', error: toWire(error) });
      return;
    }
    this.deaths.add(performance.now());
    if (this.deaths.tooMany) {
      const details = { topology: name, deaths: this.deaths.count, seconds: WORKER_DEATHS_WINDOW_MS / 1000, reason };
      const failing = toWire(failure('MILLRACE_WORKER_FAILING', details));
      this.end({ status: 'failed', error: { ...failing, stack: lastWords?.stack ?? failing.stack } });
      return;
    }
    this.replace(worker);
  }

  /** New incarnations on a new thread, new ports to all others; then those confirm. */
  private replace(worker: number): void {
    this.revision++;
    const lost = this.plan.tasks.filter((task) => task.worker === worker);
    for (const { task } of lost) this.incarnations[task]!++;
    const below = downstreamOf(this.options.description, new Set(lost.map((task) => task.component)));
    for (const task of this.plan.tasks) {
      if (task.worker !== worker && !below.has(task.component)) continue;
      this.endedTasks.delete(task.task);
      this.reopenedAt.set(task.task, this.revision);
    }
    const peers: PeerPorts[] = [];
    const others = this.seats.filter((seat) => seat.worker !== worker && seat.state !== 'dead');
    this.unconfirmed = true;
    for (const seat of others) {
      const ends = pairOf(worker, seat.worker);
      peers.push(ends.first);
      const rewire: ToWorker = {
        type: 'rewire',
        revision: this.revision,
        ports: ends.second,
        incarnations: [...this.incarnations],
      };
      seat.control.postMessage(rewire, [ends.second.data, ends.second.control]);
    }
    this.seat(worker, peers);
    this.confirmWiring();
  }

  /** Once all who were there have the new wiring, nothing more can be lost: what was open before may be. */
  private confirmWiring(): void {
    if (!this.unconfirmed || this.seats.some((seat) => seat.revision < this.revision)) return;
    this.unconfirmed = false;
    this.broadcast({ type: 'lost', revision: this.revision });
  }
}

function killedWhileStarting(options: TopologyRunOptions): WireError {
  return toWire(failure('MILLRACE_RUN_KILLED', { topology: options.description.name }));
}
