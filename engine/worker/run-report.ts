// What is known of a running topology: its state, the counters that its workers keep in shared memory, their errors and
// deaths. Pure bookkeeping on the main thread.

import { wallTimeMs, type Clock, type Timer } from '../clock.js';
import type { WireError } from '../errors.js';
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
import { Rates, SAMPLE_EVERY_MS } from '../metrics/rates.js';
import type { TopologyDescription } from '../model/describe.js';
import { downstreamOf, type Plan } from '../plan/plan.js';
import { KeptErrors, type KeptError } from './kept-errors.js';
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
  /** Tuples a second over the last ten seconds: emitted by a spout, executed by a bolt. */
  readonly rate: number;
  /**
   * Spouts: from emit to the end of acked trees. Bolts: calls of `execute`, sampled, with what runs inside of them: the
   * next bolts too, where tuples are handed over directly.
   */
  readonly latency: Latency;
  /** The last ones, newest first, with stacks in the user's source. */
  readonly lastErrors: readonly KeptError[];
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
  readonly errors: readonly KeptError[];
  readonly workerDeaths: number;
}

export class RunReport {
  state: RunState = 'starting';
  /** The error of a component that ends the topology. */
  fatal: WireError | null = null;
  private readonly description: TopologyDescription;
  /** The tasks of each component. */
  private readonly tasks = new Map<string, number[]>();
  /** What takes from a component, directly or not. */
  private readonly below = new Map<string, ReadonlySet<string>>();
  private readonly counters: Counters;
  private readonly clock: Clock;
  private readonly startedMs: number;
  private endedMs: number | null = null;
  private readonly errors = new KeptErrors();
  private readonly rates = new Rates();
  private sampling: Timer | null = null;
  private readonly metrics = new Map<number, Readonly<Record<string, number>>>();
  private deaths = 0;

  constructor(description: TopologyDescription, plan: Plan, counters: Counters, clock: Clock) {
    this.clock = clock;
    this.startedMs = clock.now();
    this.description = description;
    for (const { id } of description.components) this.tasks.set(id, []);
    for (const { component, task } of plan.tasks) this.tasks.get(component)?.push(task);
    this.counters = counters;
  }

  addError(report: ErrorReport): void {
    this.errors.add(report, wallTimeMs(), this.clock.now());
  }

  /** @param alike - it died as the last one did */
  addDeath(error: WireError, alike: boolean): void {
    this.deaths++;
    this.errors.addDeath(error, alike, wallTimeMs(), this.clock.now());
  }

  /** The text of the last error that a component below that one reported since then, or null. */
  errorBelow(component: string, sinceMs: number): string | null {
    const below = this.below.get(component) ?? downstreamOf(this.description, new Set([component]));
    this.below.set(component, below);
    return this.errors.lastSince(below, sinceMs)?.error.message ?? null;
  }

  /** Takes samples for rates from now on, every second until it is finished. */
  startSampling(): void {
    this.rates.sample(this.clock.now(), this.rated());
    this.sampling = this.clock.after(SAMPLE_EVERY_MS, () => this.startSampling());
  }

  setMetrics(task: number, values: Readonly<Record<string, number>>): void {
    this.metrics.set(task, values);
  }

  finish(state: RunState): void {
    this.state = state;
    this.sampling?.cancel();
    this.endedMs = this.clock.now();
  }

  status(workers: number): TopologyStatus {
    const all = new Histogram();
    let openTrees = 0;
    const components: Record<string, ComponentStatus> = {};
    // Once it has ended, rates stand as they were at the end.
    const rates = this.rates.perSecond(this.endedMs ?? this.clock.now(), this.rated());
    this.description.components.forEach(({ id, kind }, index) => {
      const tasks = this.tasks.get(id)!;
      const latency = new Histogram();
      for (const task of tasks) latency.add(this.counters.histogram(task));
      components[id] = this.componentStatus(id, kind, tasks, rates[index]!, latency.summary());
      if (kind !== 'spout') return;
      all.add(latency);
      for (const task of tasks) openTrees += this.counters.read(task, OPEN_TREES);
    });
    return {
      name: this.description.name,
      state: this.state,
      seconds: ((this.endedMs ?? this.clock.now()) - this.startedMs) / 1000,
      workers,
      components,
      openTrees,
      completeLatency: all.summary(),
      errors: this.errors.all,
      workerDeaths: this.deaths,
    };
  }

  /** What rates are of, by component. */
  private rated(): number[] {
    return this.description.components.map(({ id, kind }) => {
      const counter = kind === 'spout' ? EMITTED : EXECUTED;
      return this.tasks.get(id)!.reduce((sum, task) => sum + this.counters.read(task, counter), 0);
    });
  }

  private componentStatus(
    id: string,
    kind: 'spout' | 'bolt',
    tasks: readonly number[],
    rate: number,
    latency: Latency,
  ): ComponentStatus {
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
      rate,
      latency,
      lastErrors: this.errors.of(id),
      metrics,
    };
  }
}
