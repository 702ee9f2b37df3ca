// One running instance of a spout, with the ledger of its trees.
//
//   nextTuple ─emit(id)─┬─ room ─────► open a tree, send, close its opening
//                       └─ no room ──► wait unsent (what one call emits beyond `maxSpoutPending`)
//   tree ends ─► ended list ─► ack(id) or fail(id), between calls, never inside nextTuple or emit
//   'done', no tree open, nothing unsent ─► end markers ─► ended
//   it leaves the plan: asked no more; no tree open, nothing unsent ─► end markers ─► lets go of its partitions
//
// A spout that emits nothing rests 1 ms, then 2, up to 16, unless it is woken; it never spins. Stopping is last of all:
// a blocked target makes the spout rest like any other task.

import type { Ledger } from '../ack/ledger.js';
import type { EmitOptions } from '../component/emit.js';
import type { NextTuple, Spout, TreeFailure } from '../component/spout.js';
import type { Values } from '../component/tuple.js';
import type { Timer } from '../clock.js';
import { failure } from '../errors.js';
import { SPOUT_REST_MAX_MS, SPOUT_REST_MIN_MS } from '../limits.js';
import { ACKED as ACKED_COUNT, ASKED, FAILED as FAILED_COUNT } from '../metrics/counters.js';
import { AckWaits } from './ack-waits.js';
import type { CallTimes } from './call-times.js';
import { sameCopy } from './same-copy.js';
import type { TaskSetup } from './dealer.js';
import type * as calls from './emit-call.js';
import * as gate from './gate.js';
import type { Output } from './output.js';
import type * as rooting from './rooting-task.js';

const { RootingTask } = await sameCopy<typeof rooting>('./rooting-task.js', import.meta.url);
const { EmitCall } = await sameCopy<typeof calls>('./emit-call.js', import.meta.url);
type EmitCall = calls.EmitCall;
const { BROKEN, CALLS_FULL, INACTIVE, RESTARTING, RUNNING } = gate;

/** The time is looked at after each call that is slow, and after up to this many quick ones. */
const STRIDE_MAX = 32;

export class SpoutTask extends RootingTask {
  readonly kind = 'spout';
  private spout: Spout;
  private readonly times: CallTimes;
  private readonly ackWaits: AckWaits;
  /** Counts calls of `nextTuple` down to the next one that is measured. */
  private untilTimed = 1;
  private call = new EmitCall(this);
  /** The asynchronous call that is under way. */
  private callUnderWay: EmitCall | null = null;
  private done = false;
  private draining = false;
  /** It is not part of the new plan. */
  private leaving = false;
  private patience: Timer | null = null;
  private restMs = 0;
  private rest: Timer | null = null;
  private emitted = false;
  /** Woken while it was being asked: it is asked again, even if it emits nothing now. */
  private woken = false;
  /** Trees that were acked since the counts were told last. */
  private ackedTrees = 0;
  /** From how many calls `untilTimed` counts down. */
  private sampleEvery = 1;
  private stride = 1;
  /** Calls of `nextTuple` that threw, and all those of the tasks in whose row it counts on. */
  private failedCalls = this.counters[this.row + ASKED]!;

  constructor(setup: TaskSetup, spout: Spout, ledger: Ledger, tracking: boolean, times: CallTimes) {
    super(setup, ledger, tracking);
    this.times = times;
    this.ackWaits = new AckWaits(this.counters, this.row);
    this.spout = spout;
  }

  run(): void {
    const { host } = this;
    if (this.ledger.ended > 0) this.ledger.takeEnded(this);
    const startMs = host.clock.now();
    this.ledger.setTime(startMs);
    this.ackWaits.note(this.ledger.full, startMs);
    if (this.untilTimed > 1 && this.times.isDue(startMs)) this.askedBy(1);
    let left = host.limits.sliceTuplesMax;
    let untilLook = this.stride;
    while (left-- > 0 && this.mayEmit()) {
      if (this.rest !== null) break;
      this.next();
      if (this.ledger.ended > 0) this.ledger.takeEnded(this);
      if (--untilLook > 0) continue;
      const elapsedMs = host.clock.now() - startMs;
      if (elapsedMs >= host.limits.turnMs) {
        this.stride = 1;
        break;
      }
      this.stride = Math.min(this.stride * 2, STRIDE_MAX);
      untilLook = this.stride;
    }
    this.publish();
    if (this.ledger.full) this.ackWaits.note(true, host.clock.now());
    if (this.mayEmit() && this.rest === null) host.schedule(this);
    else this.finishIfEnded();
  }

  /** Resolves when nothing holds its emits back: no full target, and none that waits unsent. */
  override async ready(call: EmitCall): Promise<void> {
    if (call.open) await this.unsent.empty();
    if (!this.isOver(call)) await super.ready(call);
  }

  /** Calls of `nextTuple` that returned. */
  get successes(): number {
    const asked = this.counters[this.row + ASKED]! + this.sampleEvery - this.untilTimed;
    return asked - this.failedCalls - (this.callUnderWay === null ? 0 : 1);
  }

  get isQuiet(): boolean {
    return this.callUnderWay === null;
  }

  /** Another instance takes over; only while the gate is closed, after {@link forget}. */
  replaceInstance(spout: Spout): void {
    this.spout = spout;
    this.done = false;
    this.call = new EmitCall(this);
  }

  commit(): void {
    // A spout has no batch of its own.
  }

  emit(call: EmitCall, values: Values, options: EmitOptions | undefined): void {
    if (this.isOver(call)) return;
    this.emitOn(this.checked(call, values, options), values, options?.id);
  }

  emitDirect(call: EmitCall, task: number, values: Values, options: EmitOptions | undefined): void {
    if (this.isOver(call)) return;
    this.emitOn(this.checkedDirect(call, task, values, options), values, options?.id);
  }

  private emitOn(output: Output, values: Values, id: unknown): void {
    this.emitted = true;
    if ((this.gate & CALLS_FULL) === 0) this.emitNow(output, values, id);
    else this.emitOutside(output, values, id);
  }

  /** A call emits after it has waited for something: outside of every turn, so that one is needed to tell of it. */
  private emitOutside(output: Output, values: Values, id: unknown): void {
    this.host.schedule(this);
    this.ledger.setTime(this.host.clock.now());
    if ((this.gate & INACTIVE) !== 0) {
      this.keep(output, values, id);
      return;
    }
    const measured = this.times.openOutside();
    try {
      this.emitNow(output, values, id);
    } finally {
      if (measured) this.times.closeOutside();
    }
  }

  private emitNow(output: Output, values: Values, id: unknown): void {
    const tracked = this.opensTree(id);
    // Behind what waits, whatever it is: what one task sends to another stays in order.
    if (this.unsent.waiting > 0 || (tracked && this.ledger.full)) this.keep(output, values, id);
    else if (tracked) this.open(output, values, id);
    else this.sendUntracked(output, values, id);
  }

  /** The task drains while the call is under way: what it still emits goes nowhere, and is no mistake of its own. */
  private isOver(call: EmitCall): boolean {
    return !call.open && (this.draining || this.leaving);
  }

  signalled(): void {
    // Each call that is under way is known, and one that has returned has no use for its signal.
  }

  abortCalls(reason: Error): void {
    this.callUnderWay?.abort(reason);
  }

  /** No more `nextTuple` until {@link resume}; what a call that is under way still emits waits until then. */
  pause(): void {
    this.gate |= INACTIVE;
  }

  resume(): void {
    this.gate &= ~INACTIVE;
    this.wake();
  }

  /** Has `nextTuple` called soon. */
  wake(): void {
    this.woken = true;
    this.restMs = 0;
    this.rest?.cancel();
    this.rest = null;
    this.host.schedule(this);
  }

  /**
   * No more `nextTuple`: what is open is waited for, then the end is passed on. A call that is under way may wait for
   * something that never comes: it is not waited for, and what it still emits is dropped.
   */
  drain(): void {
    this.draining = true;
    this.gate &= ~INACTIVE;
    this.callUnderWay?.abort(failure('MILLRACE_TASK_CLOSED', { component: this.component }));
    this.wake();
  }

  /**
   * It is not part of the new plan: as if it drained, but its partitions go on elsewhere when it has let go. Trees that
   * are open for longer than `patienceMs` from now on fail, and what waits for room in the ledger with them. A call
   * that is under way may emit until then.
   */
  depart(patienceMs: number): void {
    this.leaving = true;
    if (this.ended) {
      this.letGo();
      return;
    }
    this.patience = this.host.clock.after(patienceMs, () => {
      this.dropCall();
      this.giveUp();
    });
    this.gate &= ~INACTIVE;
    this.wake();
  }

  /** It is part of the plan after all, and has not let go. */
  stay(): void {
    this.leaving = false;
    this.patience?.cancel();
    this.wake();
  }

  /** Nobody waits for the call that is under way, and what it still emits is dropped. */
  private dropCall(): void {
    if (this.callUnderWay !== null) this.callUnderWay.open = false;
  }

  private letGo(): void {
    this.dropCall();
    this.stopTimers();
    this.leave();
    this.host.letGo(this, true);
  }

  override stopTimers(): void {
    super.stopTimers();
    this.rest?.cancel();
    this.patience?.cancel();
  }

  /** Whether a tree may be opened, or `nextTuple` called, now. */
  private mayEmit(): boolean {
    const { oldest } = this.unsent;
    if (oldest === null) {
      return !this.ledger.full && this.gate === 0 && !(this.done || this.draining || this.leaving);
    }
    // What waits unsent leaves in the middle of the call that emitted it: that call may wait for its acks. What opens
    // no tree needs no room in the ledger.
    return (this.gate & ~CALLS_FULL) === 0 && !(this.ledger.full && this.opensTree(oldest.id));
  }

  private next(): void {
    if (this.unsent.waiting > 0) {
      const { output, values, id } = this.unsent.shift();
      output.keptBack(-1);
      try {
        if (this.opensTree(id)) this.open(output, values, id);
        else this.sendUntracked(output, values, id);
      } catch (error) {
        this.report('nextTuple', error);
      }
      return;
    }
    if (--this.untilTimed === 0) {
      this.askedBy(this.times.nextSample());
      this.times.begin();
      this.ask();
      this.times.end();
    } else {
      this.ask();
    }
  }

  /** The next call that is measured is so many calls away; tells how many there were. */
  private askedBy(untilTimed: number): void {
    this.counters[this.row + ASKED]! += this.sampleEvery - this.untilTimed;
    this.sampleEvery = untilTimed;
    this.untilTimed = untilTimed;
  }

  private ask(): void {
    const { call } = this;
    this.gate |= RUNNING;
    this.emitted = false;
    this.woken = false;
    call.open = true;
    try {
      const result = this.spout.nextTuple(call.emit);
      if (typeof result === 'object') {
        this.waitFor(call, result);
      } else {
        call.open = false;
        this.said(result);
      }
    } catch (error) {
      call.open = false;
      this.failedCalls++;
      this.report('nextTuple', error);
      this.takeRest();
    }
    this.gate &= ~RUNNING;
  }

  /** The call is asynchronous: it keeps its `EmitCall`, and the task gets a new one. */
  private waitFor(call: EmitCall, result: Promise<NextTuple>): void {
    this.gate |= CALLS_FULL;
    this.call = new EmitCall(this);
    this.callUnderWay = call;
    const askedMs = this.host.clock.now();
    // Not by the promise itself: what only looks like one may call back twice, or throw.
    Promise.resolve(result).then(
      (said) => this.settled(call, said, askedMs, null),
      (error: unknown) => this.settled(call, undefined, askedMs, { error }),
    );
  }

  private settled(call: EmitCall, said: NextTuple, askedMs: number, failed: { readonly error: unknown } | null): void {
    call.open = false;
    this.callUnderWay = null;
    this.gate &= ~CALLS_FULL;
    if (failed === null) {
      // A promise that took its time was a rest in itself; one that resolves at once with nothing would spin.
      if (this.host.clock.now() - askedMs >= SPOUT_REST_MIN_MS) this.woken = true;
      this.said(said);
    } else {
      this.failedCalls++;
      this.report('nextTuple', failed.error);
      this.takeRest();
    }
    this.callEnded();
    this.host.schedule(this);
  }

  private said(said: NextTuple): void {
    this.done = said === 'done';
    if (this.emitted) this.restMs = 0;
    else if (!this.done && !this.woken) this.takeRest();
  }

  private takeRest(): void {
    this.restMs = this.restMs === 0 ? SPOUT_REST_MIN_MS : Math.min(this.restMs * 2, SPOUT_REST_MAX_MS);
    this.rest = this.host.clock.after(this.restMs, () => {
      this.rest = null;
      this.host.schedule(this);
    });
  }

  /** Calls `ack` or `fail` of the spout. */
  treeEnded(id: unknown, failure: TreeFailure | null): void {
    if (failure === null) {
      this.ackedTrees++;
    } else {
      this.count(FAILED_COUNT);
      this.done = false;
    }
    try {
      if (failure === null) this.spout.ack?.(id);
      else this.spout.fail?.(id, failure.cause, failure);
    } catch (error) {
      this.report(failure === null ? 'ack' : 'fail', error);
    }
  }

  private finishIfEnded(): void {
    if (this.ended || this.ledger.open > 0 || this.ledger.ended > 0 || this.unsent.waiting > 0) return;
    const stops = this.draining || this.leaving;
    // Who stops needs no other instance.
    const unawaited = BROKEN | (stops ? CALLS_FULL : 0) | (stops && this.absent ? RESTARTING : 0);
    if ((this.gate & ~unawaited) !== 0 || !(this.done || stops || this.gate === BROKEN)) return;
    // Who is asked no more before it said that it is done has not come to its end: another one goes on.
    if (this.done || this.draining) this.passEndOn();
    if (this.leaving) this.letGo();
    else if (!this.ended) this.passEndOn();
  }

  override publishCounts(): void {
    super.publishCounts();
    this.counters[this.row + ACKED_COUNT]! += this.ackedTrees;
    this.ackedTrees = 0;
  }
}
