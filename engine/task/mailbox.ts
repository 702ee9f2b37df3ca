// The queue of a task: a growing ring of tuples, first in, first out. It is bounded by those who fill it: tuples of
// other workers by credit, tuples of this worker by resting the senders once `crowded` is true, so one call may overrun
// it by what it emits and no more.
//
//   tuples[head & mask] … tuples[(tail - 1) & mask]      capacity is a power of two and doubles when full

import type { RuntimeLimits } from '../limits.js';
import type { TaskTuple } from './task-tuple.js';

const CAPACITY_FIRST = 16;

/** A task that rests until this mailbox has room again. */
export interface Waiting {
  unblock(by: object): void;
}

export class Mailbox {
  size = 0;
  private localTuples = 0;
  private localBytes = 0;
  private head = 0;
  private mask = CAPACITY_FIRST - 1;
  private tuples = new Array<TaskTuple | undefined>(CAPACITY_FIRST).fill(undefined);
  private waiting: Waiting[] = [];
  private readonly tuplesMax: number;
  private readonly bytesMax: number;

  constructor(limits: RuntimeLimits) {
    this.tuplesMax = limits.mailboxTuplesMax;
    this.bytesMax = limits.mailboxBytesMax;
  }

  /** Senders of this worker should rest. */
  get crowded(): boolean {
    return this.localTuples >= this.tuplesMax || this.localBytes >= this.bytesMax;
  }

  push(tuple: TaskTuple): void {
    if (this.size > this.mask) this.grow();
    this.tuples[(this.head + this.size++) & this.mask] = tuple;
    if (tuple.origin.channel === null) {
      this.localTuples++;
      this.localBytes += tuple.bytes;
    }
  }

  /** The oldest tuple; call only while `size` is above zero. */
  shift(): TaskTuple {
    const at = this.head & this.mask;
    const tuple = this.tuples[at]!;
    this.tuples[at] = undefined;
    this.head = (this.head + 1) & this.mask;
    this.size--;
    if (tuple.origin.channel === null) {
      this.localTuples--;
      this.localBytes -= tuple.bytes;
      if (this.waiting.length > 0) this.wakeWaiting();
    }
    return tuple;
  }

  /** Has that sender told once half of the room is free again. */
  wait(sender: Waiting): void {
    this.waiting.push(sender);
  }

  private wakeWaiting(): void {
    if (this.localTuples > this.tuplesMax >> 1 || this.localBytes > this.bytesMax / 2) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const sender of waiting) sender.unblock(this);
  }

  private grow(): void {
    const old = this.tuples;
    const capacity = old.length * 2;
    const tuples = new Array<TaskTuple | undefined>(capacity).fill(undefined);
    for (let i = 0; i < this.size; i++) tuples[i] = old[(this.head + i) & this.mask];
    this.tuples = tuples;
    this.head = 0;
    this.mask = capacity - 1;
  }
}
