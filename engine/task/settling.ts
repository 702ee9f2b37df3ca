// Two questions that a bolt task asks on its way: has this tuple been settled, and did this call return a promise?
// Pure. They may run once for each tuple, so they allocate nothing.

import { PENDING, type TaskTuple } from './task-tuple.js';

/** Neither acked nor failed yet. */
export function isPending(tuple: TaskTuple): boolean {
  return tuple.held === null || tuple.held.state === PENDING;
}

export function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Promise<void>>).then === 'function';
}
