// The runner of a simulated host: what runs here as lead (run.ts), and what takes part in runs that others lead.

import type { Random } from '../../engine/random.js';
import type {
  JoinOrder,
  Membership,
  RunListener,
  RunningTopology,
  RunOrder,
  TopologyRunner,
} from '../../coordination/host/runner.js';
import { SEED_SAYS_SO, SimRun } from './run.js';
import type { ProcessClock } from './time.js';
import type { PartAt, RunHabits, RunnerParts, RunWitness } from './witness.js';

export class SimRunner implements TopologyRunner, RunnerParts {
  /** Those that are not over. */
  readonly runs = new Set<SimRun>();
  readonly memberships = new Set<SimMembership>();
  readonly where: string;
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly witness: RunWitness;
  /** Asked for at each moment: at the end of a day they are others. */
  readonly habits: () => RunHabits;

  constructor(where: string, clock: ProcessClock, random: Random, witness: RunWitness, habits: () => RunHabits) {
    this.where = where;
    this.clock = clock;
    this.random = random;
    this.witness = witness;
    this.habits = habits;
  }

  start(order: RunOrder, listener: RunListener): RunningTopology {
    if (this.random.nextFloat() < this.habits().fails / 4) {
      this.witness.sawEnd(order.id, 'failed');
      throw new Error(SEED_SAYS_SO.message);
    }
    const run: SimRun = new SimRun(this, order, listener, () => this.runs.delete(run));
    this.runs.add(run);
    return run;
  }

  join(order: JoinOrder): Membership {
    return new SimMembership(this, order);
  }

  between(fromMs: number, toMs: number): number {
    return fromMs + this.random.nextFloat() * (toMs - fromMs);
  }
}

/** Part in a run that another host leads: the lead looks for it, and says what runs in it. */
export class SimMembership implements Membership, PartAt {
  readonly order: JoinOrder;
  readonly where: string;
  isEnding = false;
  /** Its lead is told at once when it ends, so nobody waits for it. */
  readonly workers = 0;
  private readonly runner: SimRunner;
  private isReady = false;

  constructor(runner: SimRunner, order: JoinOrder) {
    this.runner = runner;
    this.order = order;
    this.where = runner.where;
    runner.witness.joined(this);
    runner.memberships.add(this);
    runner.clock.after(runner.between(1, 300), () => (this.isReady = true));
  }

  /** Whether workers may run in it. */
  get isOpen(): boolean {
    return this.isReady && !this.isEnding;
  }

  async end(): Promise<void> {
    this.isEnding = true;
    const { runner } = this;
    await new Promise<void>((resolve) => runner.clock.after(runner.between(0, 200), resolve));
    runner.memberships.delete(this);
  }
}
