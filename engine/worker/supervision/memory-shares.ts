// How much memory a worker may take, heap and buffers apart: what the topology says, else its share of the machine's.
// On the main thread.

import { totalmem } from 'node:os';
import { WORKER_HEAP_MB_MAX, WORKER_MB_MIN, WORKERS_MEMORY_SHARE } from '../../limits.js';
import type { TopologyConfig } from '../../model/definition.js';

const MB = 1024 * 1024;

/** Bounds of one worker, in megabytes. */
export interface MemoryShare {
  readonly heapMb: number;
  readonly buffersMb: number;
}

/**
 * The bounds of each of so many workers that share the machine, or what the topology says.
 *
 * @param memoryBytes - of the machine, or of the container that the process is in
 */
export function memoryShare(
  config: Pick<TopologyConfig, 'workerHeapMb' | 'workerBuffersMb'>,
  workers: number,
  memoryBytes = machineBytes(),
): MemoryShare {
  const shareMb = Math.max(WORKER_MB_MIN, Math.floor((memoryBytes * WORKERS_MEMORY_SHARE) / workers / 2 / MB));
  return {
    heapMb: config.workerHeapMb ?? Math.min(shareMb, WORKER_HEAP_MB_MAX),
    buffersMb: config.workerBuffersMb ?? shareMb,
  };
}

/** What the process may have: a container's limit where there is one. */
function machineBytes(): number {
  const limit = process.constrainedMemory();
  const total = totalmem();
  // Without a limit it is 0, or a number beyond all memory.
  return limit > 0 && limit < total ? limit : total;
}
