// A worker's own part in being watched: it shows that its loop turns and what memory it holds, and says at its end who
// ended it. On the worker's thread.

import { getHeapStatistics } from 'node:v8';
import { toWire, type WireError } from '../../errors.js';
import { BEAT_MS } from '../../limits.js';
import type { FromWorker } from '../messages.js';
import type { Pulse, Stage } from './pulse.js';
import type { ComponentCode } from './suspect.js';
import { suspectInStack } from './suspect.js';

/** Beats from now on, whenever the loop of this thread turns. */
export function startBeating(pulse: Pulse): void {
  // Memory outside of the heap is that of this thread alone; asking for it takes a microsecond.
  const beat = (): void => pulse.beat(getHeapStatistics().external_memory);
  beat();
  setInterval(beat, BEAT_MS).unref();
}

/** Calls user code, and shows that it does; what is asynchronous of it does not count. */
export function within<T>(pulse: Pulse, stage: Stage, task: number, call: () => T): T {
  pulse.enter(stage, task);
  try {
    return call();
  } finally {
    pulse.enter(null);
  }
}

/** What the worker has to say at its end: who did it is found in its stack when no call of a task is under way. */
export function lastWords(error: unknown, code: readonly ComponentCode[]): Extract<FromWorker, { type: 'dying' }> {
  const wire: WireError = toWire(error);
  return { type: 'dying', error: wire, suspect: suspectInStack(wire.stack, code) };
}
