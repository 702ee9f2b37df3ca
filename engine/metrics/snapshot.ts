// What is told of a running topology at a moment: plain data, for programs. Windows end at that moment and begin when
// the topology was started, if that is later than they say. Only types.

import type { Condition } from './condition.js';
import type { Figures, RecentKey } from './figures.js';
import type { Distribution } from './histogram.js';

/** The last ten seconds, and the last ten minutes. */
export type WindowName = '10s' | '10m';

/** What a task did in a window. */
export type Recent = Readonly<Record<RecentKey, number>> & {
  /** How long the window is: less than its name says at first. */
  readonly seconds: number;
};

/** A distribution since the start, and in windows. Times are in milliseconds. */
export interface Distributions {
  readonly all: Distribution;
  readonly '10s': Distribution;
  readonly '10m': Distribution;
}

/** What the code of a task, or of the tasks of a component, measures itself. */
export interface UserFigures {
  /** Of a component: added up. */
  readonly counters: Readonly<Record<string, number>>;
  /** Of a component: added up. */
  readonly gauges: Readonly<Record<string, number>>;
  /** Of a component: of all that its tasks recorded. */
  readonly histograms: Readonly<Record<string, Distribution>>;
}

export interface TaskSnapshot extends Figures {
  readonly task: number;
  /** Which task of its component it is, from 0. */
  readonly index: number;
  readonly worker: number;
  /** The number of the task that is full now and makes it rest; null: none is. */
  readonly blockedBy: number | null;
  readonly windows: Readonly<Record<WindowName, Recent>>;
  readonly condition: Condition;
  readonly user: UserFigures;
}

export interface ComponentSnapshot extends Figures {
  readonly kind: 'spout' | 'bolt';
  readonly parallelism: number;
  /** Spouts: how many trees its tasks may have open together; null of bolts. */
  readonly openTreesMax: number | null;
  readonly windows: Readonly<Record<WindowName, Recent>>;
  /** Bolts: calls of `execute`, sampled; what they call directly is inside. Null of spouts. */
  readonly executeLatencyMs: Distributions | null;
  /** Bolts: until their tuples are settled, where that is later than the call's end. Null of spouts. */
  readonly processLatencyMs: Distributions | null;
  /** Spouts: from emit to the end of acked trees, sampled. Null of bolts. */
  readonly completeLatencyMs: Distributions | null;
  /** What it does, or what keeps it from doing it. */
  readonly condition: Condition;
  readonly user: UserFigures;
  readonly tasks: readonly TaskSnapshot[];
}

export interface WorkerSnapshot {
  readonly worker: number;
  /** The share of its time that its turns took, in each window. */
  readonly busy: Readonly<Record<WindowName, number>>;
}

export interface TopologyMetrics {
  readonly name: string;
  readonly state: string;
  /** Since it was started. */
  readonly seconds: number;
  readonly workers: readonly WorkerSnapshot[];
  readonly workerDeaths: number;
  readonly components: Readonly<Record<string, ComponentSnapshot>>;
}
