// Starts a task again whose calls do nothing but throw: its instance is closed and another one takes its place, on the
// same worker, while its input waits. On the worker's thread.
//
//   calls throw, none succeeds, for long enough ─► gate closed ─► wait ─► close ─► new instance ─► prepare ─► activate
//        ▲                                                                 └─ fails ─► again, after twice the wait   │
//        └────────────────────────────────── gate open ◄────────────────────────────────────────────────────────────┘
//   restarted `TASK_RESTARTS_MAX` times without one success ─► hopeless: the worker is replaced
//
// Invariant: mailbox, channels and ledger stay; trees whose tuples the old instance may hold fail, by the supervisor's
// `lost` for a bolt, here for a spout, which begins again at its progress.

import type { Clock, Timer } from '../../clock.js';
import { failure, reasonOf, toWire, type WireError } from '../../errors.js';
import {
  CLOSE_TIMEOUT_MS,
  RESTART_WAIT_MAX_MS,
  RESTART_WAIT_MIN_MS,
  TASK_ERRORS_MAX,
  TASK_ERRORS_MIN_MS,
  TASK_ERRORS_WINDOW_MS,
  TASK_RESTARTS_MAX,
} from '../../limits.js';
import { CALLS, EMITTED, ERRORS, EXECUTED } from '../../metrics/counters.js';
import { SpoutTask } from '../../task/spout-task.js';
import { BROKEN, COMMITTING, NOT_ACTIVE } from '../../task/task.js';
import type { FromWorker } from '../messages.js';
import type { LivingTask } from '../wiring.js';

/** What the restarts of a worker's tasks need of it. */
export interface RestartHost {
  readonly clock: Clock;
  /** A counter of that task. */
  count(living: LivingTask, counter: number): number;
  post(message: FromWorker): void;
  report(living: LivingTask, call: string, error: unknown): void;
  /** Calls `deactivate`, if it was activated, and `close`; never rejects. */
  close(living: LivingTask): Promise<void>;
  /** Calls `activate`, if it is to be active. */
  activate(living: LivingTask): Promise<void>;
  run(living: LivingTask): void;
}

/** The calls whose errors say that an instance does not work. */
const COUNTED = new Set(['execute', 'nextTuple', 'tick', 'endBatch', 'ack', 'fail']);
/** How often it is looked whether the calls of an instance have settled. */
const SETTLE_LOOK_MS = 50;

interface Trouble {
  /** Calls that succeeded, at most, when one threw last. */
  succeeded: number;
  errors: number;
  firstMs: number;
  restarts: number;
  isRestarting: boolean;
}

export class TaskRestarts {
  private readonly host: RestartHost;
  private readonly troubles = new Map<LivingTask, Trouble>();
  private readonly timers = new Set<Timer>();
  private over = false;

  constructor(host: RestartHost) {
    this.host = host;
  }

  /** A call of the task threw. */
  threw(living: LivingTask, call: string, error: unknown): void {
    const { task } = living;
    if (this.over || !COUNTED.has(call) || task.ended || (task.gate & (BROKEN | NOT_ACTIVE)) !== 0) return;
    const nowMs = this.host.clock.now();
    const trouble = this.troubleOf(living, nowMs);
    if (trouble.isRestarting) return;
    const succeeded = this.succeeded(living);
    if (succeeded > trouble.succeeded) {
      trouble.succeeded = succeeded;
      trouble.restarts = 0;
      trouble.errors = 0;
    }
    if (trouble.errors === 0 || nowMs - trouble.firstMs > TASK_ERRORS_WINDOW_MS) {
      trouble.errors = 0;
      trouble.firstMs = nowMs;
    }
    trouble.errors++;
    if (trouble.errors < TASK_ERRORS_MAX || nowMs - trouble.firstMs < TASK_ERRORS_MIN_MS) return;
    const { component, task: number } = task;
    const details = { component, task: number, errors: trouble.errors, reason: reasonOf(error) };
    this.begin(living, trouble, toWire(failure('MILLRACE_TASK_RESTARTED', details, { cause: error })));
  }

  /** The worker stops. */
  end(): void {
    this.over = true;
    for (const timer of this.timers) timer.cancel();
  }

  private troubleOf(living: LivingTask, nowMs: number): Trouble {
    let trouble = this.troubles.get(living);
    if (trouble === undefined) {
      trouble = { succeeded: 0, errors: 0, firstMs: nowMs, restarts: 0, isRestarting: false };
      this.troubles.set(living, trouble);
    }
    return trouble;
  }

  private succeeded(living: LivingTask): number {
    living.task.publishCounts();
    if (living.task instanceof SpoutTask) return this.host.count(living, EMITTED);
    // A call that is under way has been counted; it never makes more of them than succeeded and are under way.
    return this.host.count(living, EXECUTED) - this.host.count(living, ERRORS);
  }

  private begin(living: LivingTask, trouble: Trouble, error: WireError): void {
    const { component, task } = living.task;
    trouble.isRestarting = true;
    trouble.errors = 0;
    living.task.gate |= NOT_ACTIVE;
    if (!living.canRenew || trouble.restarts >= TASK_RESTARTS_MAX) {
      this.host.post({ type: 'hopeless', component, task, restarts: trouble.restarts, error });
      return;
    }
    const waitMs = Math.min(RESTART_WAIT_MIN_MS * 2 ** trouble.restarts++, RESTART_WAIT_MAX_MS);
    this.host.post({ type: 'restarting', component, task, error });
    this.after(waitMs, () => void this.restart(living, trouble));
  }

  private async restart(living: LivingTask, trouble: Trouble): Promise<void> {
    const { task } = living;
    if (task instanceof SpoutTask) task.forget();
    task.abortCalls(failure('MILLRACE_TASK_CLOSED', { component: task.component }));
    if (!(await this.isSettled(living))) {
      trouble.restarts = TASK_RESTARTS_MAX;
      this.again(living, trouble, 'close', new Error(`a call was still under way after ${CLOSE_TIMEOUT_MS} ms`));
      return;
    }
    await this.host.close(living);
    if (this.over) return;
    let call = 'constructor';
    try {
      living.renew();
      call = living.definition.kind === 'spout' ? 'open' : 'prepare';
      await living.prepare();
      call = 'activate';
      await this.host.activate(living);
    } catch (error) {
      this.again(living, trouble, call, error);
      return;
    }
    if (this.over) return;
    trouble.isRestarting = false;
    trouble.succeeded = this.succeeded(living);
    this.host.post({ type: 'restarted', task: task.task, mayHold: !(task instanceof SpoutTask) });
    task.gate &= ~NOT_ACTIVE;
    this.host.run(living);
  }

  private again(living: LivingTask, trouble: Trouble, call: string, error: unknown): void {
    if (this.over) return;
    this.host.report(living, call, error);
    const { component, task } = living.task;
    const details = { component, task, errors: 1, reason: reasonOf(error) };
    this.begin(living, trouble, toWire(failure('MILLRACE_TASK_RESTARTED', details, { cause: error })));
  }

  /** Its asynchronous calls have settled, or their time is over. */
  private async isSettled(living: LivingTask): Promise<boolean> {
    for (let waitedMs = 0; waitedMs <= CLOSE_TIMEOUT_MS; waitedMs += SETTLE_LOOK_MS) {
      if (this.host.count(living, CALLS) === 0 && (living.task.gate & COMMITTING) === 0) return true;
      await new Promise<void>((resolve) => this.after(SETTLE_LOOK_MS, resolve));
    }
    return false;
  }

  private after(waitMs: number, call: () => void): void {
    const timer = this.host.clock.after(waitMs, () => {
      this.timers.delete(timer);
      call();
    });
    this.timers.add(timer);
  }
}
