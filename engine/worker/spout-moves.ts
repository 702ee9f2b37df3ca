// The spouts of one worker that a change of the plan moves. Those that leave let go first, and are closed: two tasks
// might want the same partition, or the same port. Then those that come are opened, and begin when the plan changes; if
// one of them cannot be opened nothing has changed yet, and those that left begin anew. On the worker's thread.
//
//   leaves: depart ─► its trees are done ─► let go, closed (leavers.ts)      called off before that ─► stays
//   comes:  open ─┬─► opened ─► begin, with the change                       called off ─► closed
//                 └─► the change is called off

import { HAND_OVER_WAIT_MS_MAX } from '../limits.js';
import type { TaskPlan } from '../plan/plan.js';
import { isSpout } from '../task/copies.js';
import type { SpoutTask } from '../task/spout-task.js';
import { makeComing } from './coming.js';
import { connect } from './connecting.js';
import type { Leavers, LeaversHost } from './leavers.js';
import type { Checkpoint, LetGo } from './messages.js';
import type { LivingTask } from './living-task.js';
import type { WiringOptions } from './wiring.js';

/** What they need of their worker. */
export interface SpoutMovesHost extends Omit<LeaversHost, 'post'> {
  schedule(task: SpoutTask): void;
}

/** A spout that lets go as soon as it can. */
interface Departing {
  readonly living: LivingTask;
  readonly task: SpoutTask;
  readonly deactivated: Promise<void>;
}

export class SpoutMoves {
  private readonly host: SpoutMovesHost;
  private readonly leavers: Leavers;
  private readonly departing = new Map<number, Departing>();
  /** Those that came in this change. */
  private made: LivingTask[] = [];
  private opening: Promise<unknown> = Promise.resolve();

  constructor(host: SpoutMovesHost, leavers: Leavers) {
    this.host = host;
    this.leavers = leavers;
  }

  /** Those of these that are here are asked no more. */
  depart(leaving: ReadonlyMap<number, TaskPlan>, messageTimeoutMs: number | null): void {
    const { crew, activity } = this.host;
    for (const living of crew.living) {
      const { task } = living;
      if (!isSpout(task) || !leaving.has(task.task)) continue;
      // It may still have to deactivate when it lets go; closing waits for that.
      const deactivated = activity.remove(living);
      this.leavers.track(deactivated);
      this.departing.set(task.task, { living, task, deactivated });
      task.depart(Math.min(messageTimeoutMs ?? Infinity, HAND_OVER_WAIT_MS_MAX));
    }
  }

  /** It has let go. */
  left(task: number): void {
    this.departing.delete(task);
  }

  /**
   * Makes and opens spouts.
   *
   * @throws the error of the constructor, `open` or `activate` that failed
   */
  async open(
    wiring: WiringOptions,
    places: ReadonlyMap<number, TaskPlan>,
    spouts: readonly LetGo[],
    checkpoints: readonly Checkpoint[],
  ): Promise<void> {
    const opening = this.makeAndOpen(wiring, places, spouts, checkpoints);
    this.opening = Promise.allSettled([this.opening, opening]);
    await opening;
  }

  private async makeAndOpen(
    wiring: WiringOptions,
    places: ReadonlyMap<number, TaskPlan>,
    spouts: readonly LetGo[],
    checkpoints: readonly Checkpoint[],
  ): Promise<void> {
    const { crew, links, reports, activity } = this.host;
    reports.restore(new Set(spouts.map(({ task }) => places.get(task)!.component)), checkpoints);
    const made: LivingTask[] = [];
    for (const { task, ended } of spouts) {
      const living = makeComing(wiring, places.get(task)!, ended);
      made.push(living);
      this.made.push(living);
      crew.add(living);
    }
    const linkTo = (worker: number) => links.to(worker);
    for (const { task } of made) {
      connect({ options: wiring, tasks: crew.tasks, linkTo, task, plan: places.get(task.task)! });
    }
    await crew.prepare(made);
    await activity.add(made);
  }

  /** They are asked from now on. */
  begin(): void {
    const { host, made } = this;
    this.made = [];
    host.crew.start(made);
    host.rewired();
    for (const { task } of made) if (isSpout(task)) host.schedule(task);
  }

  /**
   * The change does not take place: those that came go.
   *
   * @returns those that go on, because they had not let go; `again` rejects when one of them cannot be activated again
   */
  cancel(): { readonly stayed: readonly number[]; readonly again: Promise<void> } {
    const { crew, inlets, activity } = this.host;
    const { made } = this;
    this.made = [];
    for (const { task } of made) inlets.close(task.task);
    this.leavers.discard(made, this.opening);
    for (const { task } of made) crew.remove(task.task);
    const staying = [...this.departing.values()];
    this.departing.clear();
    const activated = staying.map(async ({ living, task, deactivated }) => {
      task.stay();
      await deactivated;
      await activity.add([living]);
    });
    return { stayed: staying.map(({ task }) => task.task), again: Promise.all(activated).then(() => undefined) };
  }
}
