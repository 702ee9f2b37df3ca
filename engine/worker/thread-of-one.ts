// A thread for workers, one after the other: a pool of Piscina's with one thread, which has read the engine as soon as
// it is there and is started again when it dies. On the main thread.

import { fileURLToPath } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

export type ThreadOfOne = Piscina<MessagePort, void>;

/** @param heapMbMax - of its worker, before it is ended; undefined: Node's own default */
export function makeThread(heapMbMax: number | undefined): ThreadOfOne {
  const piscina: ThreadOfOne = new Piscina<MessagePort, void>({
    filename: fileURLToPath(new URL('./thread.js', import.meta.url)),
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    maxQueue: 0,
    idleTimeout: Infinity,
    atomics: 'disabled',
    recordTiming: false,
    ...(heapMbMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMbMax } }),
  });
  // The promise of the worker's run says the same; without a listener the event would end the process.
  piscina.on('error', () => undefined);
  return piscina;
}
