// The sending end of a channel: what flows from one task of this worker to one task of another, in order. Tuples wait
// in its outbox until the link sends them in a batch, as far as there is credit. An end marker waits behind them; a
// hand-over marker stands between those that were sent before it and those after.
//
//   outbox: oldest … mark … newest ── credit ──► under way (outstanding) ── taken ──► credit comes back

import type { Root } from '../ack/root.js';
import { Outbox } from '../codec/outbox.js';
import type { Values } from '../component/tuple.js';
import type { Outstanding } from './credit.js';

/** The task that sends; it takes no more input while one of its channels is out of credit. */
export interface ChannelSender {
  block(by: OutboundChannel): unknown;
  unblock(by: OutboundChannel): void;
}

/** The link that sends what waits in its channels. */
export interface ChannelOwner {
  /** Something waits in that channel. */
  pushed(channel: OutboundChannel, bytes: number): void;
  /** How much that channel has under way, as a share of what it may when it has the link to itself. */
  fillOf(channel: OutboundChannel): number;
  /** The thread of the other end has no time to spare, as far as is known. */
  readonly saturated: boolean;
}

const NO_MARKER = -1;

export class OutboundChannel implements Outstanding {
  readonly sourceTask: number;
  readonly targetTask: number;
  outstandingTuples = 0;
  outstandingBytes = 0;
  readonly outbox = new Outbox();
  /** It stands in the link's list of channels to flush. */
  dirty = false;
  private readonly owner: ChannelOwner;
  /** Another one when its task has begun anew. */
  sender: ChannelSender;
  private endRevision = NO_MARKER;
  private markRevision = NO_MARKER;
  /** Tuples that wait in front of the hand-over marker. */
  private beforeMark = 0;
  private left = 0;
  /** The estimated size of what waits. */
  waitingBytes = 0;
  /** All tuples that ever left. */
  sentTuples = 0;

  constructor(owner: ChannelOwner, sourceTask: number, targetTask: number, sender: ChannelSender) {
    this.owner = owner;
    this.sourceTask = sourceTask;
    this.targetTask = targetTask;
    this.sender = sender;
  }

  get waiting(): number {
    return this.outbox.waiting;
  }

  /** How full it is: 1 while something waits for credit. */
  get fill(): number {
    return this.left > 0 ? 1 : this.owner.fillOf(this);
  }

  get saturated(): boolean {
    return this.owner.saturated;
  }

  /** @param bytes - their estimated size */
  push(values: Values, stream: number, root: Root | null, edgeHi: number, edgeLo: number, bytes: number): void {
    this.outbox.push(values, stream, root, edgeHi, edgeLo, bytes);
    this.waitingBytes += bytes;
    this.owner.pushed(this, bytes);
  }

  /** Ends the channel behind what waits in it. */
  pushEnd(revision: number): void {
    this.endRevision = revision;
    this.owner.pushed(this, 0);
  }

  /** The revision of the end marker that may leave now, once; -1 when there is none. */
  takeEnd(): number {
    if (this.waiting > 0) return NO_MARKER;
    const revision = this.endRevision;
    this.endRevision = NO_MARKER;
    return revision;
  }

  /**
   * A hand-over marker: what was pushed so far is in front of it, what is pushed later behind it. There is at most one,
   * because a change begins when all markers of the one before have arrived.
   */
  pushMark(revision: number): void {
    this.markRevision = revision;
    this.beforeMark = this.waiting;
    this.owner.pushed(this, 0);
  }

  /** How many of the waiting tuples may leave before a marker has to. */
  get beforeMarker(): number {
    return this.markRevision === NO_MARKER ? this.waiting : this.beforeMark;
  }

  /** The revision of the hand-over marker that may leave now, once; -1 when there is none. */
  takeMark(): number {
    if (this.beforeMark > 0) return NO_MARKER;
    const revision = this.markRevision;
    this.markRevision = NO_MARKER;
    return revision;
  }

  /** Everything that was pushed has left. */
  get empty(): boolean {
    return this.waiting === 0 && this.endRevision === NO_MARKER && this.markRevision === NO_MARKER;
  }

  /** So many of the waiting tuples have been written to a frame. */
  sent(count: number, bytes: number): void {
    if (this.beforeMark > 0) this.beforeMark -= count;
    this.outstandingTuples += count;
    this.outstandingBytes += bytes;
    this.waitingBytes -= bytes;
    this.sentTuples += count;
    this.outbox.drop(count);
  }

  /** After each flush: the sender rests while something is left. Gives by how much more is left than last time. */
  settle(): number {
    const left = this.waiting;
    const change = left - this.left;
    if (left > 0 && this.left === 0) this.sender.block(this);
    else if (left === 0 && this.left > 0) this.sender.unblock(this);
    this.left = left;
    return change;
  }

  /** The link is gone: what waits is dropped, and then holds nobody (`settle`). Its trees fail by the rewiring. */
  abandon(): void {
    this.beforeMark = 0;
    this.markRevision = NO_MARKER;
    this.endRevision = NO_MARKER;
    this.outbox.drop(this.outbox.waiting);
    this.waitingBytes = 0;
  }
}
