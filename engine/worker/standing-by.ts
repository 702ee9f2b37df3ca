// A run that stands by: its bolts are prepared and active, and no spout is made, until those of the version that it
// takes the place of have let go. To its workers it starts in the middle of a change: from its plan without spouts to
// its plan. On the main thread.
//
//   standing by ─ open ─► waiting ─ every worker is there ─► opening ─ all are open ─► over
//       a worker dies: it is replaced, and goes on ┘            └─ refused, a worker dies ─► over, the run fails
//
// Invariant: a worker that starts before all are open makes no spout; none is asked before all are open.

import { failure, fromWire, type WireError } from '../errors.js';
import type { TopologyDescription } from '../model/describe.js';
import type { Plan } from '../plan/plan.js';
import { withoutSpouts } from '../plan/spouts.js';
import type { Checkpoint, LetGo, ToWorker, TransitionSoFar } from './messages.js';

/** What it needs of its run. */
export interface StandbyHost {
  /** No worker is being started or replaced. */
  readonly isStable: boolean;
  readonly checkpoints: Iterable<Checkpoint>;
  broadcast(message: ToWorker): void;
  post(worker: number, message: ToWorker): void;
  opened(ingestTasks: readonly number[]): void;
  /** All spouts are open. */
  allOpened(): void;
  /** They cannot be. */
  failed(error: Error): void;
}

/** The wiring that every worker starts with. */
const FIRST_REVISION = 0;

export class StandingBy {
  /** What a worker that starts now has to know. */
  readonly soFar: TransitionSoFar;
  /** Resolves when all spouts are open and begin, rejects when one of them cannot be opened, or the run ends. */
  readonly done: Promise<void>;
  private readonly topology: string;
  private readonly host: StandbyHost;
  private readonly plan: Plan;
  private phase: 'standing by' | 'waiting' | 'opening' | 'over' = 'standing by';
  /** Spout tasks that have not said that they are open. */
  private readonly unopened: Set<number>;
  private resolve: () => void = () => undefined;
  private reject: (error: Error) => void = () => undefined;

  constructor(description: TopologyDescription, plan: Plan, host: StandbyHost) {
    this.topology = description.name;
    this.host = host;
    this.plan = plan;
    const before = withoutSpouts(description, plan);
    const bolts = new Set(before.tasks.map(({ task }) => task));
    const waitingSpouts = plan.tasks.map(({ task }) => task).filter((task) => !bolts.has(task));
    this.unopened = new Set(waitingSpouts);
    this.soFar = { revision: FIRST_REVISION, before, after: plan, letGo: [], waitingSpouts };
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Nobody may ever ask for it.
    this.done.catch(() => undefined);
  }

  /** Spouts are to be opened, and are not all open. */
  get isOpening(): boolean {
    return this.phase === 'waiting' || this.phase === 'opening';
  }

  /** Has the spouts opened, as soon as every worker is there. */
  open(): void {
    if (this.phase !== 'standing by') return;
    this.phase = 'waiting';
    this.poke();
  }

  /** Something has changed that it may wait for. */
  poke(): void {
    if (this.phase !== 'waiting' || !this.host.isStable) return;
    this.phase = 'opening';
    const checkpoints = [...this.host.checkpoints];
    const byWorker = new Map<number, LetGo[]>();
    for (const { task, worker } of this.plan.tasks) {
      if (!this.unopened.has(task)) continue;
      const those = byWorker.get(worker) ?? [];
      byWorker.set(worker, those);
      those.push({ task, ended: false });
    }
    for (const [worker, spouts] of byWorker) this.host.post(worker, { type: 'openSpouts', spouts, checkpoints });
  }

  spoutsOpened(tasks: readonly number[], ingestTasks: readonly number[]): void {
    if (this.phase !== 'opening') return;
    for (const task of tasks) this.unopened.delete(task);
    this.host.opened(ingestTasks);
    if (this.unopened.size > 0) return;
    const { revision } = this.soFar;
    this.host.broadcast({ type: 'change', revision });
    this.host.broadcast({ type: 'changed', revision });
    this.phase = 'over';
    this.host.allOpened();
    this.resolve();
  }

  /** A spout cannot be opened; false when none is being opened. */
  refused(error: WireError): boolean {
    if (this.phase !== 'opening') return false;
    this.fail(fromWire(error));
    return true;
  }

  /** Before any spout is opened it is replaced as in any run. */
  workerDied(worker: number, reason: string): void {
    if (this.phase !== 'opening') return;
    this.fail(failure('MILLRACE_SPOUTS_WORKER_DIED', { topology: this.topology, worker, reason }));
  }

  /** The topology ends. */
  end(): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.reject(failure('MILLRACE_RUN_KILLED', { topology: this.topology }));
  }

  private fail(error: Error): void {
    this.phase = 'over';
    this.reject(error);
    this.host.failed(error);
  }
}
