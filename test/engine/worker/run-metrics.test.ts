// The time of turns is dealt to tasks in proportion to what was sampled of their calls, and adds up.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import * as words from '../../../engine/metrics/counters.js';
import { describe } from '../../../engine/model/describe.js';
import { planTasks, type Plan } from '../../../engine/plan/plan.js';
import { KeptUserMetrics } from '../../../engine/metrics/kept-user-metrics.js';
import { RunMetrics } from '../../../engine/worker/run-metrics.js';
import { Pulse } from '../../../engine/worker/supervision/pulse.js';
import { Turns } from '../../../engine/worker/turns.js';
import { Bolt, Spout, topology } from 'millrace';

class Source extends Spout {
  static readonly outputs = ['n'] as const;

  nextTuple(): 'done' {
    return 'done';
  }
}

class Sink extends Bolt {
  execute(): void {
    return undefined;
  }
}

const description = describe(
  topology('shared', (t) => {
    const source = t.spout('source', Source);
    t.bolt('sink', Sink, { parallelism: 2 }).shuffle(source);
  }),
);

function metricsOf(plan: () => Plan, counters: words.Counters): RunMetrics {
  return new RunMetrics({ description, plan, counters, openTreesMax: 10, user: new KeptUserMetrics() });
}

function did(counters: words.Counters, task: number, calls: number, sampled: number, sampledMs: number): void {
  const row = counters.row(task);
  counters.words[row + (task === 0 ? words.ASKED : words.EXECUTED)]! += calls;
  counters.words[row + words.SAMPLED_CALLS]! += sampled;
  counters.words[row + words.SAMPLED_MS]! += sampledMs;
}

t.test('what a worker was busy goes to its tasks by calls times own time', async (t) => {
  const plan = planTasks(description, 1);
  const counters = new words.Counters(3, 1);
  const metrics = metricsOf(() => plan, counters);
  metrics.sample(0);
  // Own times: 1000 × 1 ms, 2000 × 2 ms, none: together more than the two seconds that were measured.
  did(counters, 0, 1000, 10, 10);
  did(counters, 1, 2000, 5, 10);
  counters.addBusy(0, 2000);
  const busyOf = (nowMs: number): readonly number[] => {
    const { source, sink } = metrics.components(nowMs, 'active');
    return [source!, ...sink!.tasks].map(({ windows }) => windows['10s'].busy);
  };
  t.strictSame(busyOf(4000), [0.1, 0.4, 0]);
  t.equal(metrics.components(4000, 'active')['sink']!.windows['10s'].capacity, 0.4);
  t.strictSame(metrics.workers(4000), [{ worker: 0, busy: { '10s': 0.5, '10m': 0.5 } }]);
  for (let second = 1; second <= 20; second++) metrics.sample(second * 1000);
  t.strictSame(busyOf(20_000), [0, 0, 0], 'the window has left it behind');
  // Nothing is measured in this window: calls are taken to be as they were.
  did(counters, 0, 1000, 0, 0);
  did(counters, 1, 500, 0, 0);
  counters.addBusy(0, 900);
  t.strictSame(busyOf(20_000), [0.05, 0.05, 0]);
});

t.test('a task that came later had done nothing before', async (t) => {
  const whole = planTasks(description, 1);
  let plan: Plan = { ...whole, tasks: whole.tasks.slice(0, 2) };
  const counters = new words.Counters(3, 1);
  const metrics = metricsOf(() => plan, counters);
  metrics.sample(0);
  did(counters, 1, 10, 0, 0);
  t.equal(metrics.rates(1000).get('sink'), 10);
  plan = whole;
  did(counters, 2, 30, 0, 0);
  t.equal(metrics.rates(1000).get('sink'), 40);
  const { parallelism, tasks } = metrics.components(1000, 'active')['sink']!;
  t.strictSame([parallelism, tasks.map(({ windows }) => windows['10s'].executedPerSecond)], [2, [10, 30]]);
});

t.test('before the first sample nothing is a rate', async (t) => {
  const plan = planTasks(description, 2);
  const metrics = metricsOf(() => plan, new words.Counters(3, 2));
  const { windows, executeLatencyMs } = metrics.components(5, 'starting')['sink']!;
  t.match(windows['10s'], { seconds: 0, executedPerSecond: 0, busy: 0, capacity: 0 });
  t.match(executeLatencyMs, { all: { count: 0, mean: 0 }, '10s': { count: 0 } });
});

t.test('a turn says how long it took', async (t) => {
  const clock = new VirtualClock();
  const said: (number | boolean | 'begins')[] = [];
  const turns = new Turns(
    clock,
    10,
    new Pulse(4),
    () => said.push('begins'),
    (milliseconds, nowMs, isLast) => said.push(milliseconds, nowMs, isLast),
  );
  const run = (): void => void clock.step(clock.now() + 7);
  turns.schedule({ task: 0, scheduled: false, commitScheduled: false, run, commit: () => undefined });
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(said, ['begins', 7, 7, true]);
});
