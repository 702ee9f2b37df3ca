// The queue of a task: a growing ring of tuples, first in, first out. It is bounded by those who fill it: tuples of
// other workers by credit, tuples of this worker by resting the senders once `crowded` is true, so one call may overrun
// it by what it emits and no more.
//
//   tuples[head & mask] … tuples[(tail - 1) & mask]      capacity is a power of two and doubles when full
//   batches[0] … batches[last]                           what came from other workers, still packed
//
// Order holds for each sender: those of this worker use the one queue, those of others the other. They take turns.
// While the task hands over (hand-over.ts), what came behind markers is held: the tail of the one queue, and batches
// that stand apart from the other. It counts as waiting, so senders rest as ever, but cannot be taken.

import { BATCHES_DROPPED_AT, type RuntimeLimits } from '../limits.js';
import type { InboundBatch } from './inbound-batch.js';
import type { TaskTuple } from './task-tuple.js';

const CAPACITY_FIRST = 16;

/** A task that rests until this mailbox has room again. */
export interface Waiting {
  unblock(by: Mailbox): void;
}

export class Mailbox {
  /** The number of the task whose mailbox it is. */
  readonly targetTask: number;
  /** Tuples that wait, in both queues. */
  size = 0;
  /** Those from tasks of this worker. */
  localTuples = 0;
  /** Those that a new one from this worker has to wait for: its own, and feedback that goes first. */
  inFront = 0;
  /** Of those, the newest ones that are held. */
  private heldLocal = 0;
  private holdsLocal = false;
  private heldBatches: InboundBatch[] = [];
  private heldInBatches = 0;
  private localBytes = 0;
  private head = 0;
  private mask = CAPACITY_FIRST - 1;
  private tuples = new Array<TaskTuple | undefined>(CAPACITY_FIRST).fill(undefined);
  private readonly batches: (InboundBatch | null)[] = [];
  private firstBatch = 0;
  private batchIsNext = false;
  private waiting: Waiting[] = [];
  private readonly tuplesMax: number;
  private readonly bytesMax: number;

  private readonly inboundTuplesMax: number;
  private readonly inboundBytesMax: number;
  private inboundBytes = 0;
  /** Where those wait that what is in here goes before; null when nobody does. */
  private readonly before: Mailbox | null;

  constructor(limits: RuntimeLimits, targetTask: number, before: Mailbox | null = null) {
    this.targetTask = targetTask;
    this.before = before;
    this.tuplesMax = limits.mailboxTuplesMax;
    this.bytesMax = limits.mailboxBytesMax;
    // What one channel may have under way while it is alone (link/credit.ts).
    this.inboundTuplesMax = Math.max(1, limits.channelReserveTuples + limits.linkSharedTuples / 2);
    this.inboundBytesMax = Math.max(1, limits.channelReserveBytes + limits.linkSharedBytes / 2);
  }

  /** Bytes that wait, in both queues, as estimated. */
  get bytes(): number {
    return this.localBytes + this.inboundBytes;
  }

  /** How full it is: at 1 those who fill it rest, or one of them alone would. */
  get fill(): number {
    const inbound = this.size - this.localTuples;
    return Math.min(
      1,
      Math.max(
        this.localTuples / this.tuplesMax,
        this.localBytes / this.bytesMax,
        inbound / this.inboundTuplesMax,
        this.inboundBytes / this.inboundBytesMax,
      ),
    );
  }

  /** Tuples that may be taken now. */
  get takeable(): number {
    return this.size - this.heldLocal - this.heldInBatches;
  }

  /** Senders of this worker should rest. */
  get crowded(): boolean {
    return this.localTuples >= this.tuplesMax || this.localBytes >= this.bytesMax;
  }

  /** Adds a tuple of this worker. */
  push(tuple: TaskTuple): void {
    if (this.localTuples > this.mask) this.grow();
    this.tuples[(this.head + this.localTuples++) & this.mask] = tuple;
    this.localBytes += tuple.bytes;
    this.size++;
    this.inFront++;
    if (this.before !== null) this.before.inFront++;
    if (this.holdsLocal) this.heldLocal++;
  }

  /** Adds tuples of another worker. */
  pushBatch(batch: InboundBatch): void {
    this.batches.push(batch);
    this.size += batch.left;
    this.inboundBytes += batch.bytes;
    if (this.before !== null) this.before.inFront += batch.left;
  }

  /** What tasks of this worker send from now on is held. */
  holdLocal(): void {
    this.holdsLocal = true;
  }

  /** Adds tuples of another worker that are held. */
  holdBatch(batch: InboundBatch): void {
    this.heldBatches.push(batch);
    this.heldInBatches += batch.left;
    this.size += batch.left;
    this.inboundBytes += batch.bytes;
    if (this.before !== null) this.before.inFront += batch.left;
  }

  /** Nothing is held any more. */
  release(): void {
    this.holdsLocal = false;
    this.heldLocal = 0;
    this.heldInBatches = 0;
    for (const batch of this.heldBatches) this.batches.push(batch);
    this.heldBatches = [];
  }

  /**
   * The batch that the next tuple is to be taken from, or null when that is one of this worker (`shift`). Call only
   * while one is takeable.
   */
  nextBatch(): InboundBatch | null {
    this.batchIsNext = !this.batchIsNext;
    const local = this.localTuples - this.heldLocal;
    if (this.firstBatch === this.batches.length || (local > 0 && !this.batchIsNext)) return null;
    return this.batches[this.firstBatch]!;
  }

  /** Nothing but what came from other workers may be taken now. */
  get onlyBatches(): boolean {
    return this.localTuples === this.heldLocal;
  }

  /** So many tuples were taken from the batch that was next. */
  tookFromBatch(count: number): void {
    this.size -= count;
    if (this.before !== null) this.before.inFront -= count;
    const batch = this.batches[this.firstBatch]!;
    if (batch.left > 0) return;
    this.inboundBytes -= batch.bytes;
    this.batches[this.firstBatch++] = null;
    if (this.firstBatch < this.batches.length && this.firstBatch < BATCHES_DROPPED_AT) return;
    this.batches.splice(0, this.firstBatch);
    this.firstBatch = 0;
  }

  /** The oldest tuple of this worker; call only while there is one. */
  shift(): TaskTuple {
    const at = this.head & this.mask;
    const tuple = this.tuples[at]!;
    this.tuples[at] = undefined;
    this.head = (this.head + 1) & this.mask;
    this.size--;
    this.localTuples--;
    this.localBytes -= tuple.bytes;
    this.inFront--;
    if (this.before !== null) this.before.inFront--;
    if (this.waiting.length > 0) this.wakeWaiting();
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
    for (let i = 0; i < this.localTuples; i++) tuples[i] = old[(this.head + i) & this.mask];
    this.tuples = tuples;
    this.head = 0;
    this.mask = capacity - 1;
  }
}
