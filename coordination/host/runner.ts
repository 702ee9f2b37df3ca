// What runs topologies for a host: declared here, carried out over the engine by whoever joins the two. The
// coordination never looks inside; it says what to run and what to do with it, and is told how it ended. Types only.

import type { WireError } from '../../engine/errors.js';
import type { Parallelism } from '../../engine/plan/plan.js';
import type { Checkpoint, CheckpointChange, EndState, Payload, RunStage, WorkerPlace } from '../topology-records.js';

/** What a host is to run. */
export interface RunOrder extends Payload {
  readonly name: string;
  readonly id: string;
  /** Under which its parameters are kept: versions of a topology hand it on to each other. */
  readonly stateId: string;
  readonly revision: number;
  /** Of the master that assigned it. */
  readonly epoch: number;
  /**
   * Where each worker runs, the first one here; `planTasks` of the description, their number and the parallelism says
   * which tasks.
   */
  readonly places: readonly WorkerPlace[];
  /** How many tasks components have, where that differs from the description. */
  readonly parallelism: Parallelism;
  /** The last rebalance that this takes into account. */
  readonly change: number;
  /** Incarnations of its tasks begin here, above all of earlier revisions. */
  readonly firstIncarnation: number;
  /** The progress of its spouts, as it was last kept. */
  readonly checkpoints: readonly Checkpoint[];
  /**
   * It is to take the place of a version that still runs: its bolts are prepared and active, and its spouts are made
   * when it is opened, with the progress that it is given then.
   */
  readonly standby: boolean;
}

/** What a run tells while it goes on. */
export interface RunListener {
  /** Progress to be kept, packed, at most `CHECKPOINT_BYTES_MAX`; or to be forgotten. */
  checkpoint(checkpoint: CheckpointChange): void;
  /** A rebalance was carried out, or refused: then everything is as it was. */
  rebalanced(order: RebalanceOrder, refused: WireError | null): void;
  /** Those of its hosts, as `host~boot`, cannot be reached: all of them each time that it changes. */
  away(hosts: readonly string[]): void;
  /** It has come to that stage; null: its spouts stood aside and are back. */
  stage(stage: RunStage | null): void;
}

/** How a topology is to be spread from now on. */
export interface RebalanceOrder {
  readonly workers: number;
  /** Where they run. */
  readonly places: readonly WorkerPlace[];
  readonly parallelism: Parallelism;
  /** Its number; what comes later counts. */
  readonly change: number;
}

/** How a run ended. */
export interface RunEnd {
  readonly status: EndState;
  /** Why, when it failed. */
  readonly error: WireError | null;
  /** What stays readable of it: plain data, at most `FINAL_BYTES_MAX` as JSON. */
  readonly final: unknown;
}

/** A topology that runs, or starts. Calls may come at any time, also before it has started and after it has ended. */
export interface RunningTopology {
  /** Resolves when all of it is over and closed, and with `failed` when it could not start. Never rejects. */
  readonly ended: Promise<RunEnd>;
  /** Spouts are asked again. */
  activate(): void;
  /** Spouts are not asked any more; bolts go on. */
  deactivate(): void;
  /** Spreads it anew while it goes on; one after the other. */
  rebalance(order: RebalanceOrder): void;
  /** Has workers run elsewhere, as many as before; those that need not move go on. */
  place(places: readonly WorkerPlace[]): void;
  /**
   * Has the spouts of one that stands by opened, which go on from that progress; when they cannot be, it fails. For any
   * other one, and from the second time on, nothing.
   */
  open(checkpoints: readonly Checkpoint[]): void;
  /**
   * Has its spouts let go of all they read, once their trees are done, while bolts stay. What keeps them from it
   * passes: it is tried until it is done or they are to come back.
   */
  standAside(): void;
  /** Has spouts that stand aside, or are about to, begin anew where they were. */
  comeBack(): void;
  /** Spouts stop at once, bolts go on until nothing is under way, or for that time at most; then all is closed. */
  kill(options: { readonly waitMs: number }): void;
}

/** What a host that does not lead a topology is to run some workers of. */
export interface JoinOrder extends Payload {
  readonly name: string;
  readonly id: string;
  readonly revision: number;
  /** The host that leads it; which workers run here is for that one to say. */
  readonly lead: WorkerPlace;
}

/** Part in a topology that another host leads. */
export interface Membership {
  /** How many workers its lead has started here and not ended. */
  readonly workers: number;
  /** Ends the workers that run here; resolves when they are gone. */
  end(): Promise<void>;
}

export interface TopologyRunner {
  /** Starts it, active; its first place is of this host, which leads it. What goes wrong is told by `ended`. */
  start(order: RunOrder, listener: RunListener): RunningTopology;
  /** Runs workers for its lead, which is looked for as long as it takes. */
  join(order: JoinOrder): Membership;
}
