// What a worker died of, told so that a user finds it: an error of the catalogue that names the component, the task and
// the call, with the stack where there is one. Pure, on the main thread.

import { failure, toWire, type WireError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import type { MemoryShare } from './memory-shares.js';
import type { Doing } from './pulse.js';
import { suspectDoing, whereOf, type Suspect } from './suspect.js';

/** What the end of a thread is called that its heap was too small for (pool.ts). */
export const OUT_OF_HEAP = 'out of heap';

/** Why a worker was ended on purpose: by somebody from outside, or by its watch. */
export type Ended =
  | { readonly by: 'operator'; readonly why?: string }
  | { readonly by: 'stall'; readonly ms: number; readonly stack: string | null }
  | { readonly by: 'buffers'; readonly bytes: number; readonly stack: string | null }
  /** It said itself that it cannot begin or go on. */
  | { readonly by: 'refusal'; readonly error: WireError };

/** All that is known of a worker that died. */
export interface Remains {
  readonly worker: number;
  /** What it was in the middle of. */
  readonly doing: Doing;
  readonly ended: Ended | null;
  /** What its thread said that it dies of, and whose code it thinks that was. */
  readonly lastWords: WireError | null;
  readonly suspect: Suspect | null;
  /** What the pool says; null when its run ended as if it had been stopped. */
  readonly reason: string | null;
}

/** What it died of. */
export interface Cause {
  readonly worker: number;
  readonly error: WireError;
  readonly suspect: Suspect | null;
  /** Nobody ended it from outside: its topology is to blame. */
  readonly counts: boolean;
}

const MB = 1024 * 1024;

export function causeOf(remains: Remains, topology: string, plan: Plan, share: MemoryShare): Cause {
  const { worker, doing, ended, lastWords, reason } = remains;
  const suspect = ended?.by === 'operator' ? null : (suspectDoing(doing, plan) ?? remains.suspect);
  const where = ended?.by === 'operator' ? '' : whereOf(suspect, doing.stage);
  const about = { worker, topology, where };
  const died = (error: Error, stack: string | null): Cause => {
    const wire = toWire(error);
    return { worker, suspect, counts: true, error: { ...wire, stack } };
  };
  if (ended?.by === 'stall') {
    return died(failure('MILLRACE_WORKER_STALLED', { ...about, seconds: ended.ms / 1000 }), ended.stack);
  }
  if (ended?.by === 'buffers') {
    const usedMb = Math.round(ended.bytes / MB);
    return died(failure('MILLRACE_WORKER_BUFFERS', { ...about, usedMb, buffersMb: share.buffersMb }), ended.stack);
  }
  if (reason === OUT_OF_HEAP && lastWords === null) {
    return died(failure('MILLRACE_WORKER_HEAP', { ...about, heapMb: share.heapMb }), null);
  }
  const words = ended?.by === 'refusal' ? ended.error : lastWords;
  const told = ended?.by === 'operator' ? ended.why : undefined;
  const why = words?.message ?? told ?? reason ?? 'its run ended without being asked';
  const cause = died(failure('MILLRACE_WORKER_DIED', { ...about, reason: why }), words?.stack ?? null);
  return { ...cause, counts: ended?.by !== 'operator' };
}
