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
  private readonly plan: Plan;
  private readonly ended = new Set<number>();
  /** By task: the wiring in which its end was last undone. */
  private readonly reopenedAt = new Map<number, number>();

  constructor(description: TopologyDescription, plan: Plan, tell: TellCycle = () => undefined) {
    this.description = description;
    this.plan = plan;
    this.cycles = new CycleEnds(description, plan, tell);
  }

  /** Nothing more is coming anywhere. */
  get all(): boolean {
    return this.ended.size === this.plan.tasks.length;
  }

  /** A task says, in that wiring, that it has ended. */
  add(task: number, revision: number): void {
    if (revision >= (this.reopenedAt.get(task) ?? 0)) this.ended.add(task);
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
