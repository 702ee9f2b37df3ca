// The part that a worker has in cycles, once nothing comes into them any more: says when its tasks of a cycle are idle
// and how many tuples went and came, and has them finish and end when the supervisor (cycle-ends.ts) says so. Looks
// only at the end of a turn, and does nothing while tuples still come in. On the worker's thread.

import type { Link } from '../link/link.js';
import { cyclesOf } from '../model/cycles.js';
import type { Topology } from '../model/definition.js';
import type { Plan } from '../plan/plan.js';
import { isBolt } from '../task/copies.js';
import type { BoltTask } from '../task/bolt-task.js';
import { GOES_ROUND, MAY_END, MAY_FINISH } from '../task/cycle-phase.js';
import { CYCLE_OPEN } from './cycle-ends.js';
import type { CycleReport, CycleTold } from './messages.js';
import type { LivingTask } from './living-task.js';

interface Membership {
  readonly cycle: number;
  readonly components: readonly string[];
  generation: number;
  step: number;
  /** The counts that were said last in this step; null when it was at work since then, or has said nothing yet. */
  said: string | null;
}

export interface CycleSurroundings {
  readonly topology: Topology;
  /** The wiring that it starts with. */
  readonly revision: number;
  /** The plan of now. */
  readonly plan: () => Plan;
  readonly living: () => readonly LivingTask[];
  readonly links: () => readonly Link[];
  readonly turns: { schedule(task: BoltTask): void; afterEach(look: () => void): void };
  readonly post: (report: CycleReport) => void;
}

export class CycleMembers {
  private readonly around: CycleSurroundings;
  private readonly memberships: readonly Membership[];

  constructor(around: CycleSurroundings) {
    this.around = around;
    this.memberships = cyclesOf(around.topology.components).map((components, cycle) => ({
      cycle,
      components,
      generation: around.revision,
      step: CYCLE_OPEN,
      said: null,
    }));
    if (this.memberships.length > 0) around.turns.afterEach(() => this.look());
  }

  /** Those components run again, or what they take does, as of that wiring. */
  reopen(components: ReadonlySet<string>, revision: number): void {
    for (const membership of this.memberships) {
      if (!membership.components.some((id) => components.has(id))) continue;
      membership.generation = revision;
      membership.step = CYCLE_OPEN;
      membership.said = null;
    }
  }

  /** The end of a turn: says what has changed. */
  private look(): void {
    for (const membership of this.memberships) this.lookAt(membership);
  }

  told({ cycle, generation, step, round }: CycleTold): void {
    const membership = this.memberships[cycle];
    if (membership === undefined || membership.generation !== generation) return;
    if (membership.step !== step) this.enter(membership, step);
    if (round === null) return;
    const report = this.report(membership, round);
    membership.said = report.idle ? countsOf(report) : null;
    this.around.post(report);
  }

  private enter(membership: Membership, step: number): void {
    membership.step = step;
    membership.said = null;
    const { components } = membership;
    for (const { task, definition } of this.around.living()) {
      if (!isBolt(task) || !components.includes(definition.id)) continue;
      if (step > components.length) task.cycle = MAY_END;
      // The plan may have changed since it finished, or was to end.
      else if (definition.id === components[step - 1] && task.cycle === GOES_ROUND) task.cycle = MAY_FINISH;
      // Also when it has nothing to do: the turn that follows says that it is idle.
      this.around.turns.schedule(task);
    }
  }

  private lookAt(membership: Membership): void {
    if (membership.step > membership.components.length) return;
    const tasks = this.tasksOf(membership);
    if (tasks.length === 0) return;
    if (membership.step === CYCLE_OPEN) {
      if (membership.said !== null || !tasks.every((task) => task.inputs.ended)) return;
      membership.said = '';
      const { cycle, generation, step } = membership;
      this.around.post({ type: 'cycleReport', cycle, generation, step, round: null, idle: true, sent: 0, received: 0 });
      return;
    }
    const report = this.report(membership, null);
    const said = report.idle ? countsOf(report) : null;
    if (said !== null && said !== membership.said) this.around.post(report);
    membership.said = said;
  }

  private report({ cycle, components, generation, step }: Membership, round: number | null): CycleReport {
    const inside = this.around.plan().tasks.filter((task) => components.includes(task.component));
    const numbers = new Set(inside.map((task) => task.task));
    let sent = 0;
    let received = 0;
    let waiting = 0;
    for (const link of this.around.links()) {
      const traffic = link.traffic(numbers);
      sent += traffic.sent;
      received += traffic.received;
      waiting += traffic.waiting;
    }
    const idle = waiting === 0 && this.tasksOf({ components }).every((task) => task.isIdle);
    return { type: 'cycleReport', cycle, generation, step, round, idle, sent, received };
  }

  private tasksOf({ components }: Pick<Membership, 'components'>): readonly BoltTask[] {
    return this.around
      .living()
      .flatMap(({ task, definition }) => (isBolt(task) && components.includes(definition.id) ? [task] : []));
  }
}

function countsOf({ sent, received }: CycleReport): string {
  return `${sent}/${received}`;
}
