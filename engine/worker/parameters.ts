// The parameters in one worker: the newest ones, and which hold in each of its tasks. A component that asks to be told
// is told while its task takes nothing; one that does not sees them at once. On the worker's thread.
//
//   new ones ─► gate closed ─► calls under way settle ─► parametersChanged ─┬─ returned ─► they hold ─┐
//                  ▲                                                        └─ threw ────► the old ───┴─► gate open
//                  └────────────── newer ones came meanwhile, or it was started or restarted ◄────────┘
//
// Invariants: a task that was told of parameters is never told of older ones, and every task that lives is offered the
// newest; what a call of its component may see changes only between two of them.

import { failure } from '../errors.js';
import { PARAMETERS_CHANGED_MAX_MS } from '../limits.js';
import { frozen, type ParameterValues } from '../model/parameters.js';
import { isBolt } from '../task/copies.js';
import { BROKEN, NOT_ACTIVE, RESTARTING, TAKING_OVER } from '../task/gate.js';
import type { TaskHost } from '../task/task-host.js';
import type { TaskContext } from './contexts.js';
import type { LivingTask } from './living-task.js';

export class WorkerParameters {
  private readonly host: Pick<TaskHost, 'clock' | 'schedule'>;
  private newest: ParameterValues;

  constructor(first: ParameterValues, host: Pick<TaskHost, 'clock' | 'schedule'>) {
    this.newest = frozen(first);
    this.host = host;
  }

  /** What a task that is made now begins with. */
  get now(): ParameterValues {
    return this.newest;
  }

  /** @param living - the tasks of this worker */
  change(parameters: ParameterValues, living: readonly LivingTask[]): void {
    this.newest = frozen(parameters);
    for (const each of living) this.tell(each);
  }

  /** It has just begun to take input, or has another instance: it may have missed something. */
  tell(living: LivingTask): void {
    if (living.isTakingOver || living.parameters.now === this.newest) return;
    if (living.hearsParameters) void this.takeOver(living);
    else living.parameters.now = this.newest;
  }

  private async takeOver(living: LivingTask): Promise<void> {
    living.isTakingOver = true;
    let offered: ParameterValues | null = null;
    let to: TaskContext | null = null;
    while ((offered !== this.newest || to !== living.context) && this.mayTake(living)) {
      offered = this.newest;
      to = living.context;
      await this.offer(living, offered);
    }
    living.isTakingOver = false;
  }

  /** Whoever is not active yet, or is being restarted, is told when it is; whoever has ended needs no more. */
  private mayTake({ task, isOver }: LivingTask): boolean {
    return !isOver && !task.ended && (task.gate & (NOT_ACTIVE | RESTARTING | BROKEN)) === 0;
  }

  private async offer(living: LivingTask, parameters: ParameterValues): Promise<void> {
    const { task } = living;
    task.gate |= TAKING_OVER;
    try {
      // A spout may wait in its call for as long as there is nothing to emit.
      if (isBolt(task)) await this.atMost(task.quiet());
      if (!this.mayTake(living)) return;
      const { context } = living;
      if (await this.atMost(living.parametersChanged(parameters))) {
        if (living.context === context) living.parameters.now = parameters;
      } else {
        const { component, task: number } = task;
        const details = { component, task: number, timeoutMs: PARAMETERS_CHANGED_MAX_MS };
        task.report('parametersChanged', failure('MILLRACE_PARAMETERS_LATE', details));
      }
    } catch (error) {
      task.report('parametersChanged', error);
    } finally {
      task.gate &= ~TAKING_OVER;
      this.host.schedule(task);
    }
  }

  /** Whether it came to its end in time. */
  private async atMost(end: Promise<void>): Promise<boolean> {
    return await new Promise<boolean>((resolve, reject) => {
      const timer = this.host.clock.after(PARAMETERS_CHANGED_MAX_MS, () => resolve(false));
      void end.then(() => resolve(true), reject).finally(() => timer.cancel());
    });
  }
}
