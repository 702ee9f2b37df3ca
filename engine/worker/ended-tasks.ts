// Which tasks of a topology have handled all their input. A worker that dies undoes the ends of its tasks and of all
// that take from them, and an end that was under way meanwhile names an older wiring and does not count. Pure
// bookkeeping on the main thread.

import type { TopologyDescription } from '../model/describe.js';
import { downstreamOf, type Plan } from '../plan/plan.js';
import { CycleEnds, type TellCycle } from './cycle-ends.js';

export class EndedTasks {
  /** How those come to their ends that stand in cycles. */
  readonly cycles: CycleEnds;
  private readonly description: TopologyDescription;
  private plan: Plan;
  private there: ReadonlySet<number>;
  private readonly ended = new Set<number>();
  /** By task: the wiring in which its end was last undone. */
  private readonly reopenedAt = new Map<number, number>();

  constructor(description: TopologyDescription, plan: Plan, tell: TellCycle = () => undefined) {
    this.description = description;
    this.plan = plan;
    this.cycles = new CycleEnds(description, plan, tell);
    this.there = new Set(plan.tasks.map(({ task }) => task));
  }

  /** Nothing more is coming anywhere. */
  get all(): boolean {
    return this.ended.size === this.plan.tasks.length;
  }

  /** That plan holds from now on: tasks that are not part of it have nothing to end any more. */
  adopt(plan: Plan, changed: ReadonlySet<string>, revision: number): void {
    this.cycles.replan(plan, changed, revision);
    const there = new Set(plan.tasks.map(({ task }) => task));
    for (const task of this.ended) if (!there.has(task)) this.ended.delete(task);
    for (const task of this.reopenedAt.keys()) if (!there.has(task)) this.reopenedAt.delete(task);
    this.plan = plan;
    this.there = there;
  }

  /** A task says, in that wiring, that it has ended. */
  add(task: number, revision: number): void {
    if (this.there.has(task) && revision >= (this.reopenedAt.get(task) ?? 0)) this.ended.add(task);
  }

  /** The tasks of that worker start again, as of that wiring. */
  reopen(worker: number, revision: number): void {
    this.cycles.reopen(worker, revision);
    const restarted = this.plan.tasks.filter((task) => task.worker === worker);
    const below = downstreamOf(this.description, new Set(restarted.map((task) => task.component)));
    for (const task of this.plan.tasks) {
      if (task.worker !== worker && !below.has(task.component)) continue;
      this.ended.delete(task.task);
      this.reopenedAt.set(task.task, revision);
    }
  }
}
