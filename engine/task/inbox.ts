// All that waits for one bolt task: its mailbox, and where feedback leads to it, a second one. What comes back by a
// cycle is older work and goes first, so that the cycle drains before it takes more; but not for ever, or a tuple that
// goes round without end would keep everything else out.
//
//   feedback ─┐ first, at most FEEDBACK_RUN_MAX in a row
//   mailbox ──┴─► the task

import { FEEDBACK_RUN_MAX, type RuntimeLimits } from '../limits.js';
import { QUEUE_FILL, QUEUED, QUEUED_BYTES } from '../metrics/counters.js';
import type { InboundBatch } from './inbound-batch.js';
import { Mailbox } from './mailbox.js';

/** Where a bolt task stands among the others. */
export interface BoltPlace {
  /** The tasks whose ends it waits for. */
  readonly sources: readonly number[];
  /** Feedback leads to it. */
  readonly takesFeedback: boolean;
  /** It stands in a cycle, and ends with that. */
  readonly inCycle: boolean;
}

export class Inbox {
  readonly mailbox: Mailbox;
  /** Null when no feedback leads here. */
  readonly feedback: Mailbox | null;
  private run = 0;

  constructor(limits: RuntimeLimits, task: number, takesFeedback: boolean) {
    const { feedbackTuplesMax: mailboxTuplesMax, feedbackBytesMax: mailboxBytesMax } = limits;
    this.mailbox = new Mailbox(limits, task);
    this.feedback = takesFeedback
      ? new Mailbox({ ...limits, mailboxTuplesMax, mailboxBytesMax }, task, this.mailbox)
      : null;
  }

  /** Tuples that wait. */
  get waiting(): number {
    return this.feedback === null ? this.mailbox.size : this.mailbox.size + this.feedback.size;
  }

  /** Of those, the ones that may be taken now. */
  get takeable(): number {
    return this.feedback === null ? this.mailbox.takeable : this.mailbox.takeable + this.feedback.takeable;
  }

  /** Where the next tuple is to be taken from; call only while one is takeable. */
  next(): Mailbox {
    const { mailbox, feedback } = this;
    if (feedback === null) return mailbox;
    if (feedback.takeable === 0 || (mailbox.takeable > 0 && this.run >= FEEDBACK_RUN_MAX)) {
      this.run = 0;
      return mailbox;
    }
    this.run++;
    return feedback;
  }

  /** Adds tuples of another worker; held ones cannot be taken until `release`. */
  receive(batch: InboundBatch, isFeedback: boolean, held: boolean): void {
    const to = isFeedback && this.feedback !== null ? this.feedback : this.mailbox;
    if (held) to.holdBatch(batch);
    else to.pushBatch(batch);
  }

  /** What tasks of this worker send from now on is held. */
  holdLocal(): void {
    this.mailbox.holdLocal();
    this.feedback?.holdLocal();
  }

  /** Nothing is held any more. */
  release(): void {
    this.mailbox.release();
    this.feedback?.release();
  }

  /** Writes how much waits into the row of counters. */
  publish(counters: Float64Array, row: number): void {
    const { mailbox, feedback } = this;
    counters[row + QUEUED] = this.waiting;
    counters[row + QUEUED_BYTES] = feedback === null ? mailbox.bytes : mailbox.bytes + feedback.bytes;
    counters[row + QUEUE_FILL] = feedback === null ? mailbox.fill : Math.max(mailbox.fill, feedback.fill);
  }
}
