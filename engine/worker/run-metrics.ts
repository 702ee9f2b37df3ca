// Works out what is told of a running topology from the counters in shared memory: sums, and what was done in windows
// that end now. It samples once a second; workers do nothing for it. Pure bookkeeping on the main thread.

import { conditionOf, worstOf, type Condition } from '../metrics/condition.js';
import * as words from '../metrics/counters.js';
import type { TaskCounters } from '../metrics/counter-blocks.js';
import { combine, figureKeys, recentFigures, recentKeys, taskFigures, type Figures } from '../metrics/figures.js';
import { Histogram, type SparseHistogram } from '../metrics/histogram.js';
import type { KeptUserMetrics } from '../metrics/kept-user-metrics.js';
import type {
  ComponentSnapshot,
  Distributions,
  Recent,
  TaskSnapshot,
  WindowName,
  WorkerSnapshot,
} from '../metrics/snapshot.js';
import { SAMPLE_EVERY_MS, Window } from '../metrics/window.js';
import type { ComponentDescription, TopologyDescription } from '../model/describe.js';
import type { Plan, TaskPlan } from '../plan/plan.js';
import {
  callsShare,
  grownSince,
  histogramsOf,
  readSample,
  recent,
  stalledMs,
  viewOf,
  waitedMs,
  workerBusy,
  type Sampled,
  type TasksByComponent,
  type View,
} from './run-samples.js';

export interface RunMetricsOptions {
  readonly description: TopologyDescription;
  /** The plan of now. */
  readonly plan: () => Plan;
  readonly counters: TaskCounters;
  /** The most trees that one spout task may have open. */
  readonly openTreesMax: number;
  readonly user: KeptUserMetrics;
}

type Views = Readonly<Record<WindowName, View>>;

export class RunMetrics {
  private readonly options: RunMetricsOptions;
  private windows = newWindows();

  private last: Sampled | null = null;
  private grouped: { readonly plan: Plan; readonly tasks: TasksByComponent } | null = null;

  constructor(options: RunMetricsOptions) {
    this.options = options;
  }

  /** Tasks are others now: what was sampled of them together cannot be compared any more. */
  replanned(): void {
    this.windows = newWindows();
    this.last = null;
  }

  /** To be called every `SAMPLE_EVERY_MS`. */
  sample(nowMs: number): void {
    let sampled: Sampled | null = null;
    const figures = (): Sampled => (sampled ??= this.read(nowMs));
    for (const window of Object.values(this.windows)) window.offer(nowMs, figures);
  }

  /** Tuples a second over the last ten seconds, by component: emitted by a spout, executed by a bolt. */
  rates(nowMs: number): ReadonlyMap<string, number> {
    const { description, counters } = this.options;
    const oldest = this.windows['10s'].oldest;
    const seconds = oldest === null ? 0 : (nowMs - oldest.atMs) / 1000;
    return new Map(
      description.components.map(({ id, kind }) => {
        const word = kind === 'spout' ? words.EMITTED : words.EXECUTED;
        let grown = 0;
        for (const { task } of this.tasks.get(id)!) grown += grownSince(oldest?.figures ?? null, counters, task, word);
        return [id, seconds > 0 ? grown / seconds : 0];
      }),
    );
  }

  workers(nowMs: number): readonly WorkerSnapshot[] {
    const views = this.views(nowMs);
    return Array.from({ length: this.options.plan().workers }, (_, worker) => ({
      worker,
      busy: { '10s': workerBusy(views['10s'], worker), '10m': workerBusy(views['10m'], worker) },
    }));
  }

  components(nowMs: number, runState: string): Readonly<Record<string, ComponentSnapshot>> {
    const views = this.views(nowMs);
    const plan = this.options.plan();
    const names = new Map(plan.tasks.map((task) => [task.task, task]));
    return Object.fromEntries(
      this.options.description.components.map((component) => {
        const tasks = this.tasks
          .get(component.id)!
          .map((task) => this.taskSnapshot(component, task, views, names, runState, nowMs));
        return [component.id, this.componentSnapshot(component, tasks, views)];
      }),
    );
  }

  private read(nowMs: number): Sampled {
    const { counters, plan } = this.options;
    this.last = readSample(counters, plan(), this.tasks, nowMs, this.last);
    return this.last;
  }

  private views(nowMs: number): Views {
    const now = this.read(nowMs);
    const plan = this.options.plan();
    return {
      '10s': viewOf(this.windows['10s'].oldest, now, nowMs, plan),
      '10m': viewOf(this.windows['10m'].oldest, now, nowMs, plan),
    };
  }

  private get tasks(): TasksByComponent {
    const plan = this.options.plan();
    if (this.grouped?.plan === plan) return this.grouped.tasks;
    const tasks = new Map<string, TaskPlan[]>(this.options.description.components.map(({ id }) => [id, []]));
    for (const task of plan.tasks) tasks.get(task.component)?.push(task);
    this.grouped = { plan, tasks };
    return tasks;
  }

  private taskSnapshot(
    component: ComponentDescription,
    { task, index, worker }: TaskPlan,
    views: Views,
    names: ReadonlyMap<number, TaskPlan>,
    runState: string,
    nowMs: number,
  ): TaskSnapshot {
    const figures = this.figures(task, nowMs);
    const windows = {
      '10s': recent(views['10s'], task, worker, concurrencyOf(component)),
      '10m': recent(views['10m'], task, worker, concurrencyOf(component)),
    };
    const condition = this.condition(component, { task, worker }, figures, windows['10s'], views, names, runState);
    const blockedBy = this.options.counters.read(task, words.BLOCKED_BY) - 1;
    return {
      ...figures,
      task,
      index,
      worker,
      blockedBy: blockedBy < 0 ? null : blockedBy,
      windows,
      condition,
      user: this.options.user.of([task]),
    };
  }

  private figures(task: number, nowMs: number): Figures {
    const { counters } = this.options;
    const figures = Object.fromEntries(
      figureKeys.map((key) => {
        const { word } = taskFigures[key];
        return [key, word === null ? 0 : counters.read(task, word)];
      }),
    ) as Record<keyof Figures, number>;
    figures.restarts = Math.max(0, counters.read(task, words.STARTS) - 1);
    figures.stalledMs = stalledMs(counters, task, nowMs);
    figures.ackWaitedMs = waitedMs(counters, task, nowMs);
    return figures;
  }

  private condition(
    component: ComponentDescription,
    { task, worker }: Pick<TaskPlan, 'task' | 'worker'>,
    figures: Figures,
    window: Recent,
    views: Views,
    names: ReadonlyMap<number, TaskPlan>,
    runState: string,
  ): Condition {
    const { counters, openTreesMax } = this.options;
    const blockedNow = counters.read(task, words.BLOCKED_BY) > 0;
    const blocker = counters.read(task, blockedNow ? words.BLOCKED_BY : words.LAST_BLOCKED_BY) - 1;
    const concurrency = concurrencyOf(component);
    return conditionOf({
      kind: component.kind,
      runState,
      ended: counters.read(task, words.ENDED) === 1,
      broken: counters.read(task, words.BROKEN) === 1,
      blocker: shownBlocker(names.get(blocker), worker),
      blockedNow,
      stalled: window.stalled,
      waitsForAcksNow: counters.read(task, words.WAITING_FOR_ACKS) === 1,
      waitedForAcks: window.waitedForAcks,
      openTrees: figures.openTrees,
      openTreesMax,
      calls: figures.calls,
      concurrency,
      callsShare: callsShare(views['10s'], task, concurrency),
      busy: window.busy,
      workerBusy: workerBusy(views['10s'], worker),
      worker,
      queued: figures.queued,
      queueFill: figures.queueFill,
      perSecond: component.kind === 'spout' ? window.emittedPerSecond : window.executedPerSecond,
      windowSeconds: window.seconds,
    });
  }

  private componentSnapshot(
    { id, kind, parallelism }: ComponentDescription,
    tasks: readonly TaskSnapshot[],
    views: Views,
  ): ComponentSnapshot {
    const latencies = histogramsOf(this.options.counters, this.tasks.get(id)!).map((all, at) => ({
      all: all.distribution(),
      '10s': since(all, views['10s'].then?.latencies.get(id)?.histograms[at]),
      '10m': since(all, views['10m'].then?.latencies.get(id)?.histograms[at]),
    }));
    const [calls, processing] = latencies as [Distributions, Distributions];
    return {
      ...combine(figureKeys, taskFigures, tasks),
      kind,
      parallelism: tasks.length === 0 ? parallelism : tasks.length,
      openTreesMax: kind === 'spout' ? tasks.length * this.options.openTreesMax : null,
      windows: { '10s': combined(tasks, '10s', views), '10m': combined(tasks, '10m', views) },
      executeLatencyMs: kind === 'bolt' ? calls : null,
      processLatencyMs: kind === 'bolt' ? processing : null,
      completeLatencyMs: kind === 'spout' ? calls : null,
      condition: worstOf(tasks.map((task) => task.condition)),
      user: this.options.user.of(tasks.map(({ task }) => task)),
      tasks,
    };
  }
}

function newWindows(): Readonly<Record<WindowName, Window<Sampled>>> {
  return { '10s': new Window(SAMPLE_EVERY_MS, 10), '10m': new Window(30 * SAMPLE_EVERY_MS, 20) };
}

function combined(tasks: readonly TaskSnapshot[], name: WindowName, views: Views): Recent {
  const all = tasks.map((task) => task.windows[name]);
  return { ...combine(recentKeys, recentFigures, all), seconds: views[name].seconds };
}

function since(all: Histogram, earlier: SparseHistogram | undefined): Distributions['all'] {
  const rest = new Histogram();
  rest.add(all);
  if (earlier !== undefined) rest.subtract(earlier);
  return rest.distribution();
}

function concurrencyOf(component: ComponentDescription): number {
  return component.kind === 'bolt' ? component.behavior.concurrency : 1;
}

function shownBlocker(blocker: TaskPlan | undefined, worker: number): string | null {
  if (blocker === undefined) return null;
  const why = blocker.worker === worker ? 'its mailbox is full' : 'no credit left';
  return `${blocker.component}#${blocker.index} (${why})`;
}
