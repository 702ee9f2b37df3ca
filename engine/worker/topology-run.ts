// Runs one topology on a pool of workers and watches over it, on the main thread. It plans the tasks, decides what
// follows from what its workers report, and says how it goes; the workers themselves are in seats.ts.
//
//   starting ─ all prepared ─► active ⇄ inactive ─┬─ every task ended ─► completed
//      │                                          ├─ drain ─► draining ─┬─ every task ended ─► killed
//      │                                          │                     └─ a kill's wait is over ─► killed
//      │                                          ├─ kill ─► killed
//      └─ refused ─► failed                       └─ fatal error, too many deaths ─► failed
//
//   standby ─ openSpouts ─► active      active, inactive ─ standAside ─► aside ─ comeBack ─► active (run-spouts.ts)
//   rebalance ─► one plan follows another (rebalance.ts), tasks that need not move never stop
//   a worker dies ─► its tasks get new incarnations, its replacement starts, the others are rewired
//                 ─► all have confirmed ─► every open tree of theirs fails, and is replayed: seconds before any timeout

import { RealClock, type Clock } from '../clock.js';
import { failure, fromWire, toWire, type WireError } from '../errors.js';
import { FAILED_DRAIN_MS, STOP_TIMEOUT_MS } from '../limits.js';
import { CounterBlocks } from '../metrics/counter-blocks.js';
import type { TopologyMetrics } from '../metrics/snapshot.js';
import { planTasks, type Plan } from '../plan/plan.js';
import type { PlanChange } from '../plan/replan.js';
import { EndTimer } from './end-timer.js';
import { EndedTasks } from './ended-tasks.js';
import type { Checkpoint, FromWorker, Probed } from './messages.js';
import { IngestDesk } from './ingest-desk.js';
import { ingestHostOf } from './ingest-host.js';
import { ThreadPool, type WorkerPool } from './pool.js';
import { Printer } from './printer.js';
import { Rebalances } from './rebalances.js';
import type { KillOptions, Outcome, TopologyRunOptions } from './run-options.js';
import { RunOutput } from './run-output.js';
import { RunParameters } from './run-parameters.js';
import { RunReport, type TopologyStatus } from './run-report.js';
import { RunSpouts } from './run-spouts.js';
import { initOf } from './init-of.js';
import { Seats, type Seat } from './seats.js';
import { memoryShare } from './supervision/memory-shares.js';
import { Supervision } from './supervision/supervision.js';

export type { KeptError } from './kept-errors.js';
export type { ErrorReport } from './messages.js';
export type { KillOptions, Outcome, TopologyRunOptions } from './run-options.js';
export type { ComponentStatus, TopologyStatus } from './run-report.js';

export class TopologyRun {
  /** Resolves when everything is over and every thread is gone. */
  readonly completed: Promise<Outcome>;
  /** What its components see of what changes while they run. */
  readonly parameters: RunParameters;
  private readonly options: TopologyRunOptions;
  private readonly clock: Clock;
  private readonly pool: WorkerPool;
  private readonly counters = new CounterBlocks();
  private readonly report: RunReport;
  private readonly seats: Seats;
  private readonly ends: EndedTasks;
  private readonly printer: Printer;
  private readonly desk: IngestDesk;
  private readonly output: RunOutput;
  private readonly supervision: Supervision;
  private readonly rebalances: Rebalances;
  private readonly spouts: RunSpouts;
  private readonly endTimer: EndTimer;
  private outcome: Outcome | null = null;
  private resolveCompleted: (outcome: Outcome) => void = () => undefined;
  private resolveStarted: (error: WireError | null) => void = () => undefined;

  constructor(options: TopologyRunOptions) {
    this.options = options;
    const { description, workers, firstIncarnation = 0 } = options;
    this.clock = options.clock ?? new RealClock();
    const plan = planTasks(description, workers, options.parallelism);
    const share = memoryShare(description.config, options.slots ?? workers);
    this.pool = options.pool ?? new ThreadPool({ threads: workers, heapMbMax: share.heapMb });
    this.counters.grow({ firstTask: 0, tasks: plan.nextTask, firstWorker: 0, workers });
    this.report = new RunReport(description, plan, this.counters, this.clock, options.limits);
    this.ends = new EndedTasks(description, plan, (worker, told) => this.seats.post(this.seats.all[worker]!, told));
    this.printer = new Printer(options.print);
    const { printer, report } = this;
    this.output = new RunOutput({ options, printer, report, post: (seat, message) => this.seats.post(seat, message) });
    this.seats = new Seats(plan, this.pool, firstIncarnation, {
      initOf: (worker) => initOf(worker, options, this.rebalances, this.counters, this.output, this.parameters),
      heard: (seat, message) => this.onMessage(seat, message),
      linkLost: (seat, other, reason) => this.linkLost(seat.worker, other, reason),
      gone: (seat, reason) => this.workerGone(seat, reason),
    });
    this.parameters = new RunParameters(options.parameters, (message) => this.seats.broadcast(message));
    this.supervision = new Supervision({
      description,
      plan: () => this.rebalances.plan,
      share,
      clock: this.clock,
      logger: options.logger,
      replaceAtOnce: options.replaceAtOnce ?? false,
      report: this.report,
      seats: () => this.seats.all,
      stop: (seat) => this.seats.post(seat, { type: 'stop' }),
      replace: (worker) => this.rebalances.replace(worker),
      fail: (error) => this.end({ status: 'failed', error }),
    });
    this.desk = new IngestDesk(
      description,
      plan,
      ingestHostOf(this.seats, report, this.clock, {
        isOver: () => this.outcome !== null,
        isAside: () => this.rebalances.isStandingAside,
      }),
    );
    const { seats, counters, ends, desk, pool, output } = this;
    this.rebalances = new Rebalances(plan, {
      ...{ description, firstIncarnation, seats, counters, ends, report, desk, pool, logger: options.logger },
      kept: output.checkpoints,
      isSwitched: () => this.spouts.isSwitched,
      confirmSwitched: () => this.spouts.confirmSwitched(),
      endIfAllEnded: () => this.endIfAllEnded(),
      opened: () => this.spouts.opened(),
      fail: (error) => this.end({ status: 'failed', error }),
      resume: () => this.spouts.resume(),
    });
    const { rebalances } = this;
    this.spouts = new RunSpouts({
      ...{ description, standby: options.standby ?? false, seats, report, desk, rebalances, output },
      isOver: () => this.outcome !== null,
      started: () => this.resolveStarted(null),
    });
    this.endTimer = new EndTimer(this.clock, () => this.end({ status: 'killed', error: null }));
    this.completed = new Promise((resolve) => (this.resolveCompleted = resolve));
  }

  /**
   * Starts the workers; resolves when every task is prepared and spouts may emit, or when it stands by.
   *
   * @throws the error of the module, or of the `open` or `prepare`, that failed; everything is closed by then
   */
  async start(): Promise<void> {
    const started = new Promise<WireError | null>((resolve) => (this.resolveStarted = resolve));
    this.report.startSampling();
    this.seats.open();
    this.supervision.start();
    const error = await started;
    if (error === null) return;
    await this.completed;
    throw fromWire(error);
  }

  /** Which task runs where. */
  get plan(): Plan {
    return this.rebalances.plan;
  }

  /** What it does now, and has done. */
  status(): TopologyStatus {
    return this.report.status(this.rebalances.plan.workers);
  }

  /** All that is measured of it, by component and task. */
  metrics(): TopologyMetrics {
    return this.report.snapshot();
  }

  /**
   * Spouts are asked no more; trees in flight finish, and bolts go on. Resolves when their `deactivate` has returned in
   * every worker, or it is over. While it starts, it then starts that way; when it drains or has ended, nothing
   * changes.
   */
  async deactivate(): Promise<void> {
    await this.spouts.setActive(false);
  }

  /** Spouts are asked again. Resolves when their `activate` has returned in every worker, or it is over. */
  async activate(): Promise<void> {
    await this.spouts.setActive(true);
  }

  /**
   * Makes and opens the spouts of a run that stands by, which go on from those checkpoints and from nothing else.
   * Resolves when all are open and asked; when one of them cannot be opened, the run fails.
   *
   * @throws MILLRACE_SPOUTS_STATE, MILLRACE_SPOUTS_WORKER_DIED, MILLRACE_RUN_KILLED, or the error of the constructor,
   * `open` or `activate` that failed; everything is closed by then, unless it is of the state
   */
  async openSpouts(checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.spouts.open(checkpoints, this.completed);
  }

  /**
   * Spouts are asked no more, their trees finish, and they are closed; bolts stay, for {@link comeBack} or the end.
   * Resolves when all spouts have let go; when it is refused, everything goes on as before.
   *
   * @throws MILLRACE_SPOUTS_STATE, MILLRACE_SPOUTS_CALLED_OFF, MILLRACE_REBALANCE_BUSY, MILLRACE_REBALANCE_WORKER_DIED,
   * MILLRACE_REBALANCE_ENDED
   */
  async standAside(): Promise<void> {
    await this.rebalances.standAside();
  }

  /**
   * Spouts that stand aside, or are about to, begin anew where they were and go on from their progress. Resolves when
   * they have, or the topology has ended; at once when none does.
   */
  async comeBack(): Promise<void> {
    await this.rebalances.comeBack();
  }

  /**
   * Has a spout of type `ingest` emit one record; resolves when its tree is acked. It is never replayed.
   *
   * @param record - the values by field name, or as a list in the order of the fields
   * @param signal - aborted when its caller has gone; the tree goes on
   * @throws the signal's reason
   * @throws MILLRACE_INGEST_SPOUT, MILLRACE_INGEST_RECORD, MILLRACE_INGEST_INACTIVE, MILLRACE_INGEST_FULL: it was not
   * emitted
   * @throws MILLRACE_INGEST_FAILED, MILLRACE_INGEST_TIMEOUT, MILLRACE_INGEST_LOST, MILLRACE_INGEST_ENDED
   */
  async ingest(spout: string, record: unknown, signal?: AbortSignal): Promise<void> {
    await this.desk.ingest(spout, record, signal);
  }

  /**
   * Spreads it over another number of workers, and gives components another number of tasks. What is left out stays as
   * it is; tasks that need not move never stop, and no tuple is lost. One change at a time. Resolves when it is carried
   * out; when it is refused, everything stays as it was.
   *
   * @throws MILLRACE_REBALANCE_*, or the error of the constructor, `prepare` or `activate` of a new task that failed
   */
  async rebalance(change: PlanChange): Promise<void> {
    await this.rebalances.start(change);
  }

  /** Spouts stop; what is under way is handled; then it ends as killed. */
  drain(): void {
    const { state } = this.report;
    if (state === 'starting' || state === 'standby') {
      void this.kill();
    } else if (state === 'active' || state === 'inactive' || state === 'aside') {
      this.report.state = 'draining';
      this.desk.refuse();
      this.seats.broadcast({ type: 'drain' });
      this.rebalances.drain();
    }
  }

  /**
   * Ends it: at once, or after up to `waitMs` for what is in flight. Components are closed, then threads are ended.
   * Resolves when all is over. Asked for again with a shorter wait, that one holds.
   */
  async kill({ waitMs = 0 }: KillOptions = {}): Promise<void> {
    const { state } = this.report;
    if (waitMs > 0 && state !== 'starting' && state !== 'standby') {
      this.drain();
      this.endTimer.within(waitMs);
    } else {
      this.end({ status: 'killed', error: null });
    }
    await this.completed;
  }

  /**
   * Ends those workers, which close their components, and starts them again: where the pool has another place for them.
   * Their tasks have new incarnations then, and trees that they were part of are replayed.
   */
  move(workers: readonly number[]): void {
    for (const worker of workers) this.supervision.move(this.seats.all[worker]);
  }

  /** Kills the thread of one worker, as if it had crashed. For tests of what follows. */
  async crashWorker(worker: number): Promise<void> {
    await this.supervision.kill(this.seats.all[worker]);
  }

  /** A worker is being started, replaced or stopped, or wiring is not confirmed yet. */
  get changing(): boolean {
    const isBehind = (seat: Seat): boolean => !seat.isAwaited && this.spouts.isBehind(seat);
    return this.outcome !== null || this.seats.changing || this.seats.all.some(isBehind);
  }

  /** Workers were replaced: frames sent to the dead ones were never received. */
  get rewired(): boolean {
    return this.seats.revision > 0;
  }

  /** How many turns each worker has had: they stand still while nothing is to be done. */
  get turns(): readonly number[] {
    return this.seats.all.map((seat) => this.counters.beats(seat.worker));
  }

  /** Moves virtual time in every worker. */
  advance(toMs: number): void {
    this.seats.broadcast({ type: 'advance', toMs });
  }

  /** Asks every worker whether it has anything to do. */
  async probe(round: number): Promise<readonly Probed[]> {
    return await this.seats.probe(round);
  }

  // --- workers ------------------------------------------------------------------------------------------------------

  private onMessage(seat: Seat, message: FromWorker): void {
    if (this.output.heard(seat, message) || this.rebalances.heard(seat, message)) return;
    if (this.supervision.heard(seat, message)) return;
    switch (message.type) {
      case 'prepared':
        this.desk.prepared(message.ingestTasks);
        if (this.outcome === null) this.spouts.prepared(seat);
        return;
      case 'switched':
        this.spouts.switched(seat, message.round);
        return;
      case 'ingested':
        this.desk.answered(message.acked, message.others);
        return;
      case 'taskEnded':
        this.ends.add(message.task, message.revision);
        this.endIfAllEnded();
        return;
      case 'cycleReport':
        this.ends.cycles.heard(seat.worker, message);
        return;
      case 'error':
        this.report.addError(message.report);
        if (message.report.error.fatal) this.failSoftly(message.report.error);
        return;
      default:
        // What the seats take for themselves.
        return;
    }
  }

  // --- ends ---------------------------------------------------------------------------------------------------------

  private endIfAllEnded(): void {
    if (!this.ends.all || this.rebalances.isHandingOver) return;
    this.end({ status: this.report.state === 'draining' ? 'killed' : 'completed', error: null });
  }

  /** A component says that no replay can help: what is under way is handled, then the topology ends as failed. */
  private failSoftly(error: WireError): void {
    if (this.report.fatal !== null || this.outcome !== null) return;
    this.report.fatal = error;
    const { state } = this.report;
    if (state === 'starting' || state === 'standby') {
      this.end({ status: 'failed', error });
      return;
    }
    this.drain();
    this.endTimer.within(FAILED_DRAIN_MS);
  }

  private end(outcome: Outcome): void {
    if (this.outcome !== null) return;
    this.outcome = this.report.fatal === null ? outcome : { status: 'failed', error: this.report.fatal };
    this.endTimer.cancel();
    this.spouts.end();
    this.rebalances.end();
    this.desk.end();
    this.supervision.end();
    void this.stopAll(this.outcome);
  }

  private async stopAll(outcome: Outcome): Promise<void> {
    this.seats.broadcast({ type: 'stop' });
    const stragglers = setTimeout(() => {
      void this.pool.destroy();
    }, STOP_TIMEOUT_MS);
    await this.seats.gone();
    clearTimeout(stragglers);
    this.supervision.stop();
    await this.printer.written;
    for (const seat of this.seats.all) seat.control.close();
    await this.pool.destroy();
    this.report.finish(outcome.status);
    this.resolveStarted(
      outcome.error ??
        (outcome.status === 'killed'
          ? toWire(failure('MILLRACE_RUN_KILLED', { topology: this.options.description.name }))
          : null),
    );
    this.resolveCompleted(outcome);
  }

  // --- deaths -------------------------------------------------------------------------------------------------------

  private linkLost(worker: number, other: number, reason: string): void {
    if (this.outcome !== null) return;
    const topology = this.options.description.name;
    this.options.logger.warn(failure('MILLRACE_LINK_LOST', { worker, other, topology, reason }).message);
    this.pool.linkLost?.(worker, other);
  }

  private workerGone(seat: Seat, reason: string | null): void {
    if (this.outcome !== null || seat.state === 'dead' || !this.seats.has(seat)) return;
    seat.state = 'dead';
    seat.control.close();
    this.desk.workerDied(seat.worker);
    this.rebalances.died(seat.worker, seat.lastWords?.message ?? reason ?? '');
    this.supervision.died(seat, reason);
  }
}
