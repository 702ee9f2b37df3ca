// The topologies that this host leads: follows the assignments, and has the runner start, change and end them. Runs
// outlive sessions: while the store is away they go on, and the next list of assignments says what is still this
// host's. Where this host only runs workers for another one is memberships.ts. Main thread.
//
//   assigned here ─► loading ─► running ─► ended: final and report written, until its assignment is gone
//                       │          │
//                       └──────────┴─► discarded: no longer this host's; ended without a word, then forgotten
//
// Where one version of a topology replaces another, each is a run of its own, and stages.ts takes them through it.
//
// Invariant: at most one run for an id at a time; one of a new revision starts when the old one is over.

import type { Clock } from '../../engine/clock.js';
import { reasonOf, toWire, type WireError } from '../../engine/errors.js';
import {
  INCARNATIONS_PER_REVISION,
  RESIZE_RETRY_MS,
  STORE_RETRY_MAX_MS,
  STORE_RETRY_MIN_MS,
} from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import type { CheckpointWriter } from '../checkpoints.js';
import { loadWished } from '../payload.js';
import type { Session } from '../store/contract.js';
import { pause } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { takeBack } from '../rebalance-wish.js';
import { changesOf, isAt, isSame, type Report, type RunReport, type WorkerPlace } from '../topology-records.js';
import type { Version } from '../versions.js';
import type { Outbox } from './outbox.js';
import type { RebalanceOrder, RunEnd, RunningTopology, RunOrder, TopologyRunner } from './runner.js';
import { notStaged, stageOf, Stages, type Staged } from './stages.js';

export interface RunsOptions {
  readonly host: string;
  readonly boot: string;
  readonly runner: TopologyRunner;
  readonly session: () => Promise<Session>;
  readonly checkpoints: CheckpointWriter;
  readonly outbox: Outbox;
  /** Of how many topologies this host runs workers for others. */
  readonly parts: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds since the epoch, for what people read. */
  readonly wallMs: () => number;
}

interface Run extends Staged {
  assignment: Version;
  readonly startedAtMs: number;
  /** Aborted when it is no longer this host's. */
  readonly discarded: AbortController;
  /** What was last told to it. */
  told: Version['wanted'];
  /** The rebalance that it was told last. */
  toldChange: number;
  /** Where its workers are, as it was told last. */
  toldPlaces: readonly WorkerPlace[];
  /** How it is spread, as far as that was carried out. */
  spread: Pick<RebalanceOrder, 'workers' | 'parallelism' | 'change'>;
  /** Hosts that it cannot reach. */
  away: readonly string[];
  end: RunEnd | null;
}

export class Runs {
  private readonly options: RunsOptions;
  private readonly stages: Stages;
  private readonly runs = new Map<string, Run>();
  private assigned: ReadonlyMap<string, Version> = new Map();
  private closing = false;
  /** The last report spoke of topologies that rest. */
  private toldResting = false;
  private quiet: () => void = () => undefined;

  constructor(options: RunsOptions) {
    this.options = options;
    this.stages = new Stages({ ...options, changed: () => this.report() });
  }

  /** How many workers of those run here. */
  get slotsUsed(): number {
    let used = 0;
    for (const { assignment, end } of this.runs.values()) {
      if (end === null) used += assignment.places.filter((place) => isAt(place, this.options)).length;
    }
    return used;
  }

  /** What is assigned now, to any host. */
  follow(assignments: readonly Version[]): void {
    if (this.closing) return;
    const own = assignments.filter(({ places: [lead] }) => lead !== undefined && isAt(lead, this.options));
    this.assigned = new Map(own.map((each) => [each.id, each]));
    for (const [id, run] of [...this.runs]) this.change(id, run, this.assigned.get(id));
    for (const [id, assignment] of this.assigned) if (!this.runs.has(id)) this.take(assignment);
    // Those that rest have nobody else who says how far they are.
    const rests = own.some(({ stage, id }) => stage === 'aside' && !this.runs.has(id));
    if (rests || this.toldResting) this.report();
  }

  /**
   * Ends everything without a word: what was wished is still wished.
   *
   * @returns whether the last report says of some topology that it ended, which no master has read yet
   */
  async close(): Promise<boolean> {
    this.closing = true;
    const unread = [...this.runs.values()].some(({ end }) => end !== null);
    for (const [id, run] of [...this.runs]) this.discard(id, run);
    if (this.runs.size > 0) await new Promise<void>((resolve) => (this.quiet = resolve));
    return unread;
  }

  private change(id: string, run: Run, assignment: Version | undefined): void {
    if (assignment === undefined || assignment.revision !== run.assignment.revision) {
      this.discard(id, run);
      return;
    }
    run.assignment = assignment;
    this.tell(run);
    this.stages.steer(run);
  }

  /** One that is assigned here and not known yet. */
  private take(assignment: Version): void {
    const { wanted } = assignment;
    // What is to replace another version is made ready, whatever it is to do then.
    if (wanted === 'active' || (wanted === 'inactive' && isComing(assignment))) {
      void this.load(this.add(assignment));
    } else if (wanted === 'killed') {
      // Killed before it was started here, as after a crash.
      this.ended(this.add(assignment), { status: 'killed', error: null, final: null });
    }
  }

  private add(assignment: Version): Run {
    const discarded = new AbortController();
    const startedAtMs = this.options.wallMs();
    const run: Run = {
      assignment,
      startedAtMs,
      discarded,
      told: 'active',
      ...spreadOf(assignment),
      away: [],
      ...notStaged(),
      end: null,
    };
    this.runs.set(assignment.id, run);
    return run;
  }

  private async load(run: Run): Promise<void> {
    const { signal } = run.discarded;
    const { clock, logger } = this.options;
    const { name, id } = run.assignment;
    for (let waitMs = STORE_RETRY_MIN_MS; !signal.aborted && run.end === null;) {
      try {
        const order = await this.orderFor(run);
        if (!signal.aborted && run.end === null) this.start(run, order);
        break;
      } catch (error) {
        if (hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_BAD_VERSION')) {
          // It has just ended, or is another host's by now: its assignment will say so.
          logger.debug(`topology "${name}" is not started: ${reasonOf(error)}`);
        } else if (hasCode(error, 'MILLRACE_STORE_CONTENT')) {
          this.ended(run, { status: 'failed', error: toWire(error), final: null });
          break;
        } else {
          logger.warn(`topology "${name}" is started later: ${reasonOf(error)}`);
        }
        await pause(clock, waitMs, signal);
        waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
      }
    }
    if (signal.aborted && run.running === null) this.forget(id, run);
  }

  private async orderFor(run: Run): Promise<RunOrder> {
    const { name, id, stateId, revision, epoch } = run.assignment;
    const session = await this.options.session();
    const payload = await loadWished(session, run.assignment);
    // Until its spouts are to be opened, the progress is another version's.
    const standby = run.assignment.stage !== null;
    run.isOpened = !standby;
    run.toldStage = standby ? 'standby' : null;
    if (!standby) await this.stages.claim(run);
    const checkpoints = run.progress?.all() ?? [];
    const firstIncarnation = (revision - 1) * INCARNATIONS_PER_REVISION;
    // What it is told while it loads stands in here already.
    Object.assign(run, spreadOf(run.assignment));
    const { toldChange: change, toldPlaces: places } = run;
    const { parallelism } = run.spread;
    return {
      ...payload,
      ...{ name, id, stateId, revision, epoch, places, parallelism, change, firstIncarnation, checkpoints, standby },
    };
  }

  private start(run: Run, order: RunOrder): void {
    const { runner, checkpoints } = this.options;
    try {
      run.running = runner.start(order, {
        checkpoint: (kept) => {
          if (run.progress !== null) checkpoints.add(run.progress, kept);
        },
        stage: (stage) => this.stages.reached(run, stage),
        rebalanced: (change, refused) => this.rebalanced(run, change, refused),
        away: (hosts) => this.setAway(run, hosts),
      });
    } catch (error) {
      this.ended(run, { status: 'failed', error: toWire(error), final: null });
      return;
    }
    void run.running.ended.then(
      (end) => this.ended(run, end),
      (error: unknown) => this.ended(run, { status: 'failed', error: toWire(error), final: null }),
    );
    this.tell(run);
    this.stages.steer(run);
    this.report();
  }

  /** Passes on what is wanted, once. */
  private tell(run: Run): void {
    const { assignment, running } = run;
    if (run.end !== null) return;
    if (running !== null && assignment.wanted !== 'killed') this.tellPlaces(run, running);
    if (assignment.wanted === run.told) return;
    if (running === null) {
      // Not started yet; killed before, it never is.
      if (assignment.wanted === 'killed') this.ended(run, { status: 'killed', error: null, final: null });
      return;
    }
    run.told = assignment.wanted;
    if (assignment.wanted === 'killed') running.kill({ waitMs: assignment.kill?.waitMs ?? 0 });
    else if (assignment.wanted === 'active') running.activate();
    else running.deactivate();
  }

  private tellPlaces(run: Run, running: RunningTopology): void {
    const { places, parallelism = {} } = run.assignment;
    const change = changesOf(run.assignment);
    const { toldPlaces, toldChange } = run;
    Object.assign(run, { toldPlaces: places, toldChange: change });
    if (change !== toldChange || places.length !== toldPlaces.length) {
      running.rebalance({ workers: places.length, places, parallelism, change });
    } else if (places.some((place, worker) => !isSame(place, toldPlaces[worker]!))) {
      running.place(places);
    }
  }

  private setAway(run: Run, hosts: readonly string[]): void {
    run.away = hosts;
    this.report();
  }

  /** What was refused is not wished any longer: a host that starts again must not try it. */
  private rebalanced(run: Run, order: RebalanceOrder, refused: WireError | null): void {
    const { workers, parallelism, change } = order;
    if (refused === null) {
      run.spread = { workers, parallelism, change };
      return;
    }
    const { logger } = this.options;
    const { name } = run.assignment;
    logger.error(`topology "${name}" was not rebalanced: ${refused.message}`);
    // What the master does by itself, as there are slots, nobody has wished.
    if (change === run.spread.change) void this.resizeAgain(run, order);
    else void this.takeBack(run, change);
  }

  private async resizeAgain(run: Run, { workers, change }: RebalanceOrder): Promise<void> {
    await pause(this.options.clock, RESIZE_RETRY_MS, run.discarded.signal);
    const { assignment, running, end, discarded } = run;
    const { places, parallelism = {} } = assignment;
    const isSo = places.length === workers && changesOf(assignment) === change;
    if (!isSo || end !== null || discarded.signal.aborted) return;
    running?.rebalance({ workers, places, parallelism, change });
  }

  /** As long as the wish stands it is not what runs, so it is tried until the store took it. */
  private async takeBack(run: Run, change: number): Promise<void> {
    const { session, clock, logger } = this.options;
    const { name, id } = run.assignment;
    const { signal } = run.discarded;
    for (let waitMs = STORE_RETRY_MIN_MS; run.end === null && !signal.aborted;) {
      try {
        const { workers, parallelism } = run.spread;
        await takeBack(await session(), name, { id, change, workers, parallelism });
        return;
      } catch (error) {
        if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return;
        logger.warn(`the wish to rebalance "${name}" stays for now: ${reasonOf(error)}`);
      }
      await pause(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
    }
  }

  private ended(run: Run, end: RunEnd): void {
    const { id, name, revision } = run.assignment;
    if (run.discarded.signal.aborted) {
      this.forget(id, run);
      return;
    }
    run.end = end;
    const { checkpoints, outbox, logger, wallMs } = this.options;
    if (run.progress !== null) checkpoints.drop(run.progress);
    const { status, error, final } = end;
    if (status === 'failed') logger.error(`topology "${name}" failed: ${error?.message ?? 'for an unknown reason'}`);
    else logger.debug(`topology "${name}" is ${status}`);
    outbox.addFinal(id, { revision, status, error, final, startedAtMs: run.startedAtMs, endedAtMs: wallMs() });
    this.report();
  }

  private discard(id: string, run: Run): void {
    if (run.discarded.signal.aborted) return;
    run.discarded.abort();
    if (run.end !== null) this.forget(id, run);
    else run.running?.kill({ waitMs: 0 });
    // One that is loading notices by itself.
  }

  private forget(id: string, run: Run): void {
    if (this.runs.get(id) !== run) return;
    this.runs.delete(id);
    // When the host closes, its progress is written for the last time afterwards.
    if (run.progress !== null && !this.closing) this.options.checkpoints.drop(run.progress);
    if (this.closing) {
      if (this.runs.size === 0) this.quiet();
      return;
    }
    this.report();
    const next = this.assigned.get(id);
    if (next !== undefined && next.revision !== run.assignment.revision) this.take(next);
  }

  /** Says how all of it is, to whoever looks. */
  report(): void {
    const { host, boot, outbox } = this.options;
    const parts = this.options.parts();
    const runs = [...this.runs.values()].flatMap((run): RunReport[] => {
      const { assignment, running, end, away } = run;
      const { id, revision } = assignment;
      const stage = stageOf(run);
      if (end === null && running === null) return [];
      const state = end?.status ?? 'running';
      return [{ id, revision, state, ...(stage !== null && { stage }), ...(away.length > 0 && { away }) }];
    });
    // Those that rest and were never started have nothing to let go of.
    const resting = [...this.assigned.values()].flatMap(({ id, revision, wanted, stage }): RunReport[] => {
      const isResting = wanted === 'inactive' && !this.runs.has(id);
      return stage === 'aside' && isResting ? [{ id, revision, state: 'running', stage }] : [];
    });
    this.toldResting = resting.length > 0;
    outbox.setReport({ host, boot, runs: [...runs, ...resting], ...(parts > 0 && { parts }) } satisfies Report);
  }
}

/** It is to replace another version, and has not yet. */
function isComing({ stage }: Version): boolean {
  return stage === 'standby' || stage === 'open';
}

function spreadOf(assignment: Version): Pick<Run, 'toldChange' | 'toldPlaces' | 'spread'> {
  const { places, parallelism = {} } = assignment;
  const change = changesOf(assignment);
  return { toldChange: change, toldPlaces: places, spread: { workers: places.length, parallelism, change } };
}
