// How much may be under way on one link, in tuples and in bytes. Each channel has a reserve of its own; beyond it,
// channels share a pool, and one channel may hold as much of the pool as is still free: one busy channel gets half of
// it, two a third each, and a slow target can never take it all (dynamic thresholds: Choudhury and Hahne, IEEE/ACM
// Transactions on Networking 6(2), 1998). The receiver holds at most the pool and, for each channel, its reserve or one
// tuple, whichever is larger.
//
// Invariant: used = the sum over channels of what each has outstanding beyond its reserve; a channel with nothing
// outstanding may always send one tuple, however large.

import type { RuntimeLimits } from '../limits.js';

/** What a channel has under way. */
export interface Outstanding {
  outstandingTuples: number;
  outstandingBytes: number;
}

export class LinkCredit {
  private readonly reserveTuples: number;
  private readonly reserveBytes: number;
  private readonly sharedTuples: number;
  private readonly sharedBytes: number;
  private usedTuples = 0;
  private usedBytes = 0;

  constructor(limits: RuntimeLimits) {
    this.reserveTuples = limits.channelReserveTuples;
    this.reserveBytes = limits.channelReserveBytes;
    this.sharedTuples = limits.linkSharedTuples;
    this.sharedBytes = limits.linkSharedBytes;
  }

  /** How many more tuples that channel may send now. */
  tuplesFor(channel: Outstanding): number {
    return allowance(channel.outstandingTuples, this.reserveTuples, this.sharedTuples - this.usedTuples);
  }

  /** How many more bytes that channel may send now. */
  bytesFor(channel: Outstanding): number {
    return allowance(channel.outstandingBytes, this.reserveBytes, this.sharedBytes - this.usedBytes);
  }

  /** How much that channel has under way, as a share of what it may when it has the link to itself. */
  fillOf(channel: Outstanding): number {
    const tuplesMost = Math.max(1, this.reserveTuples + this.sharedTuples / 2);
    const bytesMost = Math.max(1, this.reserveBytes + this.sharedBytes / 2);
    return Math.max(channel.outstandingTuples / tuplesMost, channel.outstandingBytes / bytesMost);
  }

  /**
   * For the end that granted it: whether a sender that keeps to its credit may have sent that. What is under way is
   * less here than there, because it ends when credit is returned and not when that has arrived.
   */
  admits(channel: Outstanding, tuples: number, bytes: number): boolean {
    if (channel.outstandingTuples === 0 && tuples === 1) return true;
    const moreTuples = beyond(channel.outstandingTuples, tuples, this.reserveTuples);
    const moreBytes = beyond(channel.outstandingBytes, bytes, this.reserveBytes);
    return (
      (moreTuples === 0 || this.usedTuples + moreTuples <= this.sharedTuples) &&
      (moreBytes === 0 || this.usedBytes + moreBytes <= this.sharedBytes)
    );
  }

  spend(channel: Outstanding, tuples: number, bytes: number): void {
    this.usedTuples += beyond(channel.outstandingTuples, tuples, this.reserveTuples);
    this.usedBytes += beyond(channel.outstandingBytes, bytes, this.reserveBytes);
  }

  giveBack(channel: Outstanding, tuples: number, bytes: number): void {
    this.usedTuples -= beyond(channel.outstandingTuples - tuples, tuples, this.reserveTuples);
    this.usedBytes -= beyond(channel.outstandingBytes - bytes, bytes, this.reserveBytes);
    channel.outstandingTuples -= tuples;
    channel.outstandingBytes -= bytes;
  }
}

/** How much of what comes on top of `before` lies above the reserve. */
function beyond(before: number, more: number, reserve: number): number {
  return Math.max(0, before + more - reserve) - Math.max(0, before - reserve);
}

function allowance(outstanding: number, reserve: number, free: number): number {
  const own = Math.max(0, reserve - outstanding);
  const held = Math.max(0, outstanding - reserve);
  return own + Math.max(0, Math.floor((free - held) / 2));
}
