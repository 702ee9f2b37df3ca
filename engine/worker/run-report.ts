// What is known of a running topology: its state, the counters that its workers keep in shared memory, their errors and
// deaths. Pure bookkeeping on the main thread.

import { wallTimeMs, type Clock, type Timer } from '../clock.js';
import type { WireError } from '../errors.js';
import {
  ACKED,
  DROPPED,
  EMITTED,
  ERRORS,
  EXECUTED,
  FAILED,
  MISUSED,
  OPEN_TREES,
  OUTBOX,
  QUEUED,
  STALE,
  STARTS,
} from '../metrics/counters.js';
import type { TaskCounters } from '../metrics/counter-blocks.js';
import { runtimeLimits, type RuntimeLimits } from '../limits.js';
import { Histogram, type Latency } from '../metrics/histogram.js';
import { KeptUserMetrics } from '../metrics/kept-user-metrics.js';
import type { TopologyMetrics, UserFigures } from '../metrics/snapshot.js';
import type { MeasuredFigures } from '../metrics/user-metrics.js';
import { SAMPLE_EVERY_MS } from '../metrics/window.js';
import type { TopologyDescription } from '../model/describe.js';
import { downstreamOf, tasksByComponent, type Plan } from '../plan/plan.js';
import { KeptErrors, WORKER, type KeptError } from './kept-errors.js';
import type { ErrorReport } from './messages.js';
import { RunMetrics } from './run-metrics.js';
import type { Suspect } from './supervision/suspect.js';

/** `standby`: its spouts are not made yet; `aside`: they let go of all, for those of another version. */
export type RunState =
  'starting' | 'standby' | 'active' | 'inactive' | 'aside' | 'draining' | 'completed' | 'killed' | 'failed';

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
  /** Tasks that were started again: in their place, or with their worker. */
  readonly restarts: number;
  /** Tuples in mailboxes, after the last slices. */
  readonly queued: number;
  /** Tuples that wait for credit. */
  readonly outbox: number;
  /** Acks and tuples of what was over already. */
  readonly stale: number;
  /** Acked twice, anchored or emitted too late. */
  readonly misused: number;
  /** Tuples that were not tracked and found feedback full, with `overflow: 'drop'`. */
  readonly dropped: number;
  /** Tuples a second over the last ten seconds: emitted by a spout, executed by a bolt. */
  readonly rate: number;
  /**
   * Spouts: from emit to the end of acked trees. Bolts: calls of `execute`, sampled, with what runs inside of them: the
   * next bolts too, where tuples are handed over directly.
   */
  readonly latency: Latency;
  /** The last ones, newest first, with stacks in the user's source. */
  readonly lastErrors: readonly KeptError[];
  /** What the counters and gauges of its code say, summed over its tasks, by name. */
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
  /** The last errors of workers that no component can be blamed for, newest first. */
  readonly workerErrors: readonly KeptError[];
}

/** What tasks did that are gone. */
interface Gone {
  /** By counter; of `STARTS` without the first one of each. */
  readonly sums: Map<number, number>;
  readonly latency: Histogram;
}

/** Counters that say what was done, not how things are. */
const GROWING = [EMITTED, EXECUTED, ACKED, FAILED, ERRORS, STALE, MISUSED, DROPPED];

export class RunReport {
  state: RunState = 'starting';
  /** The error of a component that ends the topology. */
  fatal: WireError | null = null;
  private readonly description: TopologyDescription;
  /** The tasks of each component. */
  private readonly tasks = new Map<string, number[]>();
  private readonly parallelism = new Map<string, number>();
  private readonly gone = new Map<string, Gone>();
  private plan: Plan;
  /** What takes from a component, directly or not. */
  private readonly below = new Map<string, ReadonlySet<string>>();
  private readonly counters: TaskCounters;
  private readonly clock: Clock;
  private readonly startedMs: number;
  private endedMs: number | null = null;
  private readonly errors = new KeptErrors();
  private readonly metrics: RunMetrics;
  private readonly user = new KeptUserMetrics();
  private sampling: Timer | null = null;
  private deaths = 0;

  constructor(
    description: TopologyDescription,
    plan: Plan,
    counters: TaskCounters,
    clock: Clock,
    limits: RuntimeLimits = runtimeLimits,
  ) {
    this.clock = clock;
    this.startedMs = clock.now();
    this.description = description;
    for (const { id } of description.components) this.tasks.set(id, []);
    this.plan = plan;
    this.counters = counters;
    const openTreesMax = Math.min(description.config.maxSpoutPending ?? Infinity, limits.openRootsMax);
    this.metrics = new RunMetrics({ description, plan: () => this.plan, counters, openTreesMax, user: this.user });
    this.adopt(plan);
  }

  /** That plan holds from now on; what tasks still do that are not part of it is counted until `settle`. */
  adopt(plan: Plan): void {
    this.plan = plan;
    for (const [id, tasks] of tasksByComponent(plan)) {
      const known = this.tasks.get(id)!;
      const before = new Set(known);
      for (const { task } of tasks) if (!before.has(task)) known.push(task);
      this.parallelism.set(id, tasks.length);
    }
    this.metrics.replanned();
  }

  /** Tasks that are not part of the plan are gone: what they did stays counted, without them. */
  settle(): void {
    const there = new Set(this.plan.tasks.map(({ task }) => task));
    for (const [id, tasks] of this.tasks) {
      const gone = this.gone.get(id) ?? { sums: new Map<number, number>(), latency: new Histogram() };
      this.gone.set(id, gone);
      for (const task of tasks) {
        if (there.has(task)) continue;
        gone.latency.add(this.counters.histogram(task));
        for (const counter of GROWING) {
          gone.sums.set(counter, (gone.sums.get(counter) ?? 0) + this.counters.read(task, counter));
        }
        gone.sums.set(STARTS, (gone.sums.get(STARTS) ?? 0) + this.restartsOf(task));
      }
      this.tasks.set(
        id,
        tasks.filter((task) => there.has(task)),
      );
    }
  }

  addError(report: ErrorReport): void {
    this.errors.add(report, wallTimeMs(), this.clock.now());
  }

  /**
   * @param suspect - the component that it died of, if that is known
   * @param alike - it died as the last one did
   */
  addDeath(error: WireError, suspect: Suspect | null, alike: boolean): void {
    this.deaths++;
    this.errors.addDeath(error, suspect, alike, wallTimeMs(), this.clock.now());
  }

  /** The text of the last error that a component below that one reported since then, or null. */
  errorBelow(component: string, sinceMs: number): string | null {
    const below = this.below.get(component) ?? downstreamOf(this.description, new Set([component]));
    this.below.set(component, below);
    return this.errors.lastSince(below, sinceMs)?.error.message ?? null;
  }

  /** Takes samples for rates from now on, every second until it is finished. */
  startSampling(): void {
    this.metrics.sample(this.clock.now());
    this.sampling = this.clock.after(SAMPLE_EVERY_MS, () => this.startSampling());
  }

  setMetrics(task: number, incarnation: number, figures: MeasuredFigures): void {
    this.user.set(task, incarnation, figures);
  }

  /** All that is measured: once it has ended, as it was then. */
  snapshot(): TopologyMetrics {
    const nowMs = this.endedMs ?? this.clock.now();
    return {
      name: this.description.name,
      state: this.state,
      seconds: (nowMs - this.startedMs) / 1000,
      workers: this.metrics.workers(nowMs),
      workerDeaths: this.deaths,
      components: this.metrics.components(nowMs, this.state),
    };
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
    const rates = this.metrics.rates(this.endedMs ?? this.clock.now());
    for (const { id, kind } of this.description.components) {
      const tasks = this.tasks.get(id)!;
      const latency = new Histogram();
      for (const task of tasks) latency.add(this.counters.histogram(task));
      const gone = this.gone.get(id);
      if (gone !== undefined) latency.add(gone.latency);
      components[id] = this.componentStatus(id, kind, tasks, rates.get(id)!, latency.summary());
      if (kind !== 'spout') continue;
      all.add(latency);
      for (const task of tasks) openTrees += this.counters.read(task, OPEN_TREES);
    }
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
      workerErrors: this.errors.of(WORKER),
    };
  }

  private restartsOf(task: number): number {
    return Math.max(0, this.counters.read(task, STARTS) - 1);
  }

  private componentStatus(
    id: string,
    kind: 'spout' | 'bolt',
    tasks: readonly number[],
    rate: number,
    latency: Latency,
  ): ComponentStatus {
    const gone = this.gone.get(id)?.sums;
    const sum = (counter: number): number =>
      tasks.reduce((total, task) => total + this.counters.read(task, counter), gone?.get(counter) ?? 0);
    const { counters, gauges }: UserFigures = this.user.of(tasks);
    return {
      kind,
      parallelism: this.parallelism.get(id) ?? tasks.length,
      emitted: sum(EMITTED),
      executed: sum(EXECUTED),
      acked: sum(ACKED),
      failed: sum(FAILED),
      errors: sum(ERRORS),
      restarts: tasks.reduce((total, task) => total + this.restartsOf(task), gone?.get(STARTS) ?? 0),
      queued: sum(QUEUED),
      outbox: sum(OUTBOX),
      stale: sum(STALE),
      misused: sum(MISUSED),
      dropped: sum(DROPPED),
      rate,
      latency,
      lastErrors: this.errors.of(id),
      metrics: { ...counters, ...gauges },
    };
  }
}
