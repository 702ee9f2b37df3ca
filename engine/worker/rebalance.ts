// One change of the plan of a running topology, as its supervisor carries it out. On the main thread.
//
//   waiting ─ nothing else changes ─► preparing ─ every worker is ready ─► handing over ─ all have let go ─► done
//                                         └─ refused, or a worker died ─► called off: everything is as it was
//
// Who lets go says so here, and not to those who wait for it: so a worker that dies in the middle lets go by its death,
// and nobody waits for what cannot come. Invariant: a task that waits is told of every owner that it waits for exactly
// when that has let go or is dead; spouts begin when all whose partitions they may read have stopped.

import { failure, fromWire, type WireError } from '../errors.js';
import type { TopologyDescription } from '../model/describe.js';
import { handOvers, type HandOvers, type SpoutHandOver } from '../plan/hand-overs.js';
import type { Plan, TaskPlan } from '../plan/plan.js';
import { replan, type PlanChange } from '../plan/replan.js';
import type { Checkpoint, LetGo, ToWorker, Transition, TransitionSoFar } from './messages.js';

/** What a change needs of its run. */
export interface RebalanceHost {
  readonly description: TopologyDescription;
  readonly plan: Plan;
  /** No worker is being started or replaced. */
  readonly isStable: boolean;
  /** Spouts are done for good. */
  readonly isDraining: boolean;
  readonly checkpoints: Iterable<Checkpoint>;
  nextRevision(): number;
  /** Starts workers that are added, and has the others make ready. */
  begin(transition: Transition, over: HandOvers): void;
  /** Ends workers that were added. */
  undo(transition: Transition): void;
  /** The new plan holds. */
  adopt(transition: Transition, over: HandOvers): void;
  /** Ends workers that are not in the plan any more, and forgets what is over. */
  settle(transition: Transition): void;
  /** Every worker has the wiring of that revision, or a later one. */
  isWired(revision: number): boolean;
  broadcast(message: ToWorker): void;
  post(worker: number, message: ToWorker): void;
  isAlive(worker: number): boolean;
  opened(ingestTasks: readonly number[]): void;
  /** It is over, one way or the other. */
  over(): void;
}

interface SpoutGroup extends SpoutHandOver {
  /** Tasks that have not stopped. */
  readonly running: Set<number>;
  /** Of those that stopped, all had come to their end. */
  ended: boolean;
}

type Phase = 'waiting' | 'preparing' | 'handing over' | 'over';

export class Rebalance {
  /** Resolves when it is carried out, rejects when it is not. */
  readonly done: Promise<void>;
  private readonly host: RebalanceHost;
  private readonly change: PlanChange;
  private phase: Phase = 'waiting';
  private transition: Transition | null = null;
  private handOvers: HandOvers | null = null;
  /** Workers that are not ready yet. */
  private readonly unready = new Set<number>();
  /** Tasks that have not let go, with their places. */
  private readonly owners = new Map<number, TaskPlan>();
  private readonly waitedFor = new Set<number>();
  private readonly groups: SpoutGroup[] = [];
  /** Spout tasks that were told to begin and have not said that they have, with their places. */
  private readonly opening = new Map<number, TaskPlan>();
  /** Spout tasks that were not told yet. */
  private readonly waitingSpouts = new Set<number>();
  private readonly haveLetGo: LetGo[] = [];
  private untold: LetGo[] = [];
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(host: RebalanceHost, change: PlanChange) {
    this.host = host;
    this.change = change;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Tasks of the old plan may still have work. */
  get isHandingOver(): boolean {
    return this.owners.size > 0;
  }

  /** What a worker that starts now has to know; null while the plan is one. */
  get soFar(): TransitionSoFar | null {
    if (this.transition === null || this.phase === 'over') return null;
    return { ...this.transition, letGo: [...this.haveLetGo], waitingSpouts: [...this.waitingSpouts] };
  }

  /** Something has changed that it may wait for. */
  poke(): void {
    if (this.phase === 'waiting' && this.host.isStable) this.begin();
    else if (this.phase === 'handing over') this.endIfDone();
  }

  /** That worker has all of its part ready. */
  prepared(worker: number): void {
    if (this.phase !== 'preparing' || !this.unready.delete(worker) || this.unready.size > 0) return;
    this.carryOut(this.transition!, this.handOvers!);
  }

  /** It cannot be done there; false when it is too late to call it off. */
  refused(error: WireError): boolean {
    if (this.phase !== 'preparing') return false;
    this.callOff(fromWire(error));
    return true;
  }

  letGo(letGo: LetGo): void {
    if (!this.owners.delete(letGo.task)) return;
    this.haveLetGo.push(letGo);
    if (this.waitedFor.has(letGo.task)) this.tell(letGo);
    for (const group of this.groups) {
      if (!group.running.delete(letGo.task)) continue;
      if (!letGo.ended) group.ended = false;
      if (group.running.size === 0) this.open(group);
    }
    this.endIfDone();
  }

  spoutsOpened(tasks: readonly number[], ingestTasks: readonly number[]): void {
    for (const task of tasks) this.opening.delete(task);
    this.host.opened(ingestTasks);
    this.endIfDone();
  }

  /** Before all were ready that calls it off. */
  workerDied(worker: number, reason: string): void {
    if (this.phase !== 'preparing') return;
    this.callOff(failure('MILLRACE_REBALANCE_WORKER_DIED', { worker, reason }));
  }

  /** What a dead worker owned has no owner now, and who takes its place opens what it was told to open. */
  ownersDied(worker: number): void {
    if (this.phase !== 'handing over') return;
    for (const [task, place] of this.opening) if (place.worker === worker) this.opening.delete(task);
    for (const { task, worker: place } of [...this.owners.values()]) {
      if (place === worker) this.letGo({ task, ended: false });
    }
    this.endIfDone();
  }

  /** The topology ends. */
  end(): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.reject(failure('MILLRACE_REBALANCE_ENDED', { topology: this.host.description.name }));
  }

  private begin(): void {
    const { host } = this;
    const { plan: after } = replan(host.description, host.plan, this.change);
    const over = handOvers(host.description, host.plan, after);
    if (over.changed.size === 0 && after.workers === host.plan.workers) {
      this.finish();
      return;
    }
    this.phase = 'preparing';
    this.handOvers = over;
    for (const task of over.owners.values()) this.owners.set(task.task, task);
    for (const owners of over.waits.values()) for (const owner of owners) this.waitedFor.add(owner);
    for (const spouts of over.spouts) {
      for (const task of spouts.before) this.owners.set(task.task, task);
      for (const { task } of spouts.after) this.waitingSpouts.add(task);
      const running = new Set(spouts.before.map(({ task }) => task));
      this.groups.push({ ...spouts, running, ended: true });
    }
    const workers = Math.max(host.plan.workers, after.workers);
    for (let worker = 0; worker < workers; worker++) this.unready.add(worker);
    this.transition = { revision: host.nextRevision(), before: host.plan, after };
    host.begin(this.transition, over);
  }

  private callOff(error: Error): void {
    const transition = this.transition!;
    this.phase = 'over';
    this.host.broadcast({ type: 'cancelChange', revision: transition.revision });
    this.host.undo(transition);
    this.reject(error);
    this.host.over();
  }

  private carryOut(transition: Transition, over: HandOvers): void {
    const { host } = this;
    this.phase = 'handing over';
    host.adopt(transition, over);
    for (let worker = 0; worker < transition.before.workers; worker++) {
      host.post(worker, { type: 'change', revision: transition.revision });
    }
    this.endIfDone();
  }

  /** Gathers what is told within a turn. */
  private tell(letGo: LetGo): void {
    this.untold.push(letGo);
    if (this.untold.length > 1) return;
    setImmediate(() => {
      const owners = this.untold;
      this.untold = [];
      if (this.phase === 'handing over') this.host.broadcast({ type: 'letGo', owners });
      this.endIfDone();
    });
  }

  private open(group: SpoutGroup): void {
    const { host } = this;
    // A topology that drains has nothing more to read.
    const ended = group.ended || host.isDraining;
    const checkpoints = [...host.checkpoints].filter(({ component }) => component === group.component);
    const byWorker = new Map<number, LetGo[]>();
    for (const place of group.after) {
      this.waitingSpouts.delete(place.task);
      if (!host.isAlive(place.worker)) continue;
      this.opening.set(place.task, place);
      const spouts = byWorker.get(place.worker) ?? [];
      byWorker.set(place.worker, spouts);
      spouts.push({ task: place.task, ended });
    }
    for (const [worker, spouts] of byWorker) host.post(worker, { type: 'openSpouts', spouts, checkpoints });
  }

  private endIfDone(): void {
    if (this.phase !== 'handing over' || this.owners.size + this.opening.size + this.untold.length > 0) return;
    const transition = this.transition!;
    if (!this.host.isWired(transition.revision)) return;
    this.host.broadcast({ type: 'changed', revision: transition.revision });
    this.host.settle(transition);
    this.finish();
  }

  private finish(): void {
    this.phase = 'over';
    this.resolve();
    this.host.over();
  }
}
