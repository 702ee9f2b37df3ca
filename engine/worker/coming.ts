// Tasks that come with a change of the plan: the calls that make them ready may take only so long, because others wait
// for them. On the worker's thread.

import type { Clock } from '../clock.js';
import { failure } from '../errors.js';
import { COMING_READY_MS_MAX } from '../limits.js';
import type { TaskPlan } from '../plan/plan.js';
import type { LivingTask } from './living-task.js';
import { makeTask, type WiringOptions } from './wiring.js';

/** As `makeTask`; its `prepare` and `activate` reject with MILLRACE_REBALANCE_TIMEOUT when they take too long. */
export function makeComing(wiring: WiringOptions, plan: TaskPlan, ended = false): LivingTask {
  const living = makeTask(wiring, plan, ended);
  const { clock } = wiring.taskHost;
  living.timeLimit = (call, promise) =>
    inTime(clock, promise, () =>
      failure('MILLRACE_REBALANCE_TIMEOUT', { call, component: plan.component, seconds: COMING_READY_MS_MAX / 1000 }),
    );
  return living;
}

async function inTime(clock: Clock, promise: Promise<void>, error: () => Error): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.after(COMING_READY_MS_MAX, () => reject(error()));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
