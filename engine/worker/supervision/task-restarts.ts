// Restarts tasks that do nothing but fail: the instance is closed, and another one takes its place on the same worker,
// while the task's input waits and all other tasks go on. On the worker's thread.
//
//   a run of errors ─► gate closed ─► calls settle ─► closed ─► wait ─► made ─► prepared ─► activated ─► gate open
//                                                       ▲                 └────────┴───────────┴─ threw
//                                                       └──────── then twice the wait ─────────────┘
//   too many without one success, or calls that do not settle ─► hopeless: the worker is replaced
//
// Invariants: mailbox, channels and ledger stay; trees whose tuples an instance held fail, and a spout begins again at
// its progress, so that nothing is lost. A task that leaves the plan, and a spout that is to end, needs no other one.

import type { Clock, Timer } from '../../clock.js';
import { failure, isMillraceError, reasonOf, toWire } from '../../errors.js';
import { CLOSE_TIMEOUT_MS } from '../../limits.js';
import type { LogLevel } from '../../log.js';
import { BROKEN, NOT_ACTIVE, RESTARTING } from '../../task/gate.js';
import { isBolt, isSpout } from '../../task/copies.js';
import type { Task } from '../../task/task.js';
import type { RunnableTask } from '../../task/task-host.js';
import type { Activity } from '../activity.js';
import type { Crew } from '../crew.js';
import { startError, type ErrorReporter } from '../error-reporter.js';
import type { LivingTask } from '../living-task.js';
import type { FromWorker } from '../messages.js';
import type { WorkerParameters } from '../parameters.js';
import { ErrorRun } from './error-run.js';

/** What restarts need of their worker. */
export interface RestartHost {
  readonly clock: Clock;
  readonly crew: Crew;
  readonly activity: Activity;
  readonly parameters: WorkerParameters;
  readonly errors: ErrorReporter;
  readonly turns: { schedule(task: RunnableTask): void };
  post(message: FromWorker): void;
  /** Says something in the name of a component. */
  log(level: LogLevel, component: string, message: string): void;
}

/** The calls whose errors say that an instance does not work. */
const COUNTED = new Set(['execute', 'nextTuple', 'tick', 'endBatch', 'ack', 'fail']);

export class TaskRestarts {
  private readonly host: RestartHost;
  private readonly runs = new WeakMap<Task, ErrorRun>();
  private readonly waits = new Set<Timer>();
  private isOver = false;

  constructor(host: RestartHost) {
    this.host = host;
  }

  /** A call of that task threw. */
  threw(number: number, call: string, error: unknown): void {
    const task = this.host.crew.tasks.get(number);
    if (task === undefined || !COUNTED.has(call) || this.isOver || task.ended) return;
    if ((task.gate & (BROKEN | NOT_ACTIVE | RESTARTING)) !== 0) return;
    const run = this.runs.get(task) ?? new ErrorRun();
    this.runs.set(task, run);
    if (!run.add(this.host.clock.now(), task.successes)) return;
    const living = this.host.crew.living.find((each) => each.task === task);
    if (living?.canRestart !== true) return;
    task.gate |= RESTARTING;
    // Not inside of the call that threw.
    setImmediate(() => void this.restart(living, run, error));
  }

  /** The worker ends. */
  end(): void {
    this.isOver = true;
    for (const wait of this.waits) wait.cancel();
    this.waits.clear();
  }

  private async restart(living: LivingTask, run: ErrorRun, error: unknown): Promise<void> {
    const { activity, crew } = this.host;
    const { task } = living;
    await activity.suspend(living);
    if (this.isLeft(living)) return;
    if (run.isHopeless) {
      this.giveUp(living, run, error);
      return;
    }
    const waitMs = run.restart();
    this.tell(living, waitMs, error);
    crew.abort(living);
    const isQuiet = await this.settled(task);
    if (this.isLeft(living)) return;
    if (isSpout(task)) task.forget();
    if (isQuiet) await crew.closeInstance(living, activity, true);
    if (this.isLeft(living)) return;
    if (!task.isQuiet) {
      this.giveUp(living, run, failure('MILLRACE_TASK_UNSETTLED', { component: task.component, task: task.task }));
      return;
    }
    if (isBolt(task)) task.giveUpHeld();
    await this.makeAnew(living, run, waitMs);
  }

  /** There is no instance: makes another one after that time. */
  private async makeAnew(living: LivingTask, run: ErrorRun, waitMs: number): Promise<void> {
    const { activity } = this.host;
    const { task } = living;
    // A spout that is to end does so now.
    this.host.turns.schedule(task);
    await this.wait(waitMs);
    if (this.isLeft(living) || task.ended) return;
    let call = living.definition.kind === 'spout' ? 'open' : 'prepare';
    try {
      living.renew();
      await living.prepare();
      call = 'activate';
      await activity.comeBack(living);
    } catch (error) {
      if (!this.isLeft(living)) await this.failed(living, run, startError(call, task.component, error));
      return;
    }
    if (this.isLeft(living)) return;
    task.gate &= ~RESTARTING;
    this.host.parameters.tell(living);
    this.host.turns.schedule(task);
  }

  /** The next instance could not be made, prepared or activated. */
  private async failed(living: LivingTask, run: ErrorRun, error: Error): Promise<void> {
    const { task } = living;
    if (isMillraceError(error) && error.fatal) {
      task.breakDown('restart', error);
      return;
    }
    if (run.isHopeless) {
      this.giveUp(living, run, error);
      return;
    }
    const waitMs = run.restart();
    this.tell(living, waitMs, error);
    this.host.crew.abort(living);
    await this.host.crew.closeInstance(living, this.host.activity, false);
    if (!this.isLeft(living)) await this.makeAnew(living, run, waitMs);
  }

  private giveUp({ task }: LivingTask, { restarts, neverSucceeded }: ErrorRun, error: unknown): void {
    const { component, task: number } = task;
    this.host.post({ type: 'hopeless', component, task: number, restarts, neverSucceeded, error: toWire(error) });
  }

  private tell({ task }: LivingTask, waitMs: number, error: unknown): void {
    const { component, task: number } = task;
    const told = toWire(
      failure('MILLRACE_TASK_RESTARTED', { component, task: number, waitMs, reason: reasonOf(error) }),
    );
    this.host.errors.tell(component, number, { ...told, stack: toWire(error).stack });
    this.host.log('warn', component, told.message);
  }

  /** It leaves, or all end: whoever has that done closes what there is. */
  private isLeft(living: LivingTask): boolean {
    return this.isOver || living.isOver;
  }

  /** False when its calls have not settled by the time that a `close` may take. */
  private async settled(task: Task): Promise<boolean> {
    const timeout = new AbortController();
    await Promise.race([task.quiet(), this.wait(CLOSE_TIMEOUT_MS, timeout.signal)]);
    timeout.abort();
    return task.isQuiet;
  }

  private wait(waitMs: number, cancelled?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.host.clock.after(waitMs, () => {
        this.waits.delete(timer);
        resolve();
      });
      this.waits.add(timer);
      cancelled?.addEventListener('abort', () => {
        timer.cancel();
        this.waits.delete(timer);
      });
    });
  }
}
