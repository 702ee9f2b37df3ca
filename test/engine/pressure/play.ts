// Runs one random graph and checks it: that it completes with every tuple where it belongs, every tree acked, order
// kept between any two tasks, and no queue above its bound at any moment.

import { runtimeLimits } from '../../../engine/limits.js';
import { TestRun } from 'millrace/testing';
import { build, Notebook, PLANNED } from './components.js';
import { expectedOf, EXTRA, spoutValue, type Graph } from './graph.js';
import { watchQueues, type Peaks } from './watch.js';

/** Virtual time goes on in steps, each of which ends only when nothing is left to do. */
const STEP_MS = 10;
/** Steps without progress after which a graph is stuck: longer than any tick and any rest of a spout. */
const IDLE_STEPS_MAX = 10;

/** @throws when something is not as it should be */
export async function play(graph: Graph): Promise<void> {
  const book = new Notebook(graph);
  const watch = watchQueues();
  let dropped: boolean;
  try {
    const run = await TestRun.start(build(graph, book), {
      workers: graph.workers,
      strict: graph.strict,
      limits: graph.limits,
      record: false,
    });
    try {
      let outcome = '';
      void run.completed.then(
        (ended) => (outcome = ended.status === 'failed' ? (ended.error?.message ?? 'failed') : ended.status),
      );
      let progress = '';
      for (let idle = 0; idle < IDLE_STEPS_MAX && outcome === ''; idle++) {
        await run.advance(STEP_MS);
        const now = progressOf(run);
        if (now !== progress) idle = 0;
        progress = now;
      }
      check(outcome === 'completed', () => `${outcome || 'stuck'}: ${progressOf(run)}`);
      const { errors, components } = run.status();
      dropped = Object.values(components).some((component) => component.dropped > 0);
      check(
        errors.every(({ error }) => error.message.endsWith(PLANNED)),
        () => JSON.stringify(errors.map((e) => e.error)),
      );
    } finally {
      await run.close();
    }
  } finally {
    watch.stop();
  }
  check(book.wrong.length === 0, () => `order: ${book.wrong.slice(0, 5).join('; ')}`);
  checkTuples(graph, book, dropped && !graph.tracked);
  checkBounds(graph, watch.peaks);
}

function progressOf(run: TestRun): string {
  const components = Object.values(run.status().components);
  return components.map(({ emitted, executed, acked, failed }) => `${emitted} ${executed} ${acked} ${failed}`).join();
}

function check(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(what());
}

function checkTuples(graph: Graph, book: Notebook, dropped: boolean): void {
  const replayed = book.thrown.size > 0;
  expectedOf(graph).forEach((values, index) => {
    const left = counted(book.executed[index]!);
    for (const [value, count] of counted(values)) {
      const got = left.get(value) ?? 0;
      check(
        replayed ? got >= count : got === count || (dropped && got < count),
        () => `b${index} got ${value} ${got} times, not ${count}`,
      );
      left.delete(value);
    }
    left.delete(EXTRA);
    check(left.size === 0, () => `b${index} got ${left.size} values that nobody sent it`);
  });
  if (!graph.tracked) return;
  graph.spouts.forEach((spout, node) => {
    const values: number[] = [];
    for (let task = 0; task < spout.parallelism; task++) {
      for (let number = 0; number < spout.count; number++) values.push(spoutValue(node, task, number));
    }
    const acked = counted(book.acked[node]!);
    for (const [value, count] of counted(values)) {
      check(acked.get(value) === count, () => `s${node}: ${value} was acked ${acked.get(value) ?? 0} times`);
    }
  });
}

function counted(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** What one task can emit before it notices that a target is full: its calls that are under way. */
function overrunOf(graph: Graph): { readonly tuples: number; readonly senders: number } {
  const spouts = graph.spouts.map(({ burst }) => burst);
  // What is held for a tick leaves in one call: a bolt that does so is its own bound.
  const held = expectedOf(graph).map((values) => values.length);
  const bolts = graph.bolts.map(
    ({ emitsMax, concurrency, extra, acks }, index) =>
      (acks === 'tick' ? held[index]! * emitsMax : concurrency * emitsMax) + extra,
  );
  const tasks = [...graph.spouts, ...graph.bolts].reduce((sum, { parallelism }) => sum + parallelism, 0);
  return { tuples: Math.max(...spouts, ...bolts), senders: tasks };
}

function checkBounds(graph: Graph, peaks: Peaks): void {
  const limits = { ...runtimeLimits, ...graph.limits };
  const { tuples, senders } = overrunOf(graph);
  const channels = senders * senders;
  const largest = Math.max(peaks.tupleBytes, graph.payloadMax + 60);
  const feedback = graph.bolts.some(({ loops }) => loops.length > 0) ? limits.feedbackTuplesMax : 0;
  const bounds: Omit<Peaks, 'tupleBytes'> = {
    mailboxTuples: Math.max(limits.mailboxTuplesMax + senders * tuples, feedback),
    mailboxBytes: Math.max(limits.mailboxBytesMax + senders * tuples * largest, feedback * largest),
    receivedTuples: (graph.workers - 1) * limits.linkSharedTuples + senders * Math.max(1, limits.channelReserveTuples),
    outboxTuples: Math.max(limits.batchTuplesMax + tuples, feedback),
    outboxBytes: Math.max(limits.batchBytesMax + (1 + tuples) * largest, feedback * largest),
    sharedTuples: limits.linkSharedTuples + (limits.channelReserveTuples === 0 ? channels : 0),
    sharedBytes: limits.linkSharedBytes + channels * Math.max(0, largest - limits.channelReserveBytes),
  };
  for (const [name, bound] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
    check(peaks[name] <= bound, () => `${name}: ${peaks[name]}, above ${bound}`);
  }
}
