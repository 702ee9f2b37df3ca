// What a bolt task does when the plan changes around it, beside what it does with tuples: it knows its part in the
// change (hand-over.ts), counts what was under way when it began to let go, and leaves the plan if it is not part of
// the new one. On the worker's thread.

import type { Timer } from '../clock.js';
import { HAND_OVER_WAIT_MS_MAX } from '../limits.js';
import { CALLS, CALLS_MS, CALLS_SINCE } from '../metrics/counters.js';
import { NO_CYCLE, type CyclePhase } from './cycle-phase.js';
import { sameCopy } from './same-copy.js';
import type { EmitCall } from './emit-call.js';
import type { HandOver, HandingOver } from './hand-over.js';
import type { InboundBatch } from './inbound-batch.js';
import type { Inbox } from './inbox.js';
import type { InputEnds } from './input-ends.js';
import type * as settling from './settling-task.js';
import { COMMITTING, HOLDING } from './gate.js';
import type { Mailbox } from './mailbox.js';

const { SettlingTask } = await sameCopy<typeof settling>('./settling-task.js', import.meta.url);

export abstract class HandingTask extends SettlingTask implements HandingOver {
  abstract readonly inbox: Inbox;
  abstract readonly cycle: CyclePhase;
  /** Which of its source tasks have ended. */
  abstract readonly inputs: InputEnds;
  /** Its part in a change of the plan that is being carried out. */
  handOver: HandOver | null = null;
  /** The task whose place it took had ended: what is to be finished was finished there. */
  protected isFinished = false;
  protected callsUnderWay = 0;
  /** How often it began to let go. */
  private lettingGo = 0;
  /** Calls under way that were so when it began. */
  private callsBefore = 0;
  private commitsBefore: number | null = null;

  /** Takes tuples of another worker. */
  receive(batch: InboundBatch, isFeedback: boolean): void {
    this.inbox.receive(batch, isFeedback, this.handOver?.holds(batch.origin.task) === true);
  }

  /** What came cannot be read: its trees fail. */
  protected refuse(from: Mailbox, batch: InboundBatch, error: unknown): void {
    const lost = batch.abandon();
    batch.origin.channel!.taken(lost);
    from.tookFromBatch(lost);
    this.report('receive', error);
  }

  /** Its worker sends by the new plan from now on: what comes from there stands behind markers too. */
  switchOver(sources: Iterable<number>): void {
    const { handOver } = this;
    if (handOver === null) return;
    handOver.begin();
    for (const source of sources) handOver.mark(source);
    if (!handOver.leaves && !handOver.done) {
      this.inbox.holdLocal();
      this.gate |= HOLDING;
    }
    this.host.schedule(this);
  }

  /** One call more, or less, is under way. */
  protected changeCalls(by: 1 | -1): void {
    const words = this.counters;
    const { row, callsUnderWay } = this;
    const nowMs = this.host.clock.now();
    words[row + CALLS_MS]! += callsUnderWay * (nowMs - words[row + CALLS_SINCE]!);
    words[row + CALLS_SINCE] = nowMs;
    this.callsUnderWay = callsUnderWay + by;
    words[row + CALLS] = this.callsUnderWay;
  }

  get isQuiet(): boolean {
    return this.callsUnderWay === 0 && (this.gate & COMMITTING) === 0;
  }

  drained(): Timer {
    this.lettingGo++;
    this.callsBefore = this.callsUnderWay;
    this.commitsBefore = null;
    return this.host.clock.after(HAND_OVER_WAIT_MS_MAX, () => {
      if (this.handOver !== null) this.handOver.expired = true;
      this.host.schedule(this);
    });
  }

  isClear(leaves: boolean): boolean {
    if (this.callsBefore > 0) return false;
    const { commits } = this;
    if (commits !== null) {
      this.commitsBefore ??= commits.begun + (commits.waiting ? 1 : 0);
      this.commit();
      if (commits.ended < this.commitsBefore) return false;
    }
    // In a cycle the end is not its own: who takes its place comes to it with the others.
    const mayFinish = this.cycle === NO_CYCLE && this.inputs.ended && !this.ended;
    return !leaves || ((this.heldByHand?.size ?? 0) === 0 && !mayFinish);
  }

  released(): void {
    this.inbox.release();
    this.gate &= ~HOLDING;
    this.isFinished = this.handOver!.endsAtOnce;
    this.host.schedule(this);
  }

  letGo(leaves: boolean): void {
    if (leaves) this.leave();
    this.host.letGo(this, leaves);
  }

  /** After it was counted as under way. */
  protected callBegan(call: EmitCall): void {
    call.lettingGo = this.lettingGo;
  }

  protected callSettled(call: EmitCall): void {
    if (call.lettingGo < this.lettingGo) this.callsBefore--;
    this.callEnded();
  }
}
