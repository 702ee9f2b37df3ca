// The receiving end of a channel: what flows from one task of another worker to one task of this one. It counts what
// the task takes from its mailbox, so that the sender gets its credit back: tuples one by one, bytes when the batch
// that brought them is used up.

import type { Origin, TupleChannel } from '../task/task-tuple.js';
import type { Outstanding } from './credit.js';

/** Gathers the credit of its channels and returns it once a turn. */
export interface CreditReturner {
  markOwing(channel: InboundChannel): void;
}

export class InboundChannel implements TupleChannel, Outstanding {
  readonly sourceTask: number;
  readonly targetTask: number;
  /** Where tuples of each stream of the source come from, by the number of the stream. */
  readonly origins: Origin[] = [];
  owedTuples = 0;
  owedBytes = 0;
  /** What came and was not returned. */
  outstandingTuples = 0;
  outstandingBytes = 0;
  private readonly returner: CreditReturner;
  private readonly batchTuples: number[] = [];
  private readonly batchBytes: number[] = [];
  private oldest = 0;
  /** All tuples that ever came. */
  receivedTuples = 0;
  private owing = false;

  constructor(sourceTask: number, targetTask: number, returner: CreditReturner) {
    this.sourceTask = sourceTask;
    this.targetTask = targetTask;
    this.returner = returner;
  }

  received(tuples: number, bytes: number): void {
    this.receivedTuples += tuples;
    this.batchTuples.push(tuples);
    this.batchBytes.push(bytes);
  }

  /** The task took so many tuples of the oldest batch that it has not used up. */
  taken(count: number): void {
    this.owedTuples += count;
    if ((this.batchTuples[this.oldest]! -= count) === 0) {
      this.owedBytes += this.batchBytes[this.oldest]!;
      this.oldest++;
      if (this.oldest === this.batchTuples.length) this.forgetBatches(this.oldest);
      else if (this.oldest >= 1024) this.forgetBatches(this.oldest);
    }
    if (!this.owing) {
      this.owing = true;
      this.returner.markOwing(this);
    }
  }

  /** What was owed is on its way back. */
  returned(): void {
    this.owedTuples = 0;
    this.owedBytes = 0;
    this.owing = false;
  }

  private forgetBatches(count: number): void {
    this.batchTuples.splice(0, count);
    this.batchBytes.splice(0, count);
    this.oldest = 0;
  }
}
