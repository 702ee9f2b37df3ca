// Virtual time that runs as fast as the process does: whenever everything is quiet, it moves on to what is due next. So
// a test that only waits for what must come needs not move it, and the order of events is the same in each run.

import type { VirtualClock } from '../../../../engine/clock.js';

/** Runs until it is stopped. */
export function runClock(clock: VirtualClock): { stop(): void } {
  let running = true;
  const turn = (): void => {
    if (!running) return;
    const dueMs = clock.nextDueMs();
    if (dueMs !== undefined) clock.step(dueMs);
    setImmediate(turn);
  };
  setImmediate(turn);
  return { stop: () => void (running = false) };
}
