// The runner of a simulated host: what runs here as lead (run.ts), and what takes part in runs that others lead. Types
// of what runs ask of the world and tell it.

import type { Random } from '../../engine/random.js';
import type {
  JoinOrder,
  Membership,
  RunListener,
  RunningTopology,
  RunOrder,
  TopologyRunner,
} from '../../coordination/host/runner.js';
import type { EndState } from '../../coordination/topology-records.js';
import { SEED_SAYS_SO, SimRun } from './run.js';
import type { ProcessClock } from './time.js';

/** What the world hears of runs, and what is between them. */
export interface RunWitness {
  /** A run begins; what it does has these incarnations. */
  started(run: SimRun): void;
  /** A host takes part. */
  joined(membership: SimMembership): void;
  /** A worker has that incarnation from now on. */
  incarnated(run: SimRun, worker: number, incarnation: number): void;
  sawEnd(id: string, state: EndState): void;
  note(line: string): void;
  /** What takes part in that run there, as far as its lead reaches it. */
  reach(run: SimRun, member: string): SimMembership | null;
}

/** How often runs do what. */
export interface RunHabits {
  /** Shares of those that end by themselves, fail, and refuse rebalances. */
  readonly completes: number;
  readonly fails: number;
  readonly refuses: number;
  /** Longest time between two steps of a spout. */
  readonly paceMs: number;
}

export class SimRunner implements TopologyRunner {
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
    return new SimRun(this, order, listener);
  }

  join(order: JoinOrder): Membership {
    return new SimMembership(this, order);
  }

  between(fromMs: number, toMs: number): number {
    return fromMs + this.random.nextFloat() * (toMs - fromMs);
  }
}

/** Part in a run that another host leads: the lead looks for it, and says what runs in it. */
export class SimMembership implements Membership {
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
