// What is sampled of a running topology once a second, and what two samples say of the time between them. Pure, on the
// main thread.
//
// The time of a worker's turns is measured whole, the own times of its tasks' calls are sampled. So the time is dealt
// to the tasks in proportion: own time of a measured call × calls. It adds up to what was measured, whatever the
// samples.

import * as words from '../metrics/counters.js';
import type { TaskCounters } from '../metrics/counter-blocks.js';
import type { RecentKey } from '../metrics/figures.js';
import { Histogram, type SparseHistogram } from '../metrics/histogram.js';
import type { Recent } from '../metrics/snapshot.js';
import type { Sample } from '../metrics/window.js';
import type { Plan, TaskPlan } from '../plan/plan.js';

/** What is sampled of each task: it only grows. */
const SAMPLED = [
  words.EMITTED,
  words.TRANSFERRED,
  words.EXECUTED,
  words.ACKED,
  words.FAILED,
  words.SAMPLED_CALLS,
  words.SAMPLED_MS,
  words.ASKED,
] as const;
const STALLED = SAMPLED.length;
const WAITED = STALLED + 1;
const CALLS_MS = STALLED + 2;
const COLUMNS = STALLED + 3;
const column = (word: (typeof SAMPLED)[number]): number => SAMPLED.indexOf(word);

/** Something of these grows whenever a time is recorded. */
const RECORDED = [
  column(words.EXECUTED),
  column(words.ACKED),
  column(words.FAILED),
  column(words.SAMPLED_CALLS),
  CALLS_MS,
];

/** What the histograms of a component had recorded. */
interface SampledLatencies {
  /** Grows whenever anything is recorded. */
  readonly events: number;
  readonly histograms: readonly SparseHistogram[];
}

export interface Sampled {
  /** By task number: its columns one after the other. */
  readonly tasks: Float64Array;
  /** By worker. */
  readonly busyMs: readonly number[];
  /** By component: what was recorded until then. */
  readonly latencies: ReadonlyMap<string, SampledLatencies>;
}

/** What one window says. */
export interface View {
  readonly seconds: number;
  readonly now: Sampled;
  readonly then: Sampled | null;
  /** By worker: the estimated own time of all its tasks. */
  readonly ownMs: readonly number[];
}

/** The tasks of each component, by its id. */
export type TasksByComponent = ReadonlyMap<string, readonly TaskPlan[]>;

/** @param last - the sample before: where nothing was recorded since, its histograms are used again */
export function readSample(
  counters: TaskCounters,
  plan: Plan,
  tasks: TasksByComponent,
  nowMs: number,
  last: Sampled | null,
): Sampled {
  const highest = plan.tasks.reduce((task, each) => Math.max(task, each.task), -1);
  const rows = new Float64Array((highest + 1) * COLUMNS);
  for (const { task } of plan.tasks) {
    SAMPLED.forEach((word, at) => (rows[task * COLUMNS + at] = counters.read(task, word)));
    rows[task * COLUMNS + STALLED] = stalledMs(counters, task, nowMs);
    rows[task * COLUMNS + WAITED] = waitedMs(counters, task, nowMs);
    rows[task * COLUMNS + CALLS_MS] = callsMs(counters, task, nowMs);
  }
  const latencies = new Map(
    [...tasks].map(([id, own]) => {
      const events = own.reduce((sum, { task }) => sum + eventsOf(rows, task), 0);
      const before = last?.latencies.get(id);
      if (before?.events === events) return [id, before];
      return [id, { events, histograms: histogramsOf(counters, own).map((each) => each.sparse()) }];
    }),
  );
  const busyMs = Array.from({ length: plan.workers }, (_, worker) => counters.busyMs(worker));
  return { tasks: rows, busyMs, latencies };
}

function eventsOf(rows: Float64Array, task: number): number {
  return RECORDED.reduce((sum, at) => sum + rows[task * COLUMNS + at]!, 0);
}

/** Of those tasks together: of their calls or trees, and until tuples were settled. */
export function histogramsOf(counters: TaskCounters, tasks: readonly TaskPlan[]): readonly [Histogram, Histogram] {
  const calls = new Histogram();
  const processing = new Histogram();
  for (const { task } of tasks) {
    calls.add(counters.histogram(task));
    processing.add(counters.processing(task));
  }
  return [calls, processing];
}

/** What was done from that sample until now. */
export function viewOf(oldest: Sample<Sampled> | null, now: Sampled, nowMs: number, plan: Plan): View {
  const then = oldest?.figures ?? null;
  const ownMs = new Array<number>(plan.workers).fill(0);
  for (const { task, worker } of plan.tasks) ownMs[worker]! += ownMsOf(now, then, task);
  return { seconds: oldest === null ? 0 : (nowMs - oldest.atMs) / 1000, now, then, ownMs };
}

/** How much a word of a task that is sampled has grown since then. */
export function grownSince(
  then: Sampled | null,
  counters: TaskCounters,
  task: number,
  word: (typeof SAMPLED)[number],
): number {
  return counters.read(task, word) - before(then, task, column(word));
}

/** What a window of a task says: how much more there is now than there was at its begin. */
export function recent(view: View, task: number, worker: number, concurrency: number): Recent {
  const { seconds, now, then } = view;
  const perSecond = (at: number): number => (seconds > 0 ? grown(now, then, task, at) / seconds : 0);
  const share = (at: number): number => Math.min(1, perSecond(at) / 1000);
  const own = view.ownMs[worker] ?? 0;
  const busy = own > 0 ? (workerBusy(view, worker) * ownMsOf(now, then, task)) / own : 0;
  const figures: Record<RecentKey, number> = {
    emittedPerSecond: perSecond(column(words.EMITTED)),
    transferredPerSecond: perSecond(column(words.TRANSFERRED)),
    executedPerSecond: perSecond(column(words.EXECUTED)),
    ackedPerSecond: perSecond(column(words.ACKED)),
    failedPerSecond: perSecond(column(words.FAILED)),
    busy,
    capacity: Math.max(busy, callsShare(view, task, concurrency)),
    stalled: share(STALLED),
    waitedForAcks: share(WAITED),
  };
  return { ...figures, seconds };
}

export function workerBusy({ seconds, now, then }: View, worker: number): number {
  if (seconds <= 0) return 0;
  const busyMs = (now.busyMs[worker] ?? 0) - (then?.busyMs[worker] ?? 0);
  return Math.min(1, busyMs / 1000 / seconds);
}

/** How much of the calls that it may have under way it had, over the window. */
export function callsShare({ seconds, now, then }: View, task: number, concurrency: number): number {
  return seconds > 0 ? Math.min(1, grown(now, then, task, CALLS_MS) / 1000 / seconds / concurrency) : 0;
}

/** The time that its own calls took in the window, as estimated from those that were measured. */
function ownMsOf(now: Sampled, then: Sampled | null, task: number): number {
  const calls = grown(now, then, task, column(words.EXECUTED)) + grown(now, then, task, column(words.ASKED));
  // Nothing measured in the window: its calls are taken to be as they were before.
  const from = grown(now, then, task, column(words.SAMPLED_CALLS)) > 0 ? then : null;
  const sampled = grown(now, from, task, column(words.SAMPLED_CALLS));
  return sampled > 0 ? (calls * grown(now, from, task, column(words.SAMPLED_MS))) / sampled : 0;
}

function grown(now: Sampled, then: Sampled | null, task: number, at: number): number {
  return (now.tasks[task * COLUMNS + at] ?? 0) - before(then, task, at);
}

/** A task that was not there yet had done nothing. */
function before(then: Sampled | null, task: number, at: number): number {
  return then?.tasks[task * COLUMNS + at] ?? 0;
}

export function stalledMs(counters: TaskCounters, task: number, nowMs: number): number {
  const over = counters.read(task, words.STALLED_MS);
  if (counters.read(task, words.BLOCKED_BY) === 0) return over;
  return over + Math.max(0, nowMs - counters.read(task, words.STALLED_SINCE));
}

export function waitedMs(counters: TaskCounters, task: number, nowMs: number): number {
  const over = counters.read(task, words.ACK_WAITED_MS);
  if (counters.read(task, words.WAITING_FOR_ACKS) === 0) return over;
  return over + Math.max(0, nowMs - counters.read(task, words.ACK_WAIT_SINCE));
}

function callsMs(counters: TaskCounters, task: number, nowMs: number): number {
  const calls = counters.read(task, words.CALLS);
  const over = counters.read(task, words.CALLS_MS);
  return calls === 0 ? over : over + calls * Math.max(0, nowMs - counters.read(task, words.CALLS_SINCE));
}
