// Switches the spouts of a worker on and off: at its start, when the topology is deactivated and activated again, and
// for good when it drains. On the worker's thread.
//
//   off: not asked any more, at once ─► their `deactivate` is called and awaited      bolts, acks and fails go on
//   on:  their `activate` is called and awaited ─► asked again
//
// Invariant: one switch is carried out after the other, so that no two of these calls of a spout overlap; what is asked
// for last holds; `deactivate` is called only after an `activate`, and once.

import { CLOSE_TIMEOUT_MS } from '../limits.js';
import { isSpout } from '../task/copies.js';
import type { SpoutTask } from '../task/spout-task.js';
import { withDeadline } from './deadline.js';
import { startError } from './error-reporter.js';
import type { LivingTask } from './living-task.js';

export class Activity {
  private tasks: readonly LivingTask[] = [];
  private readonly report: (living: LivingTask, call: 'deactivate', error: unknown) => void;
  private readonly active = new Set<LivingTask>();
  /** Their instances are being replaced. */
  private readonly away = new Set<LivingTask>();
  private wanted = false;
  private draining = false;
  private switching: Promise<void> = Promise.resolve();
  private deactivating: Promise<void> = Promise.resolve();

  constructor(report: (living: LivingTask, call: 'deactivate', error: unknown) => void) {
    this.report = report;
  }

  /**
   * Activates the bolts, and the spouts if they are to be asked.
   *
   * @throws the error of the `activate` that failed
   */
  start(spouts: boolean): Promise<void> {
    this.wanted = spouts;
    if (!spouts) this.pause();
    return this.next(async () => {
      await this.activate(this.tasks.filter((each) => spouts || !isSpout(each.task)));
    });
  }

  /**
   * Has spouts asked from now on, or no more.
   *
   * @throws the error of the `activate` that failed
   */
  switch(on: boolean): Promise<void> {
    if (this.draining) return this.switching;
    this.wanted = on;
    if (!on) this.pause();
    return this.next(() => this.carryOut());
  }

  /** Spouts are done for good: what is open is waited for. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.wanted = false;
    for (const { spout } of this.spouts()) spout.drain();
    void this.next(() => this.carryOut());
  }

  /** The tasks that are there before its start. */
  enlist(tasks: readonly LivingTask[]): void {
    this.tasks = [...this.tasks, ...tasks];
  }

  /**
   * Tasks that came after its start. Bolts are activated, and spouts if they are to be asked.
   *
   * @throws the error of the `activate` that failed
   */
  add(tasks: readonly LivingTask[]): Promise<void> {
    this.enlist(tasks);
    for (const { task } of tasks) {
      if (!isSpout(task)) continue;
      if (this.draining) task.drain();
      else if (!this.wanted) task.pause();
    }
    return this.next(async () => {
      const due = tasks.filter((each) => this.tasks.includes(each) && !this.active.has(each));
      await this.activate(due.filter((each) => this.wanted || !isSpout(each.task)));
    });
  }

  /** That task leaves: nothing more is asked of it, and it is deactivated. */
  async remove(living: LivingTask): Promise<void> {
    this.tasks = this.tasks.filter((each) => each !== living);
    await this.switching;
    await this.deactivate(living);
  }

  /** Its instance is being replaced: nothing is called of it from then on but its last calls. */
  suspend(living: LivingTask): Promise<void> {
    return this.next(() => {
      this.away.add(living);
      return Promise.resolve();
    });
  }

  /**
   * It has another instance, which is activated as those of {@link add} are.
   *
   * @throws the error of its `activate`; it is still suspended then
   */
  comeBack(living: LivingTask): Promise<void> {
    return this.next(async () => {
      const isDue = this.tasks.includes(living) && (this.wanted || !isSpout(living.task));
      if (isDue) await this.activate([living]);
      this.away.delete(living);
    });
  }

  /** Calls `deactivate` of a task that is active; never throws. */
  async deactivate(living: LivingTask): Promise<void> {
    await this.deactivating;
    if (!this.active.delete(living)) return;
    try {
      await withDeadline(living.deactivate(), CLOSE_TIMEOUT_MS, 'deactivate');
    } catch (error) {
      this.report(living, 'deactivate', error);
    }
  }

  private next(then: () => Promise<void>): Promise<void> {
    const done = this.switching.then(then);
    this.switching = done.catch(() => undefined);
    return done;
  }

  private async carryOut(): Promise<void> {
    const spouts = this.spouts();
    if (!this.wanted) {
      this.deactivating = Promise.all(spouts.map(({ living }) => this.deactivate(living))).then(() => undefined);
      await this.deactivating;
      return;
    }
    const due = spouts.filter(({ living }) => !this.active.has(living) && !this.away.has(living));
    await this.activate(due.map(({ living }) => living));
    if (this.wanted) for (const { spout } of spouts) spout.resume();
  }

  /** Calls `activate` of all of them at once; the first failure names its component. */
  private async activate(tasks: readonly LivingTask[]): Promise<void> {
    await Promise.all(
      tasks.map(async (living) => {
        try {
          await living.activate();
          this.active.add(living);
        } catch (error) {
          throw startError('activate', living.definition.id, error);
        }
      }),
    );
  }

  private pause(): void {
    for (const { spout } of this.spouts()) spout.pause();
  }

  private spouts(): { readonly living: LivingTask; readonly spout: SpoutTask }[] {
    return this.tasks.flatMap((living) => (isSpout(living.task) ? [{ living, spout: living.task }] : []));
  }
}
