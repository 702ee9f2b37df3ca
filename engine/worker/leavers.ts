// The tasks of a worker that are not part of the plan any more: closed one after the other, and told of when all that
// they sent has left the worker, acks too, so that it may end then. On the worker's thread.
//
//   has let go ─► deactivate, close ─► its progress is told ─► nothing of it waits in outboxes ─► letGo

import type { Clock } from '../clock.js';
import { CLOSE_TIMEOUT_MS } from '../limits.js';
import type { TaskPlan } from '../plan/plan.js';
import type { Activity } from './activity.js';
import type { Crew } from './crew.js';
import type { Inlets } from './inlets.js';
import type { FromWorker, LetGo } from './messages.js';
import type { Reports } from './reports.js';
import type { WorkerLinks } from './worker-links.js';
import type { LivingTask } from './living-task.js';

/** What they need of their worker. */
export interface LeaversHost {
  readonly clock: Clock;
  readonly crew: Crew;
  readonly links: WorkerLinks;
  readonly inlets: Inlets;
  readonly reports: Reports;
  readonly activity: Activity;
  /** Tasks are others now; a turn follows. */
  rewired(): void;
  post(message: FromWorker): void;
}

export class Leavers {
  /** All that left in this change: their ends are sent anew when a link is. */
  left: TaskPlan[] = [];
  private readonly host: LeaversHost;
  private readonly closing = new Set<Promise<void>>();
  /** Those that are closed, and of which something may not have left this worker yet. */
  private unsent: LetGo[] = [];

  constructor(host: LeaversHost) {
    this.host = host;
  }

  /** Resolves when none is still being closed. */
  async closed(): Promise<void> {
    await Promise.all(this.closing);
  }

  /** A task has let go. */
  take(plan: TaskPlan, said: LetGo): void {
    const living = this.host.crew.remove(plan.task);
    if (living === undefined) return;
    this.left.push(plan);
    this.host.rewired();
    this.track(this.closeAndTell(living, said));
  }

  /** Closes a task that takes nothing any more. */
  async close(living: LivingTask): Promise<void> {
    const { crew, activity } = this.host;
    crew.abort(living);
    await activity.remove(living);
    await crew.close(living, activity, true);
  }

  /**
   * Closes tasks that never took anything, once what makes them ready is over, or has had its time to be; what they
   * wait for is aborted.
   */
  discard(those: readonly LivingTask[], ready: Promise<unknown>): void {
    for (const living of those) this.host.crew.abort(living);
    const close = async (): Promise<void> => {
      const over = ready.catch(() => undefined);
      await new Promise<void>((resolve) => {
        const timer = this.host.clock.after(CLOSE_TIMEOUT_MS, resolve);
        void over.then(() => {
          timer.cancel();
          resolve();
        });
      });
      await Promise.all(those.map((living) => this.close(living)));
    };
    this.track(close());
  }

  /** Has the worker wait for that before it ends. */
  track(closed: Promise<void>): void {
    this.closing.add(closed);
    void closed.finally(() => this.closing.delete(closed));
  }

  /** After each turn: says of whom all has left. */
  turnEnded(): void {
    if (this.unsent.length === 0) return;
    const sources = this.host.links.unsent();
    const { unsent } = this;
    this.unsent = [];
    for (const each of unsent) {
      if (sources.has(each.task)) this.unsent.push(each);
      else this.host.post({ type: 'letGo', ...each });
    }
  }

  private async closeAndTell(living: LivingTask, said: LetGo): Promise<void> {
    const { inlets, reports } = this.host;
    await this.close(living);
    inlets.close(said.task);
    inlets.flush();
    // Who goes on from its progress is told after this.
    reports.flush();
    this.unsent.push(said);
    this.host.rewired();
  }
}
