// What is told of each task, in one table: its key in snapshots, its name for Prometheus, whether it only grows, and
// what it means. Snapshots, the HTTP schema, the Prometheus page and the documentation all follow it. Pure.

import {
  ACKED,
  CALLS,
  DROPPED,
  DUPLICATES,
  EMITTED,
  ERRORS,
  EXECUTED,
  FAILED,
  MISUSED,
  OPEN_TREES,
  OUTBOX,
  QUEUE_FILL,
  QUEUED,
  QUEUED_BYTES,
  STALE,
  STALLS,
  ACK_WAITS,
  TRANSFERRED,
} from './counters.js';

export interface Figure {
  /** Its name for Prometheus, without the prefix of all. */
  readonly name: string;
  /** Counters only grow; of gauges, tasks are added up unless it says `max`. */
  readonly type: 'counter' | 'gauge' | 'max';
  /** For Prometheus it is divided by this. Default 1. */
  readonly perUnit?: number;
  /** Which components have it; left out: all. */
  readonly kind?: 'spout' | 'bolt';
  readonly help: string;
  /** The word of a task's row that it is; null: it is worked out of several. */
  readonly word: number | null;
}

export const taskFigures = {
  emitted: { name: 'emitted_total', type: 'counter', help: 'Tuples that it emitted.', word: EMITTED },
  transferred: {
    name: 'transferred_total',
    type: 'counter',
    help: 'Deliveries of what it emitted: a tuple that goes to n tasks counts n.',
    word: TRANSFERRED,
  },
  executed: { name: 'executed_total', type: 'counter', kind: 'bolt', help: 'Calls of `execute`.', word: EXECUTED },
  acked: {
    name: 'acked_total',
    type: 'counter',
    help: 'Spouts: trees that were fully processed. Bolts: inputs that they acked.',
    word: ACKED,
  },
  failed: {
    name: 'failed_total',
    type: 'counter',
    help: 'Spouts: trees that failed or timed out. Bolts: inputs that they failed.',
    word: FAILED,
  },
  errors: { name: 'errors_total', type: 'counter', help: 'Calls of its code that threw.', word: ERRORS },
  stale: {
    name: 'stale_total',
    type: 'counter',
    help: 'Acks, fails and tuples of trees or incarnations that were over, dropped.',
    word: STALE,
  },
  duplicates: {
    name: 'duplicates_total',
    type: 'counter',
    kind: 'bolt',
    help: 'Acks and fails by hand of what was settled before, dropped.',
    word: DUPLICATES,
  },
  misused: {
    name: 'misused_total',
    type: 'counter',
    help: 'Calls that came too late, dropped or refused: duplicates, emits after the call, anchors to what is settled.',
    word: MISUSED,
  },
  dropped: {
    name: 'dropped_total',
    type: 'counter',
    help: 'Tuples that were not tracked and found feedback full, where it may drop them.',
    word: DROPPED,
  },
  restarts: {
    name: 'restarts_total',
    type: 'counter',
    help: 'How often it was started again or moved.',
    word: null,
  },
  stalls: {
    name: 'stalls_total',
    type: 'counter',
    help: 'How often a full mailbox, or a channel without credit, made it rest.',
    word: STALLS,
  },
  stalledMs: {
    name: 'stalled_seconds_total',
    type: 'counter',
    perUnit: 1000,
    help: 'How long it rested because of that, until now.',
    word: null,
  },
  ackWaits: {
    name: 'ack_waits_total',
    type: 'counter',
    kind: 'spout',
    help: 'How often it had as many trees open as it may.',
    word: ACK_WAITS,
  },
  ackWaitedMs: {
    name: 'ack_waited_seconds_total',
    type: 'counter',
    perUnit: 1000,
    kind: 'spout',
    help: 'How long it rested because of that, until now.',
    word: null,
  },
  openTrees: { name: 'open_trees', type: 'gauge', kind: 'spout', help: 'Trees that are open.', word: OPEN_TREES },
  queued: {
    name: 'queued_tuples',
    type: 'gauge',
    help: 'Bolts: tuples in the mailbox. Spouts: tuples that wait unsent for room.',
    word: QUEUED,
  },
  queuedBytes: {
    name: 'queued_bytes',
    type: 'gauge',
    kind: 'bolt',
    help: 'Bytes in the mailbox, as estimated.',
    word: QUEUED_BYTES,
  },
  queueFill: {
    name: 'queue_fill_ratio',
    type: 'max',
    kind: 'bolt',
    help: 'How full the mailbox is, in tuples or bytes: at 1 its senders rest. Of a component, its fullest task.',
    word: QUEUE_FILL,
  },
  outbox: {
    name: 'outbox_tuples',
    type: 'gauge',
    help: 'Tuples that wait in its outboxes for credit of other workers.',
    word: OUTBOX,
  },
  calls: {
    name: 'calls_under_way',
    type: 'gauge',
    kind: 'bolt',
    help: 'Asynchronous calls that are under way.',
    word: CALLS,
  },
} as const satisfies Record<string, Figure>;

export type FigureKey = keyof typeof taskFigures;

/** What a task has counted since the topology was started, and how it stands. */
export type Figures = Readonly<Record<FigureKey, number>>;

export const figureKeys = Object.keys(taskFigures) as readonly FigureKey[];

/** What is told over a window: as a share of it, or a second. Of a component: tasks added up, or its `max`. */
export const recentFigures = {
  emittedPerSecond: { name: 'emitted_per_second', type: 'gauge', help: 'Tuples that it emitted a second.' },
  transferredPerSecond: { name: 'transferred_per_second', type: 'gauge', help: 'Its deliveries a second.' },
  executedPerSecond: { name: 'executed_per_second', type: 'gauge', help: 'Calls of `execute` a second.' },
  ackedPerSecond: { name: 'acked_per_second', type: 'gauge', help: 'What it acked a second.' },
  failedPerSecond: { name: 'failed_per_second', type: 'gauge', help: 'What it failed a second.' },
  busy: {
    name: 'busy_ratio',
    type: 'gauge',
    help: 'The share of the time of its thread that went into it; of a component: of how many threads.',
  },
  capacity: {
    name: 'capacity_ratio',
    type: 'max',
    help: 'How much of what it can do it did: `busy`, or of asynchronous calls the share of `concurrency` under way.',
  },
  stalled: { name: 'stalled_ratio', type: 'max', help: 'The share of the time in which full targets made it rest.' },
  waitedForAcks: {
    name: 'ack_wait_ratio',
    type: 'max',
    help: 'The share of the time in which it had as many trees open as it may.',
  },
} as const satisfies Record<string, Pick<Figure, 'name' | 'type' | 'help'>>;

export type RecentKey = keyof typeof recentFigures;

export const recentKeys = Object.keys(recentFigures) as readonly RecentKey[];

/** Adds figures of tasks up to those of their component. */
export function combine<K extends string>(
  keys: readonly K[],
  table: Readonly<Record<K, Pick<Figure, 'type'>>>,
  all: readonly Readonly<Record<K, number>>[],
): Record<K, number> {
  const sums = Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
  for (const each of all) {
    for (const key of keys) {
      sums[key] = table[key].type === 'max' ? Math.max(sums[key], each[key]) : sums[key] + each[key];
    }
  }
  return sums;
}
