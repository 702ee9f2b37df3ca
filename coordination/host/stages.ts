// How a run is taken through the replacement of one version of a topology by another, as its assignment says: the one
// that comes opens its spouts, the one that goes has its spouts let go, and takes them back when the other one fails.
// What a run has reached is told only when that is safe to act upon. Main thread.
//
//   comes: standby ─ open: claims the progress of the other one, opens its spouts ─► open ─► as any
//   goes:  as any ─ aside: its spouts let go, their last progress is on disk ─► aside ─┬─► killed
//                                                   as any ◄── claims it back, comes back ┘
//   One that starts while it is to stand aside stands by, and never opens its spouts before it is to come back.
//
// Invariant: who has claimed the progress is the only one whose spouts are kept track of, and it claims it when the
// other one has written all of its own.

import type { Clock } from '../../engine/clock.js';
import { failure, reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { claimProgress, type CheckpointWriter, type Progress } from '../checkpoints.js';
import { assignmentPath } from '../paths.js';
import { fromNode } from '../store/json-node.js';
import type { Session } from '../store/contract.js';
import { pause } from '../store/signals.js';
import { isAssignment, type RunStage } from '../topology-records.js';
import { versionsOf, type Version } from '../versions.js';
import type { RunningTopology } from './runner.js';

/** A run, as far as this goes. */
export interface Staged {
  readonly assignment: Version;
  readonly discarded: AbortController;
  running: RunningTopology | null;
  progress: Progress | null;
  /** Its spouts were opened, or told to be. */
  isOpened: boolean;
  /** How far it has come, as it is told. */
  stage: RunStage | null;
  /** How far it was told to go. */
  toldStage: RunStage | null;
  /** Counts up with that. */
  steps: number;
  /** Resolves when it was told that. */
  steering: Promise<void>;
  /** Resolves when what it has reached is told. */
  telling: Promise<void>;
}

export interface StagesOptions {
  readonly session: () => Promise<Session>;
  readonly checkpoints: CheckpointWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A run has come further. */
  readonly changed: () => void;
}

export class Stages {
  private readonly options: StagesOptions;

  constructor(options: StagesOptions) {
    this.options = options;
  }

  /** Has it go on as its assignment says, once it is there. */
  steer(run: Staged): void {
    const { stage } = run.assignment;
    const { running, toldStage } = run;
    // It is like any other from then on, or on its way to be.
    if (stage === null && run.stage !== null) this.set(run, null);
    if (running === null || stage === toldStage) return;
    run.toldStage = stage;
    run.steps++;
    run.steering = run.steering.then(() => this.bring(run, running, toldStage, stage));
  }

  /** The run says that it has come so far. */
  reached(run: Staged, stage: RunStage | null): void {
    const { steps } = run;
    run.telling = run.telling.then(async () => {
      // Who goes on reads what is on disk.
      if (stage === 'aside' && run.progress !== null) {
        await this.options.checkpoints.written(run.progress, run.discarded.signal);
      }
      // It was told something else meanwhile.
      if (stage !== 'aside' || run.steps === steps) this.set(run, stage);
    });
  }

  private set(run: Staged, stage: RunStage | null): void {
    run.stage = stage;
    this.options.changed();
  }

  /**
   * Makes the progress of the topology this run's.
   *
   * @throws MILLRACE_STORE_NO_NODE when the topology is somebody else's by now, and what the store throws
   */
  async claim(run: Staged): Promise<void> {
    const { checkpoints, session: current } = this.options;
    const { name, id, stateId, revision } = run.assignment;
    const session = await current();
    const claimed = await claimProgress(session, name, stateId, revision, async () => {
      const node = await session.get(assignmentPath(name));
      // One that somebody wrote over by hand says nothing; the master writes it anew.
      const versions = versionsOf(fromNode(node, isAssignment));
      const isOurs = versions.some((each) => each.id === id && each.revision === revision && mayClaim(each));
      if (!isOurs) throw failure('MILLRACE_STORE_NO_NODE', { path: node.path });
    });
    const before = run.progress;
    run.progress = claimed;
    if (before === null) return;
    // What it was told meanwhile is newer than what is kept, unless another one has gone on since.
    if (!before.lost) for (const each of before.unwritten()) checkpoints.add(claimed, each);
    checkpoints.drop(before);
  }

  /** Never rejects. */
  private async bring(
    run: Staged,
    running: RunningTopology,
    from: RunStage | null,
    to: RunStage | null,
  ): Promise<void> {
    switch (to) {
      case 'aside':
        if (run.isOpened) running.standAside();
        else this.set(run, 'standby');
        return;
      case 'open':
        await this.open(run, running, to);
        return;
      case null:
        if (!run.isOpened) await this.open(run, running, to);
        else if (from === 'aside') await this.comeBack(run, running);
        return;
      case 'standby':
        // It was started that way.
        return;
    }
  }

  private async comeBack(run: Staged, running: RunningTopology): Promise<void> {
    if (run.progress !== null) await this.options.checkpoints.written(run.progress, run.discarded.signal);
    if (await this.claims(run, null)) running.comeBack();
  }

  private async open(run: Staged, running: RunningTopology, to: RunStage | null): Promise<void> {
    if (!(await this.claims(run, to))) return;
    run.isOpened = true;
    running.open(run.progress!.all());
  }

  /** Until it is this run's; false when it is to be something else by then. */
  private async claims(run: Staged, to: RunStage | null): Promise<boolean> {
    const { clock, logger } = this.options;
    const { signal } = run.discarded;
    for (let waitMs = STORE_RETRY_MIN_MS; !signal.aborted && run.toldStage === to;) {
      try {
        await this.claim(run);
        return !signal.aborted && run.toldStage === to;
      } catch (error) {
        logger.debug(`the progress of topology "${run.assignment.name}" is claimed later: ${reasonOf(error)}`);
      }
      await pause(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
    }
    return false;
  }
}

/** Its spouts are open, or about to be. */
function mayClaim({ stage }: Version): boolean {
  return stage === null || stage === 'open';
}

/** How far it has come, for others: whose spouts were never opened has nothing to let go of. */
export function stageOf({ stage, isOpened, assignment }: Staged): RunStage | null {
  return stage === 'standby' && !isOpened && assignment.stage === 'aside' ? 'aside' : stage;
}

/** Where a run begins. */
export function notStaged(): Omit<Staged, 'assignment' | 'discarded'> {
  return {
    running: null,
    progress: null,
    isOpened: true,
    stage: null,
    toldStage: null,
    steps: 0,
    steering: Promise.resolve(),
    telling: Promise.resolve(),
  };
}
