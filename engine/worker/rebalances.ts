// The plan of a running topology, and its changes, one after the other: what each does to the workers, the counters,
// the ends, the report and the desk. How a change goes on is rebalance.ts; where another version is involved,
// standing-by.ts and standing-aside.ts. On the main thread.

import { failure, toWire, type WireError } from '../errors.js';
import type { Logger } from '../log.js';
import type { CounterBlocks } from '../metrics/counter-blocks.js';
import type { TopologyDescription } from '../model/describe.js';
import { checkChange } from '../plan/check-change.js';
import type { HandOvers } from '../plan/hand-overs.js';
import { tasksByComponent, type Plan, type TaskPlan } from '../plan/plan.js';
import type { PlanChange } from '../plan/replan.js';
import type { EndedTasks } from './ended-tasks.js';
import { IdleWorkers } from './idle-workers.js';
import type { IngestDesk } from './ingest-desk.js';
import type { Checkpoint, FromWorker, ToWorker, Transition, TransitionSoFar } from './messages.js';
import { Rebalance, type RebalanceHost } from './rebalance.js';
import type { WorkerPool } from './pool.js';
import type { RunReport } from './run-report.js';
import type { Seat, Seats } from './seats.js';
import { StandingAside } from './standing-aside.js';
import { StandingBy } from './standing-by.js';

/** The parts of a run that a change of its plan touches. */
export interface RebalanceParts {
  readonly description: TopologyDescription;
  readonly firstIncarnation: number;
  readonly seats: Seats;
  readonly counters: CounterBlocks;
  readonly ends: EndedTasks;
  readonly report: RunReport;
  readonly desk: IngestDesk;
  readonly logger: Logger;
  readonly kept: ReadonlyMap<string, Checkpoint>;
  readonly pool: WorkerPool;
  /** Every worker has carried out the last switch of the spouts. */
  isSwitched(): boolean;
  /** Who has carried it out may be another one now. */
  confirmSwitched(): void;
  /** Tasks may have been waited for with the end of the topology. */
  endIfAllEnded(): void;
  /** The spouts of a run that stood by are open. */
  opened(): void;
  /** They cannot be opened. */
  fail(error: WireError): void;
  /** Spouts that stood aside come back. */
  resume(): void;
}

export class Rebalances implements RebalanceHost {
  plan: Plan;
  /** Spouts stood aside when it began to drain: another version may read what they read. */
  spoutsEnded = false;
  private readonly parts: RebalanceParts;
  private readonly idle: IdleWorkers;
  private running: Rebalance | null = null;
  private standingBy: StandingBy | null = null;
  /** Workers that died while spouts stood aside, and whose time has come. */
  private readonly unreplaced = new Set<number>();
  private isOver = false;
  /** The most tasks that each component ever had. */
  private readonly everHad = new Map<string, number>();

  constructor(plan: Plan, parts: RebalanceParts) {
    this.plan = plan;
    this.parts = parts;
    this.idle = new IdleWorkers(parts.description.name, parts.logger);
    this.noteSizes(plan);
  }

  /** The first plan runs. */
  started(): void {
    this.idle.tell(this.plan);
  }

  /** Carries out a change; as `TopologyRun.rebalance` says. */
  async start(change: PlanChange): Promise<void> {
    const { description, report, pool } = this.parts;
    checkChange(description, this.plan, change, pool.workersMax);
    const state = this.isOver ? 'ended' : report.state;
    if (state !== 'active' && state !== 'inactive') {
      throw failure('MILLRACE_REBALANCE_STATE', { topology: description.name, state });
    }
    const rebalance = new Rebalance(this, change);
    this.begins(rebalance);
    await rebalance.done;
  }

  private begins(change: Rebalance): void {
    if (this.running !== null) throw failure('MILLRACE_REBALANCE_BUSY', { topology: this.description.name });
    this.running = change;
    change.poke();
  }

  /** Workers that start from now on make no spouts. */
  standBy(): void {
    this.standingBy = new StandingBy(this.description, this.plan, this);
  }

  /** The spouts of a run that stood by are to be opened, and are not all open. */
  get isOpening(): boolean {
    return this.standingBy?.isOpening === true;
  }

  /**
   * Makes and opens the spouts of a run that stands by.
   *
   * @throws why that cannot be; the run has failed then, or was killed
   */
  async openSpouts(): Promise<void> {
    this.standingBy?.open();
    await this.standingBy?.done;
  }

  /**
   * Resolves when all spouts have let go, rejects when they go on instead.
   *
   * @throws MILLRACE_SPOUTS_STATE, MILLRACE_SPOUTS_CALLED_OFF, MILLRACE_REBALANCE_*
   */
  async standAside(): Promise<void> {
    const state = this.isOver ? 'ended' : this.parts.report.state;
    if (this.aside?.isReleased !== false) {
      if (state !== 'active' && state !== 'inactive') throw this.unfit('stand aside');
      this.begins(new StandingAside(this));
    }
    await this.aside?.aside;
  }

  /** Spouts that stand aside come back; resolves when they have, or the topology ends. */
  async comeBack(): Promise<void> {
    const { aside } = this;
    if (aside === null) return;
    if (this.parts.report.state === 'aside') this.parts.resume();
    this.release(failure('MILLRACE_SPOUTS_CALLED_OFF', { topology: this.description.name }));
    await aside.over;
  }

  /** The topology drains: bolts are to come to the ends of their inputs. */
  drain(): void {
    if (this.aside?.isHeld === true) this.spoutsEnded = true;
    this.release(this.unfit('stand aside'));
  }

  /** Nothing is held up any more, and who died meanwhile is replaced. */
  private release(why: Error): void {
    this.aside?.release(why);
    const dead = [...this.unreplaced];
    this.unreplaced.clear();
    for (const worker of dead) this.replace(worker);
  }

  private get aside(): StandingAside | null {
    return this.running instanceof StandingAside ? this.running : null;
  }

  /** Spouts that stand aside take no records from outside. */
  get isStandingAside(): boolean {
    return this.aside?.isLeaving === true;
  }

  private unfit(what: string): Error {
    const state = this.isOver ? 'ended' : this.parts.report.state;
    return failure('MILLRACE_SPOUTS_STATE', { topology: this.description.name, state, what });
  }

  /** What a worker that starts now has to know. */
  get soFar(): TransitionSoFar | null {
    return this.standingBy?.soFar ?? this.running?.soFar ?? null;
  }

  /** Tasks of the old plan may still have work. */
  get isHandingOver(): boolean {
    return this.running?.isHandingOver === true;
  }

  /** What a worker has to say of a change; false when that is of something else. */
  heard(seat: Seat, message: FromWorker): boolean {
    const { running, standingBy } = this;
    switch (message.type) {
      case 'changePrepared':
        running?.prepared(seat.worker);
        return true;
      case 'changeRefused':
        running?.refused(message.error);
        standingBy?.refused(message.error);
        return true;
      case 'refused':
        return running?.refused(message.error) === true || standingBy?.refused(message.error) === true;
      case 'letGo':
        running?.letGo({ task: message.task, ended: message.ended });
        this.parts.endIfAllEnded();
        return true;
      case 'stayed':
        this.parts.desk.opened(message.ingestTasks);
        running?.stayed(seat.worker, message.tasks);
        return true;
      case 'rewired':
        running?.poke();
        standingBy?.poke();
        return true;
      case 'spoutsOpened':
        running?.spoutsOpened(message.tasks, message.ingestTasks);
        standingBy?.spoutsOpened(message.tasks, message.ingestTasks);
        return true;
      default:
        return false;
    }
  }

  /** That worker has carried out the last switch: one that is new is ready then. */
  switched(seat: Seat): void {
    this.running?.prepared(seat.worker);
    this.running?.poke();
    this.standingBy?.poke();
  }

  /** A worker has died, and will be replaced sooner or later. */
  died(worker: number, reason: string): void {
    this.standingBy?.workerDied(worker, reason);
    const { running } = this;
    if (running === null) return;
    running.workerDied(worker, reason);
    const { seats } = this.parts;
    if (this.effective.workers <= worker && seats.all[worker] !== undefined) seats.drop(worker);
    running.ownersDied(worker);
  }

  /** The time has come to replace a worker that died. */
  replace(worker: number): void {
    const { seats, ends } = this.parts;
    // It may not be part of the plan any more.
    if (this.isOver || worker >= this.effective.workers || seats.all[worker]?.state !== 'dead') return;
    if (this.aside?.isHeld === true) {
      this.unreplaced.add(worker);
      seats.all[worker].isAwaited = true;
      return;
    }
    seats.replace(worker);
    ends.reopen(worker, seats.revision);
    this.running?.poke();
  }

  private get effective(): Plan {
    return this.running?.soFar?.after ?? this.plan;
  }

  /** The topology ends. */
  end(): void {
    this.isOver = true;
    this.running?.end();
    this.running = null;
    this.standingBy?.end();
    this.standingBy = null;
  }

  // --- what a change asks for ---------------------------------------------------------------------------------------

  get description(): TopologyDescription {
    return this.parts.description;
  }

  get isStable(): boolean {
    const { seats } = this.parts;
    return !seats.changing && seats.all.every((seat) => seat.state === 'active') && this.parts.isSwitched();
  }

  get isDraining(): boolean {
    return this.parts.report.state === 'draining';
  }

  get checkpoints(): Iterable<Checkpoint> {
    return this.parts.kept.values();
  }

  nextRevision(): number {
    return ++this.parts.seats.revision;
  }

  begin(transition: Transition, over: HandOvers): void {
    const { seats, counters, firstIncarnation } = this.parts;
    const { before, after } = transition;
    const predecessors = new Map([...over.successors].map(([from, to]) => [to, from]));
    const born = new Map<number, number>();
    for (const { task, component, index } of over.coming.values()) {
      const predecessor = predecessors.get(task);
      // One that had this index before may have left something, such as a file, that this one goes on with.
      const first = firstIncarnation + (index < (this.everHad.get(component) ?? 0) ? 1 : 0);
      born.set(task, predecessor === undefined ? first : seats.incarnationOf(predecessor) + 1);
    }
    const firstWorker = counters.workers;
    const block = counters.grow({
      firstTask: before.nextTask,
      tasks: after.nextTask - before.nextTask,
      firstWorker,
      workers: Math.max(0, after.workers - firstWorker),
    });
    seats.grow(transition, born, block);
  }

  spoutsLeave(tasks: readonly number[]): void {
    this.parts.desk.leave(tasks);
    if (this.isStandingAside) this.parts.desk.refuse();
  }

  async undo({ before, after }: Transition): Promise<void> {
    const { seats } = this.parts;
    // Numbers that were given are used up, though their tasks never took anything.
    this.plan = { ...before, nextTask: after.nextTask };
    seats.adopt(this.plan);
    const gone = seats.shrink(before.workers);
    this.keepCounters(before);
    this.parts.confirmSwitched();
    await gone;
  }

  revive(spouts: readonly TaskPlan[]): number {
    return this.parts.seats.revive(spouts);
  }

  adopt({ after, revision }: Transition, { changed }: HandOvers): void {
    const { seats, ends, report, desk } = this.parts;
    this.plan = after;
    this.noteSizes(after);
    for (const part of [seats, report, desk]) part.adopt(after);
    ends.adopt(after, changed, revision);
    this.idle.tell(after);
  }

  settle({ after }: Transition): void {
    const { seats, report } = this.parts;
    void seats.shrink(after.workers);
    report.settle();
    this.keepCounters(after);
    this.parts.confirmSwitched();
  }

  isWired(revision: number): boolean {
    return this.parts.seats.isWired(revision);
  }

  broadcast(message: ToWorker): void {
    this.parts.seats.broadcast(message);
  }

  post(worker: number, message: ToWorker): void {
    const { seats } = this.parts;
    seats.post(seats.all[worker]!, message);
  }

  isAlive(worker: number): boolean {
    const seat = this.parts.seats.all[worker];
    return seat !== undefined && seat.state !== 'dead';
  }

  opened(ingestTasks: readonly number[]): void {
    this.parts.desk.opened(ingestTasks);
  }

  allOpened(): void {
    this.standingBy = null;
    this.parts.opened();
  }

  failed(error: Error): void {
    this.parts.fail(toWire(error));
  }

  held(): void {
    this.parts.report.state = 'aside';
  }

  over(): void {
    this.running = null;
    this.parts.endIfAllEnded();
  }

  private keepCounters({ tasks, workers }: Plan): void {
    const { counters, pool } = this.parts;
    for (const { memory } of counters.keep(new Set(tasks.map(({ task }) => task)), workers)) pool.forget?.(memory);
  }

  private noteSizes(plan: Plan): void {
    for (const [id, tasks] of tasksByComponent(plan)) {
      this.everHad.set(id, Math.max(tasks.length, this.everHad.get(id) ?? 0));
    }
  }
}
