// The stages of one run, where one version of a topology takes the place of another one: what it was asked for, and how
// far that is. Each is reached in its order, as soon as the run can, whatever came first. Main thread.
//
//   started ─┬─► standby ─ open ─► open ─┐
//            └───────────────────────────┴─► stand aside ─┬─► aside ─ come back ─► back
//                                             ▲           └─ refused: it waits, longer each time
//                                             └─────────────────┘

import type { RunOrder } from '../../coordination/host/runner.js';
import type { RunStage } from '../../coordination/topology-records.js';
import { pause } from '../../coordination/store/signals.js';
import type { Clock } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { STAND_ASIDE_RETRY_MAX_MS, STAND_ASIDE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import type { TopologyRun } from '../../engine/worker/topology-run.js';

type Checkpoints = Parameters<TopologyRun['openSpouts']>[0];

/** The part of a run that has stages. */
export type StagedRun = Pick<TopologyRun, 'openSpouts' | 'standAside' | 'comeBack'>;

export interface RunStagesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** It has come to that stage; null: its spouts stood aside and are back. */
  readonly told: (stage: RunStage | null) => void;
}

export class RunStages {
  private readonly name: string;
  private readonly options: RunStagesOptions;
  private run: StagedRun | null = null;
  /** Called when spouts are open. */
  private opened: () => void = () => undefined;
  private isOpen: boolean;
  /** What spouts are to be opened with; null: they are not yet. */
  private progress: Checkpoints | null = null;
  private isAside = false;
  private wantsAside = false;
  private busy = false;
  private over = false;
  /** Aborted when something else is wanted. */
  private waiting = new AbortController();

  constructor({ name, standby }: Pick<RunOrder, 'name' | 'standby'>, options: RunStagesOptions) {
    this.name = name;
    this.options = options;
    this.isOpen = !standby;
  }

  /** Its spouts are not open yet. */
  get isComing(): boolean {
    return !this.isOpen;
  }

  /** Records are for this version. */
  get takesRecords(): boolean {
    return this.isOpen && !this.isAside && !this.wantsAside;
  }

  /**
   * The run has started.
   *
   * @param opened - called when its spouts are open too
   */
  started(run: StagedRun, opened: () => void): void {
    this.run = run;
    this.opened = opened;
    if (this.isOpen) opened();
    else this.options.told('standby');
    void this.carryOut();
  }

  open(checkpoints: Checkpoints): void {
    this.progress ??= checkpoints;
    void this.carryOut();
  }

  standAside(): void {
    // Who asks again has forgotten it.
    if (this.wantsAside && this.isAside) this.reached('aside');
    this.wantsAside = true;
    void this.carryOut();
  }

  comeBack(): void {
    if (!this.wantsAside) return;
    this.wantsAside = false;
    this.waiting.abort();
    this.waiting = new AbortController();
    // One that is on its way aside turns back at once.
    if (this.busy && this.isOpen && !this.isAside) void this.run?.comeBack();
    void this.carryOut();
  }

  /** The run has ended, or is about to. */
  end(): void {
    this.over = true;
    this.waiting.abort();
  }

  private async carryOut(): Promise<void> {
    const { run } = this;
    if (this.busy || run === null) return;
    this.busy = true;
    // Between a look at what is wanted and the end of all there is no turn in which something could be asked for.
    for (let step = this.nextStep(run); step !== null; step = this.nextStep(run)) await step();
    this.busy = false;
  }

  /** What leads to the next stage; null when it is at the one that is wanted, or can reach none any more. */
  private nextStep(run: StagedRun): (() => Promise<void>) | null {
    const { progress } = this;
    if (this.over) return null;
    if (!this.isOpen) return progress === null ? null : async () => await this.openSpouts(run, progress);
    if (this.wantsAside === this.isAside) return null;
    return async () => await (this.wantsAside ? this.makeRoom(run) : this.giveBack(run));
  }

  private async openSpouts(run: StagedRun, progress: Checkpoints): Promise<void> {
    try {
      await run.openSpouts(progress);
    } catch {
      // Why stands in its outcome.
      this.end();
      return;
    }
    this.isOpen = true;
    this.opened();
    this.reached('open');
  }

  private async giveBack(run: StagedRun): Promise<void> {
    await run.comeBack();
    this.reached(null);
  }

  private async makeRoom(run: StagedRun): Promise<void> {
    const { clock, logger } = this.options;
    const { signal } = this.waiting;
    for (let waitMs = STAND_ASIDE_RETRY_MIN_MS; !this.over && !signal.aborted;) {
      try {
        await run.standAside();
        this.isAside = true;
        // It may be on its way back already.
        if (this.wantsAside) this.reached('aside');
        return;
      } catch (error) {
        if (this.over || signal.aborted) return;
        logger.warn(`${this.name}: its spouts stand aside later: ${reasonOf(error)}`);
      }
      await pause(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, STAND_ASIDE_RETRY_MAX_MS);
    }
  }

  private reached(stage: RunStage | null): void {
    this.isAside = stage === 'aside';
    if (!this.over) this.options.told(stage);
  }
}
