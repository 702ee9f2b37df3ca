// What simulated runs ask of their world and tell it. Types only.

import type { Random } from '../../engine/random.js';
import type { JoinOrder, RunOrder } from '../../coordination/host/runner.js';
import type { Checkpoint, EndState } from '../../coordination/topology-records.js';
import type { ProcessClock } from './time.js';

/** A run, and at which host it is led. */
export interface RunAt {
  readonly order: RunOrder;
  readonly where: string;
}

/** Part in a run, and which host takes it. */
export interface PartAt {
  readonly order: JoinOrder;
  readonly where: string;
}

/** What the world hears of runs, and what is between them. */
export interface RunWitness {
  /** A run begins; what it does has these incarnations. */
  started(run: RunAt): void;
  /** One that stood by is to open its spouts, which go on from there. */
  opened(run: RunAt, checkpoints: readonly Checkpoint[]): void;
  /** A host takes part. */
  joined(part: PartAt): void;
  /** A worker has that incarnation from now on. */
  incarnated(run: RunAt, worker: number, incarnation: number): void;
  sawEnd(id: string, state: EndState): void;
  note(line: string): void;
  /** What takes part in that run there, as far as its lead reaches it. */
  reach(run: RunAt, member: string): PartAt | null;
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

/** What runs of a host share. */
export interface RunnerParts {
  readonly where: string;
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly witness: RunWitness;
  /** Asked for at each moment: at the end of a day they are others. */
  readonly habits: () => RunHabits;
  /** A time by the seed. */
  between(fromMs: number, toMs: number): number;
}
