// A simulated run at its lead: its spouts advance and keep how far they are, its workers die and are started anew, it
// ends by itself or as it is told, and rebalances are carried out or refused; all of it as the seed says.
//
//   start ─► running ─┬─ completed, failed: by itself
//              ▲ ▼    └─ killed: after what it still does, at most its wait
//            resting
//   standby ─► open ─► running       running ─► aside ─► running

import type { WireError } from '../../engine/errors.js';
import { planTasks, type Parallelism, type TaskPlan } from '../../engine/plan/plan.js';
import type { RebalanceOrder, RunEnd, RunListener, RunningTopology, RunOrder } from '../../coordination/host/runner.js';
import type { Checkpoint, EndState, RunStage, WorkerPlace } from '../../coordination/topology-records.js';
import { keyOf, numberOf, progressOf } from './progress.js';
import { Seats } from './seats.js';
import type { RunAt, RunnerParts } from './witness.js';

export const SEED_SAYS_SO: WireError = {
  name: 'Error',
  code: null,
  message: 'the seed says so',
  fatal: false,
  hint: null,
  stack: null,
  problems: [],
};

export class SimRun implements RunningTopology, RunAt {
  readonly order: RunOrder;
  readonly where: string;
  readonly ended: Promise<RunEnd>;
  readonly seats: Seats;
  /** How far each partition is, by component and partition. */
  readonly offsets = new Map<string, number>();
  isActive = true;
  /** Its spouts are there: it neither stands by nor aside. */
  isOpen: boolean;
  isOver = false;
  change: number;
  private parallelism: Parallelism;
  private readonly runner: RunnerParts;
  private readonly over: () => void;
  private readonly listener: RunListener;
  private readonly rebalances: RebalanceOrder[] = [];
  private isEnding = false;
  private steps = 0;
  private spouts: readonly TaskPlan[] = [];
  private resolve: (end: RunEnd) => void = () => undefined;

  /** @param over - told when it is over, which is never before this returns */
  constructor(runner: RunnerParts, order: RunOrder, listener: RunListener, over: () => void) {
    this.runner = runner;
    this.over = over;
    this.order = order;
    this.listener = listener;
    this.where = runner.where;
    this.parallelism = order.parallelism;
    this.change = order.change;
    this.isOpen = !order.standby;
    this.seats = new Seats(runner, this, (hosts) => listener.away(hosts));
    this.ended = new Promise((resolve) => (this.resolve = resolve));
    runner.witness.started(this);
    this.goOnFrom(order.checkpoints);
    this.spread(order.places);
    const { random } = runner;
    const { completes, fails } = runner.habits();
    runner.clock.after(runner.between(5, 300), () => this.advance());
    runner.clock.after(100, () => this.look());
    if (random.nextFloat() < completes) this.endAfter(runner.between(500, 60_000), 'completed');
    else if (random.nextFloat() < fails) this.endAfter(runner.between(0, 20_000), 'failed');
    if (random.nextFloat() < 0.2) runner.clock.after(runner.between(500, 20_000), () => this.workerDies());
    if (order.standby) this.step(3_000, 'standby', () => undefined);
  }

  open(checkpoints: readonly Checkpoint[]): void {
    this.runner.witness.opened(this, checkpoints);
    this.step(2_000, 'open', () => {
      if (this.runner.random.nextFloat() < this.runner.habits().refuses) return this.end('failed');
      this.goOnFrom(checkpoints);
      this.isOpen = true;
    });
  }

  standAside(): void {
    this.step(2_000, 'aside', () => (this.isOpen = false));
  }

  comeBack(): void {
    // Its spouts begin one after the other, and it says so when all of them have.
    this.isOpen = true;
    this.step(500, null, () => undefined);
  }

  /** Comes further after a while, unless it is told otherwise before. */
  private step(ms: number, stage: RunStage | null, does: () => unknown): void {
    const { runner, listener } = this;
    const number = ++this.steps;
    runner.clock.after(runner.between(1, ms), () => {
      if (this.isOver || this.isEnding || number !== this.steps) return;
      does();
      if (!this.isOver) listener.stage(stage);
    });
  }

  private goOnFrom(checkpoints: readonly Checkpoint[]): void {
    for (const each of checkpoints) this.offsets.set(keyOf(each), numberOf(each.progress));
  }

  activate(): void {
    this.isActive = true;
  }

  deactivate(): void {
    this.isActive = false;
  }

  rebalance(order: RebalanceOrder): void {
    this.rebalances.push(order);
    if (this.rebalances.length === 1) this.nextRebalance();
  }

  place(places: readonly WorkerPlace[]): void {
    const last = this.rebalances.pop();
    // What is being rebalanced gets its places with that.
    if (last !== undefined) this.rebalances.push({ ...last, places });
    else if (places.length === this.seats.places.length) this.seats.place(places);
  }

  kill({ waitMs }: { readonly waitMs: number }): void {
    if (this.isEnding) return;
    this.isEnding = true;
    const { runner } = this;
    const lastsMs = Math.min(waitMs, runner.between(0, 3_000)) + runner.between(0, 30);
    runner.clock.after(lastsMs, () => this.end('killed'));
  }

  private endAfter(ms: number, state: EndState): void {
    this.runner.clock.after(ms, () => this.end(state));
  }

  private end(state: EndState): void {
    if (this.isOver) return;
    this.isOver = true;
    const { runner, order } = this;
    this.over();
    runner.witness.note(`${this.where}: "${order.name}" r${order.revision} is over: ${state}`);
    runner.witness.sawEnd(order.id, state);
    this.resolve({ status: state, error: state === 'failed' ? SEED_SAYS_SO : null, final: null });
  }

  /** Spouts have gone on, and their trees are done; told as long as bolts go on. */
  private advance(): void {
    if (this.isOver) return;
    const { runner, listener, seats } = this;
    for (const { component, index, worker } of this.isActive && this.isOpen ? this.spouts : []) {
      if (!seats.runs(worker)) continue;
      const partition = String(index);
      const key = keyOf({ component, partition });
      const number = (this.offsets.get(key) ?? 0) + 1 + runner.random.nextBelow(50);
      this.offsets.set(key, number);
      listener.checkpoint({ component, partition, progress: progressOf(number) });
    }
    runner.clock.after(runner.between(500, runner.habits().paceMs), () => this.advance());
  }

  private look(): void {
    if (this.isOver) return;
    const { runner, seats } = this;
    seats.look();
    // Who is alone sees nobody come or go.
    const isAlone = seats.places.every(({ host }) => host === this.where);
    runner.clock.after(isAlone ? 5_000 : Math.min(500, runner.habits().paceMs / 10), () => this.look());
  }

  private workerDies(): void {
    if (this.isOver) return;
    this.seats.dies(this.runner.random.nextBelow(this.seats.places.length));
    this.runner.clock.after(this.runner.between(5_000, 60_000), () => this.workerDies());
  }

  private nextRebalance(): void {
    const { runner, listener } = this;
    runner.clock.after(runner.between(10, 2_000), () => {
      const [order] = this.rebalances;
      if (order === undefined || this.isOver) return;
      this.rebalances.shift();
      // A smaller number is never refused: its slots are another one's from the moment when the master wrote it.
      const isSmaller = order.places.length < this.seats.places.length;
      if (!isSmaller && runner.random.nextFloat() < runner.habits().refuses) {
        listener.rebalanced(order, SEED_SAYS_SO);
      } else {
        this.parallelism = order.parallelism;
        this.change = order.change;
        this.spread(order.places);
        listener.rebalanced(order, null);
      }
      if (this.rebalances.length > 0) this.nextRebalance();
    });
  }

  private spread(places: readonly WorkerPlace[]): void {
    const { description } = this.order;
    this.seats.place(places);
    const spouts = new Set(description.components.flatMap(({ kind, id }) => (kind === 'spout' ? id : [])));
    const { tasks } = planTasks(description, places.length, this.parallelism);
    this.spouts = tasks.filter(({ component }) => spouts.has(component));
  }
}
