// What the limits promise of the tuples that wait between two workers, worked out as engine/link/credit.ts and
// engine/limits.ts say it: the soak and its short form hold what they see against it. Pure.

import { runtimeLimits, type RuntimeLimits } from '../../engine/limits.js';

export interface Promised {
  /** Under way and in the mailboxes of one worker, from one other. */
  readonly mailboxTuples: number;
  readonly mailboxBytes: number;
  /** Out of credit. */
  readonly outboxTuples: number;
  readonly outboxBytes: number;
}

export interface Flow {
  /** The largest tuple, as estimated. */
  readonly tupleBytes: number;
  /** Channels between the two workers. */
  readonly channels: number;
  /** What one call emits. */
  readonly emits?: number;
}

/**
 * Under way: what all channels of a link share, and the reserve of each; of bytes, each may have one tuple under way,
 * however large. Out of credit: a batch, and what one call emits on top of it.
 */
export function promisedBy({ tupleBytes, channels, emits = 1 }: Flow, limits: RuntimeLimits = runtimeLimits): Promised {
  return {
    mailboxTuples: limits.linkSharedTuples + channels * Math.max(1, limits.channelReserveTuples),
    mailboxBytes: limits.linkSharedBytes + channels * Math.max(tupleBytes, limits.channelReserveBytes),
    outboxTuples: channels * (limits.batchTuplesMax + emits),
    outboxBytes: channels * (limits.batchBytesMax + emits * tupleBytes),
  };
}
