// One change of the plan of a running topology, as its supervisor carries it out. On the main thread.
//
//   waiting ─ nothing else changes ─► preparing ─ every worker is ready ─► moving spouts ─ new ones are open ─┐
//                                         │                                     └─ refused, a death ─► going back
//                                         └─ refused, a death ─► called off          done ◄─ all have ─ handing over ◄┘
//                                                                                            let go
//   going back: spouts that had let go begin anew where they were, and nothing else has changed
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
  /** These are given no records from outside any more. */
  spoutsLeave(tasks: readonly number[]): void;
  /** Ends workers that were added; resolves when they are gone. */
  undo(transition: Transition): Promise<void>;
  /** Those begin anew, as soon as every worker has confirmed the revision that it gives. */
  revive(spouts: readonly TaskPlan[]): number;
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

export interface SpoutGroup extends SpoutHandOver {
  /** Tasks that have not stopped. */
  readonly running: Set<number>;
  /** Of those that stopped, all had come to their end. */
  ended: boolean;
}

type Phase = 'waiting' | 'preparing' | 'moving spouts' | 'going back' | 'handing over' | 'over';

export class Rebalance {
  /** Resolves when it is carried out, rejects when it is not. */
  readonly done: Promise<void>;
  protected readonly host: RebalanceHost;
  private readonly change: PlanChange;
  protected phase: Phase = 'waiting';
  private transition: Transition | null = null;
  private handOvers: HandOvers | null = null;
  /** Workers that are not ready yet. */
  private readonly unready = new Set<number>();
  /** Tasks that have not let go, with their places. */
  private readonly owners = new Map<number, TaskPlan>();
  private readonly waitedFor = new Set<number>();
  private readonly groups: SpoutGroup[] = [];
  /** Spout tasks that were told to open and have not said that they are open, with their places. */
  private readonly opening = new Map<number, TaskPlan>();
  /** Spout tasks that were not told yet. */
  private readonly waitingSpouts = new Set<number>();
  private haveLetGo: LetGo[] = [];
  /** Why it goes back. */
  private failure: Error | null = null;
  /** Workers that were added are still closing what came to them. */
  private isUndoing = false;
  /** The wiring in which spouts begin anew; 0: they cannot yet. */
  private reviving = 0;
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
    if (this.transition === null || this.phase === 'over' || this.phase === 'going back') return null;
    return { ...this.transition, letGo: [...this.haveLetGo], waitingSpouts: [...this.waitingSpouts] };
  }

  /** Something has changed that it may wait for. */
  poke(): void {
    if (this.phase === 'waiting' && this.host.isStable) this.begin();
    else if (this.phase === 'handing over') this.endIfDone();
    else if (this.phase === 'going back') this.goBack();
  }

  /** That worker has all of its part ready. */
  prepared(worker: number): void {
    if (this.phase !== 'preparing' || !this.unready.delete(worker) || this.unready.size > 0) return;
    if (this.groups.length === 0) this.carryOut(this.transition!, this.handOvers!);
    else this.moveSpouts(this.transition!);
  }

  /** It cannot be done there; false when it is too late to call it off. */
  refused(error: WireError): boolean {
    return this.callOff(fromWire(error));
  }

  /** It was called off, and these spouts of that worker had not let go. */
  stayed(worker: number, tasks: readonly number[]): void {
    if (this.phase !== 'going back') return;
    this.unready.delete(worker);
    for (const task of tasks) this.owners.delete(task);
    this.goBack();
  }

  letGo(letGo: LetGo): void {
    if (!this.owners.delete(letGo.task)) return;
    this.haveLetGo.push(letGo);
    if (this.waitedFor.has(letGo.task)) this.tell(letGo);
    if (this.phase === 'moving spouts') this.spoutLetGo(letGo);
    else this.poke();
  }

  private spoutLetGo({ task, ended }: LetGo): void {
    for (const group of this.groups) {
      if (!group.running.delete(task)) continue;
      if (!ended) group.ended = false;
      if (group.running.size === 0) this.partStopped(group);
    }
  }

  spoutsOpened(tasks: readonly number[], ingestTasks: readonly number[]): void {
    for (const task of tasks) this.opening.delete(task);
    this.host.opened(ingestTasks);
    if (this.phase === 'going back') this.goBack();
    else if (this.phase === 'moving spouts' && this.opening.size + this.waitingSpouts.size === 0) {
      this.carryOut(this.transition!, this.handOvers!);
    }
  }

  /** Before the plan has changed that calls it off. */
  workerDied(worker: number, reason: string): void {
    this.callOff(failure('MILLRACE_REBALANCE_WORKER_DIED', { worker, reason }));
  }

  /** What a dead worker owned has no owner now, and who takes its place opens what it was told to open. */
  ownersDied(worker: number): void {
    if (this.phase === 'going back') {
      this.placesDied(worker);
      return;
    }
    if (this.phase !== 'handing over') return;
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

  /** What the plan is to become. */
  protected nextPlan(): Plan {
    return replan(this.host.description, this.host.plan, this.change).plan;
  }

  private begin(): void {
    const { host } = this;
    const after = this.nextPlan();
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

  /** Every worker is ready. */
  private moveSpouts({ revision }: Transition): void {
    this.phase = 'moving spouts';
    this.host.spoutsLeave([...this.groups.flatMap(({ running }) => [...running])]);
    this.host.broadcast({ type: 'moveSpouts', revision });
  }

  /** It is not wanted any more. */
  protected giveUp(error: Error): void {
    if (this.phase !== 'waiting') {
      this.callOff(error);
      return;
    }
    this.phase = 'over';
    this.reject(error);
    this.host.over();
  }

  /** False when it is too late for that. */
  private callOff(error: Error): boolean {
    if (this.phase !== 'preparing' && this.phase !== 'moving spouts') return false;
    const transition = this.transition!;
    const isMoving = this.phase === 'moving spouts';
    this.phase = isMoving ? 'going back' : 'over';
    this.host.broadcast({ type: 'cancelChange', revision: transition.revision });
    const undone = this.host.undo(transition);
    if (!isMoving) {
      this.reject(error);
      this.host.over();
      return true;
    }
    this.failure = error;
    this.opening.clear();
    for (let worker = 0; worker < transition.before.workers; worker++) {
      if (this.host.isAlive(worker)) this.unready.add(worker);
    }
    const spouts = new Set(this.groups.flatMap(({ before }) => before.map(({ task }) => task)));
    for (const task of this.owners.keys()) if (!spouts.has(task)) this.owners.delete(task);
    this.isUndoing = true;
    void undone.then(() => {
      this.isUndoing = false;
      this.poke();
    });
    return true;
  }

  /** Spouts that had let go begin anew, once it is known which, and all that came is closed. */
  private goBack(): void {
    const { host } = this;
    if (this.owners.size + this.unready.size > 0 || this.isUndoing) return;
    const places = this.places;
    if (this.reviving === 0) this.reviving = host.revive(this.haveLetGo.map(({ task }) => places.get(task)!));
    if (!host.isWired(this.reviving)) return;
    if (this.haveLetGo.length > 0) {
      for (const { task } of this.haveLetGo) this.opening.set(task, places.get(task)!);
      const spouts = this.haveLetGo;
      this.haveLetGo = [];
      this.tellToOpen(spouts, new Set(spouts.map(({ task }) => places.get(task)!.component)));
    }
    if (this.opening.size > 0) return;
    this.phase = 'over';
    this.reject(this.failure!);
    host.over();
  }

  private get places(): ReadonlyMap<number, TaskPlan> {
    return new Map(this.transition!.before.tasks.map((task) => [task.task, task]));
  }

  /** Who takes the place of that worker begins with all that was there. */
  private placesDied(worker: number): void {
    this.forgetPlaces(worker);
    this.goBack();
  }

  protected forgetPlaces(worker: number): void {
    const { places } = this;
    const isThere = (task: number): boolean => places.get(task)?.worker === worker;
    this.unready.delete(worker);
    for (const task of [...this.owners.keys(), ...this.opening.keys()]) {
      if (!isThere(task)) continue;
      this.owners.delete(task);
      this.opening.delete(task);
    }
    this.haveLetGo = this.haveLetGo.filter(({ task }) => !isThere(task));
  }

  private carryOut(transition: Transition, over: HandOvers): void {
    const { host } = this;
    this.phase = 'handing over';
    host.adopt(transition, over);
    host.broadcast({ type: 'change', revision: transition.revision });
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

  /** All whose partitions those of that group may read have stopped. */
  protected partStopped(group: SpoutGroup): void {
    this.open(group);
  }

  /** Spouts that leave have not let go. */
  protected get hasSpoutsRunning(): boolean {
    return this.groups.some(({ running }) => running.size > 0);
  }

  private open({ component, after, ended }: SpoutGroup): void {
    for (const place of after) {
      this.waitingSpouts.delete(place.task);
      this.opening.set(place.task, place);
    }
    this.tellToOpen(
      after.map(({ task }) => ({ task, ended })),
      new Set([component]),
    );
  }

  private tellToOpen(spouts: readonly LetGo[], components: ReadonlySet<string>): void {
    const { host } = this;
    const checkpoints = [...host.checkpoints].filter(({ component }) => components.has(component));
    const byWorker = new Map<number, LetGo[]>();
    for (const { task, ended } of spouts) {
      const { worker } = this.opening.get(task)!;
      const those = byWorker.get(worker) ?? [];
      byWorker.set(worker, those);
      // A topology that drains has nothing more to read.
      those.push({ task, ended: ended || host.isDraining });
    }
    for (const [worker, those] of byWorker) host.post(worker, { type: 'openSpouts', spouts: those, checkpoints });
  }

  private endIfDone(): void {
    if (this.phase !== 'handing over' || this.owners.size + this.untold.length > 0) return;
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
