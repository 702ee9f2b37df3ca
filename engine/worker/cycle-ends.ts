// When cycles end. A cycle has no last tuple that could carry a marker: it ends when nothing comes in any more and
// nothing goes round in it. Its tasks tell how many tuples they sent each other between workers and how many came,
// whenever they are idle; equal sums, found twice in a row, say that nothing is under way (Mattern's four counters,
// Distributed Computing 2, 1987). Pure bookkeeping on the main thread.
//
//   step -1: tuples may come in ── every worker: all inputs from outside have ended ─►
//   step 0: it goes round ── quiescent ─► step 1: the first component calls `finish` ── quiescent ─► step 2 … ─►
//   step n + 1: ends are passed on
//
//   quiescent: every worker idle, sent = received ── asked again ─► the same counts, all still idle
//
// `finish` may emit into the cycle, so each is waited for before the next one. A cycle that a dead worker had part of,
// or that lies below one, begins anew; what was said in an older generation of it does not count.

import { cyclesOf } from '../model/cycles.js';
import type { TopologyDescription } from '../model/describe.js';
import { downstreamOf, type Plan } from '../plan/plan.js';
import type { CycleReport, CycleTold } from './messages.js';

/** Nothing is known of the ends of its inputs yet. */
export const CYCLE_OPEN = -1;

interface WatchedCycle {
  readonly components: readonly string[];
  generation: number;
  step: number;
  /** What each worker said last, when it was idle. */
  reports: Map<number, CycleReport>;
  /** The round of questions that is under way, and what was said before it; null when none is. */
  asked: { readonly round: number; readonly before: string; readonly answers: Map<number, CycleReport> } | null;
  rounds: number;
}

/** Tells a worker. */
export type TellCycle = (worker: number, told: CycleTold) => void;

export class CycleEnds {
  private readonly description: TopologyDescription;
  private readonly tell: TellCycle;
  private readonly cycles: readonly WatchedCycle[];
  private plan: Plan;

  constructor(description: TopologyDescription, plan: Plan, tell: TellCycle) {
    this.description = description;
    this.plan = plan;
    this.tell = tell;
    this.cycles = cyclesOf(description.components).map((components) => ({
      components,
      generation: 0,
      step: CYCLE_OPEN,
      reports: new Map(),
      asked: null,
      rounds: 0,
    }));
  }

  /** The tasks of that worker start again, as of that wiring. */
  reopen(worker: number, revision: number): void {
    const restarted = this.plan.tasks.filter((task) => task.worker === worker);
    const components = new Set(restarted.map((task) => task.component));
    const below = downstreamOf(this.description, components);
    for (const cycle of this.cycles) {
      if (cycle.components.some((id) => components.has(id) || below.has(id))) this.restart(cycle, revision);
    }
  }

  /** The tasks of some components are others from now on, as of that wiring. */
  replan(plan: Plan, changed: ReadonlySet<string>, revision: number): void {
    this.plan = plan;
    for (const cycle of this.cycles) if (cycle.components.some((id) => changed.has(id))) this.restart(cycle, revision);
  }

  /** What a worker says of its part of a cycle. */
  heard(worker: number, report: CycleReport): void {
    const cycle = this.cycles[report.cycle];
    if (cycle === undefined || report.generation !== cycle.generation || report.step !== cycle.step) return;
    if (report.round !== null) this.answered(cycle, worker, report);
    else if (report.idle) this.idle(cycle, worker, report);
  }

  private restart(cycle: WatchedCycle, revision: number): void {
    cycle.generation = revision;
    this.enter(cycle, CYCLE_OPEN);
  }

  private enter(cycle: WatchedCycle, step: number): void {
    cycle.step = step;
    cycle.reports = new Map();
    cycle.asked = null;
  }

  private idle(cycle: WatchedCycle, worker: number, report: CycleReport): void {
    cycle.reports.set(worker, report);
    if (cycle.asked === null) this.judge(cycle);
  }

  /** With a report of every worker: goes on, or asks whether it is still so. */
  private judge(cycle: WatchedCycle): void {
    const workers = this.workersOf(cycle);
    if (!workers.every((worker) => cycle.reports.has(worker))) return;
    if (cycle.step === CYCLE_OPEN) {
      this.advance(cycle, workers);
      return;
    }
    const reports = workers.map((worker) => cycle.reports.get(worker)!);
    if (total(reports, 'sent') !== total(reports, 'received')) return;
    const round = ++cycle.rounds;
    cycle.asked = { round, before: countsOf(reports), answers: new Map() };
    this.tellAll(cycle, workers, round);
  }

  private answered(cycle: WatchedCycle, worker: number, report: CycleReport): void {
    const { asked } = cycle;
    if (asked === null || report.round !== asked.round) return;
    asked.answers.set(worker, report);
    // Who is at work says so when it is idle again, and that may be heard before the answers of the others.
    if (report.idle) cycle.reports.set(worker, report);
    else cycle.reports.delete(worker);
    const workers = this.workersOf(cycle);
    if (!workers.every((each) => asked.answers.has(each))) return;
    cycle.asked = null;
    const answers = workers.map((each) => asked.answers.get(each)!);
    const isQuiescent = answers.every((answer) => answer.idle) && countsOf(answers) === asked.before;
    if (isQuiescent) this.advance(cycle, workers);
    else this.judge(cycle);
  }

  private advance(cycle: WatchedCycle, workers: readonly number[]): void {
    this.enter(cycle, cycle.step + 1);
    this.tellAll(cycle, workers, null);
  }

  private tellAll(cycle: WatchedCycle, workers: readonly number[], round: number | null): void {
    const { generation, step } = cycle;
    const index = this.cycles.indexOf(cycle);
    for (const worker of workers) this.tell(worker, { type: 'cycle', cycle: index, generation, step, round });
  }

  private workersOf(cycle: WatchedCycle): readonly number[] {
    const tasks = this.plan.tasks.filter((task) => cycle.components.includes(task.component));
    return [...new Set(tasks.map((task) => task.worker))].sort((a, b) => a - b);
  }
}

function total(reports: readonly CycleReport[], count: 'sent' | 'received'): number {
  return reports.reduce((sum, report) => sum + report[count], 0);
}

function countsOf(reports: readonly CycleReport[]): string {
  return reports.map(({ sent, received }) => `${sent}/${received}`).join(' ');
}
