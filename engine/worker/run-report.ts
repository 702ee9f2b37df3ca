// What is known of a running topology: its state, the counters that its workers keep in shared memory, their errors and
// deaths. Pure bookkeeping on the main thread.

import type { Clock } from '../clock.js';
import type { WireError } from '../errors.js';
import { ERRORS_KEPT_MAX } from '../limits.js';
import {
  ACKED,
  EMITTED,
  ERRORS,
  EXECUTED,
  FAILED,
  MISUSED,
  OPEN_TREES,
  OUTBOX,
  QUEUED,
  STALE,
  type Counters,
} from '../metrics/counters.js';
import { Histogram, type Latency } from '../metrics/histogram.js';
import type { TopologyDescription } from '../model/describe.js';
import { tasksOf, type Plan } from '../plan/plan.js';
import type { ErrorReport } from './messages.js';

export type RunState = 'starting' | 'active' | 'inactive' | 'draining' | 'completed' | 'killed' | 'failed';

/** What one component has done, summed over its tasks. */
export interface ComponentStatus {
  readonly kind: 'spout' | 'bolt';
  readonly parallelism: number;
  readonly emitted: number;
  /** Calls of `execute` (bolts). */
  readonly executed: number;
  /** Spouts: trees that were fully processed. Bolts: inputs that they acked. */
  readonly acked: number;
  /** Spouts: trees that failed or timed out. Bolts: inputs that they failed. */
  readonly failed: number;
  /** Calls that threw. */
  readonly errors: number;
  /** Tuples in mailboxes, after the last slices. */
  readonly queued: number;
  /** Tuples that wait for credit. */
  readonly outbox: number;
  /** Acks and tuples of what was over already. */
  readonly stale: number;
  /** Acked twice, anchored or emitted too late. */
  readonly misused: number;
  /** What its tasks count and measure themselves, counters summed, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TopologyStatus {
  readonly name: string;
  readonly state: RunState;
  /** Since it was started; stands still once it has ended. */
  readonly seconds: number;
  readonly workers: number;
  readonly components: Readonly<Record<string, ComponentStatus>>;
  /** Trees that are open now. */
  readonly openTrees: number;
  /** From the spout's emit to the end of the tree, of acked ones. */
  readonly completeLatency: Latency;
  /** The last errors, oldest first. */
  readonly errors: readonly ErrorReport[];
  readonly workerDeaths: number;
}

export class RunReport {
  state: RunState = 'starting';
  /** The error of a component that ends the topology. */
  fatal: WireError | null = null;
  private readonly description: TopologyDescription;
  private readonly plan: Plan;
  private readonly counters: Counters;
  private readonly clock: Clock;
  private readonly startedMs: number;
  private endedMs: number | null = null;
  private readonly errors: ErrorReport[] = [];
  private readonly metrics = new Map<number, Readonly<Record<string, number>>>();
  private deaths = 0;

  constructor(description: TopologyDescription, plan: Plan, counters: Counters, clock: Clock) {
    this.clock = clock;
    this.startedMs = clock.now();
    this.description = description;
    this.plan = plan;
    this.counters = counters;
  }

  addError(report: ErrorReport): void {
    this.errors.push(report);
    if (this.errors.length > ERRORS_KEPT_MAX) this.errors.shift();
  }

  addDeath(error: WireError): void {
    this.deaths++;
    this.addError({ component: '(worker)', task: -1, count: 1, error });
  }

  setMetrics(task: number, values: Readonly<Record<string, number>>): void {
    this.metrics.set(task, values);
  }

  finish(state: RunState): void {
    this.state = state;
    this.endedMs = this.clock.now();
  }

  status(workers: number): TopologyStatus {
    const latency = new Histogram();
    let openTrees = 0;
    const components: Record<string, ComponentStatus> = {};
    for (const component of this.description.components) {
      const tasks = tasksOf(this.plan, component.id).map((each) => each.task);
      components[component.id] = this.componentStatus(component.kind, tasks);
      if (component.kind !== 'spout') continue;
      for (const task of tasks) {
        latency.add(this.counters.histogram(task));
        openTrees += this.counters.read(task, OPEN_TREES);
      }
    }
    return {
      name: this.description.name,
      state: this.state,
      seconds: ((this.endedMs ?? this.clock.now()) - this.startedMs) / 1000,
      workers,
      components,
      openTrees,
      completeLatency: latency.summary(),
      errors: [...this.errors],
      workerDeaths: this.deaths,
    };
  }

  private componentStatus(kind: 'spout' | 'bolt', tasks: readonly number[]): ComponentStatus {
    const sum = (counter: number): number =>
      tasks.reduce((total, task) => total + this.counters.read(task, counter), 0);
    const metrics: Record<string, number> = {};
    for (const task of tasks) {
      for (const [name, value] of Object.entries(this.metrics.get(task) ?? {})) {
        metrics[name] = (metrics[name] ?? 0) + value;
      }
    }
    return {
      kind,
      parallelism: tasks.length,
      emitted: sum(EMITTED),
      executed: sum(EXECUTED),
      acked: sum(ACKED),
      failed: sum(FAILED),
      errors: sum(ERRORS),
      queued: sum(QUEUED),
      outbox: sum(OUTBOX),
      stale: sum(STALE),
      misused: sum(MISUSED),
      metrics,
    };
  }
}
