// The tasks of one worker and the calls of their lives: they come before its start or with a change of the plan, and
// leave when the worker stops or the plan changes. On the worker's thread.
//
//   make ─► prepare ─► activate ─► gate opens, ticks begin … leaves ─► last batch ─► deactivate ─► close

import type { Ledger } from '../ack/ledger.js';
import type { Clock, Timer } from '../clock.js';
import { failure } from '../errors.js';
import { CLOSE_TIMEOUT_MS } from '../limits.js';
import { isBolt, isSpout } from '../task/copies.js';
import type { BoltTask } from '../task/bolt-task.js';
import type { SpoutTask } from '../task/spout-task.js';
import type { ReportingTask } from '../task/task-host.js';
import { NOT_ACTIVE } from '../task/gate.js';
import type { Task } from '../task/task.js';
import type { Activity } from './activity.js';
import { withDeadline } from './deadline.js';
import { startError } from './error-reporter.js';
import type { LivingTask } from './living-task.js';
import type { WorkerParameters } from './parameters.js';
import type { ComponentCode } from './supervision/suspect.js';

type ReportError = (task: ReportingTask, call: string, error: unknown) => void;

export class Crew {
  /** By number, as links and wiring look them up. */
  readonly tasks = new Map<number, Task>();
  readonly ledgers = new Map<number, Ledger>();
  private members: readonly LivingTask[] = [];
  private readonly clock: Clock;
  private readonly report: ReportError;
  private readonly parameters: WorkerParameters;
  private readonly ticks = new Map<number, Timer>();
  private readonly code: ComponentCode[];
  /** Bolts are started, and nothing is to come of them yet. */
  private ticksLater: boolean;

  /**
   * @param code - kept up to what its tasks are made of
   * @param ticksLater - no bolt ticks before {@link tick}
   */
  constructor(
    clock: Clock,
    parameters: WorkerParameters,
    report: ReportError,
    code: ComponentCode[] = [],
    ticksLater = false,
  ) {
    this.clock = clock;
    this.parameters = parameters;
    this.report = report;
    this.code = code;
    this.ticksLater = ticksLater;
  }

  get living(): readonly LivingTask[] {
    return this.members;
  }

  get spouts(): SpoutTask[] {
    return this.members.flatMap(({ task }) => (isSpout(task) ? [task] : []));
  }

  get bolts(): BoltTask[] {
    return this.members.flatMap(({ task }) => (isBolt(task) ? [task] : []));
  }

  add(living: LivingTask): void {
    const { task } = living;
    this.members = [...this.members, living];
    this.tasks.set(task.task, task);
    this.code.push({ component: task.component, task: task.task, className: living.className });
    if (isSpout(task)) this.ledgers.set(task.task, task.ledger);
  }

  /** It is not one of them any more; undefined when it was none. */
  remove(number: number): LivingTask | undefined {
    const living = this.members.find(({ task }) => task.task === number);
    if (living === undefined) return undefined;
    this.members = this.members.filter((each) => each !== living);
    this.tasks.delete(number);
    this.code.splice(
      this.code.findIndex(({ task }) => task === number),
      1,
    );
    this.ledgers.delete(number);
    this.stopTicks(number);
    return living;
  }

  /**
   * Calls `open` or `prepare` of all of those at once.
   *
   * @throws the first failure, which names its component
   */
  async prepare(those: readonly LivingTask[]): Promise<void> {
    await Promise.all(
      those.map(async (living) => {
        try {
          await living.prepare();
        } catch (error) {
          throw startError(living.definition.kind === 'spout' ? 'open' : 'prepare', living.definition.id, error);
        }
      }),
    );
  }

  /** They take input from now on. */
  start(those: readonly LivingTask[]): void {
    for (const living of those) {
      living.task.gate &= ~NOT_ACTIVE;
      this.parameters.tell(living);
      if (!this.ticksLater) this.startTicks(living);
    }
  }

  /** Bolts tick from now on. */
  tick(): void {
    if (!this.ticksLater) return;
    this.ticksLater = false;
    for (const living of this.members) if ((living.task.gate & NOT_ACTIVE) === 0) this.startTicks(living);
  }

  stopTimers(): void {
    for (const task of this.ticks.keys()) this.stopTicks(task);
    for (const spout of this.spouts) spout.stopTimers();
    for (const bolt of this.bolts) bolt.handOver?.cancel();
  }

  /** What it waits for must not outlive it. */
  abort(living: LivingTask): void {
    const { task } = living;
    living.abort();
    task.abortCalls(failure('MILLRACE_TASK_CLOSED', { component: task.component }));
  }

  /** It is not one of them any more: its last calls. Never throws. */
  async close(living: LivingTask, activity: Activity | null, wasActive: boolean): Promise<void> {
    living.isOver = true;
    await this.closeInstance(living, activity, wasActive);
  }

  /** Only its instance goes, if it has one. Never throws. */
  async closeInstance(living: LivingTask, activity: Activity | null, wasActive: boolean): Promise<void> {
    if (living.task.absent) return;
    living.closing ??= this.lastCalls(living, activity, wasActive);
    await living.closing;
  }

  private async lastCalls(living: LivingTask, activity: Activity | null, wasActive: boolean): Promise<void> {
    if (wasActive) await this.lastCall(living, 'endBatch', () => lastBatch(living.task));
    await activity?.deactivate(living);
    await this.lastCall(living, 'close', () => living.close());
    living.task.absent = true;
    living.closing = null;
  }

  private async lastCall(living: LivingTask, call: 'endBatch' | 'close', invoke: () => Promise<void>): Promise<void> {
    try {
      await withDeadline(invoke(), CLOSE_TIMEOUT_MS, call);
    } catch (error) {
      this.report(living.task, call, error);
    }
  }

  private startTicks({ task, definition }: LivingTask): void {
    const tickMs = definition.kind === 'bolt' ? definition.behavior.tickMs : null;
    if (tickMs === null || !isBolt(task)) return;
    let dueMs = this.clock.now();
    const next = (): void => {
      dueMs += tickMs;
      const tick = this.clock.after(dueMs - this.clock.now(), () => {
        task.tick();
        next();
      });
      this.ticks.set(task.task, tick);
    };
    next();
  }

  private stopTicks(task: number): void {
    this.ticks.get(task)?.cancel();
    this.ticks.delete(task);
  }
}

/** What a bolt has executed and not yet committed is committed before it closes. */
async function lastBatch(task: Task): Promise<void> {
  if (!isBolt(task)) return;
  await task.committing;
  task.commit();
  await task.committing;
}
