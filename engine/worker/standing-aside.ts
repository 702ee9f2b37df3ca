// The spouts of a run stand aside, so that those of another version can be opened: a change of the plan to one in which
// every spout has a new number where it is, and which stops when all spouts have let go. It is never carried out: it is
// called off when they are to come back, and also when the run drains, because then its bolts wait for their ends. On
// the main thread.
//
//   waiting ─► preparing ─► moving spouts ─ all have let go ─► held ─ come back, drain ─► going back ─► over
//      └───────────┴────────────┴─ come back, a worker dies ─► going back, or over
//
// Invariant: a worker that dies while it is held is not replaced before it is called off, because who takes its place
// would take tasks for its sources that never come.

import type { WireError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import { spoutsAnew } from '../plan/spouts.js';
import { Rebalance, type RebalanceHost } from './rebalance.js';

export interface AsideHost extends RebalanceHost {
  /** Every spout has let go. */
  held(): void;
}

export class StandingAside extends Rebalance {
  /** Resolves when every spout has let go, rejects when they go on instead. */
  readonly aside: Promise<void>;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  private readonly asideHost: AsideHost;
  private held = false;
  private released = false;
  private resolveAside: () => void = () => undefined;

  constructor(host: AsideHost) {
    super(host, {});
    this.asideHost = host;
    this.aside = new Promise((resolve, reject) => {
      this.resolveAside = resolve;
      this.done.then(resolve, reject);
    });
    this.aside.catch(() => undefined);
    this.over = this.done.catch(() => undefined);
  }

  /** All spouts have let go. */
  get isHeld(): boolean {
    return this.held;
  }

  /** It was called off. */
  get isReleased(): boolean {
    return this.released;
  }

  /** Spouts take no records from outside. */
  get isLeaving(): boolean {
    return this.phase === 'moving spouts';
  }

  protected override nextPlan(): Plan {
    return spoutsAnew(this.host.description, this.host.plan);
  }

  protected override partStopped(): void {
    if (this.hasSpoutsRunning) return;
    this.held = true;
    this.asideHost.held();
    this.resolveAside();
  }

  override refused(error: WireError): boolean {
    return !this.held && super.refused(error);
  }

  override workerDied(worker: number, reason: string): void {
    if (!this.held) super.workerDied(worker, reason);
  }

  override ownersDied(worker: number): void {
    if (this.held) this.forgetPlaces(worker);
    else super.ownersDied(worker);
  }

  /**
   * Spouts go on, or begin anew; as ended ones when the topology drains.
   *
   * @param why - what who waits for them to stand aside is told
   */
  release(why: Error): void {
    this.held = false;
    this.released = true;
    this.giveUp(why);
  }
}
