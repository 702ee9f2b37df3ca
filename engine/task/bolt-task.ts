// One running instance of a bolt. It takes tuples one at a time, by a direct call of a sender on this thread or from
// its mailbox, and acks by return, fails by throw, unless the bolt does it by hand.
//
//   take ─► execute ─┬─ returned ──────────► ack (or into the batch that `endBatch` commits)
//                    ├─ threw ─────────────► fail, report
//                    └─ promise ─► call under way ─► settled ─► ack or fail        at most `concurrency` at once
//   all inputs ended, nothing waiting or under way ─► finish ─► end markers ─► ended
//
// `take` is the hot path: a synchronous execute makes no promise, no closure and no object here, and the bits of the
// gate are constants of this module, because V8 loads and checks one that is imported each time.

import type { Root } from '../ack/root.js';
import type { Bolt } from '../component/bolt.js';
import { EXECUTED, STALE } from '../metrics/counters.js';
import type { BoltBehavior } from '../model/definition.js';
import type { CallTimes } from './call-times.js';
import { GOES_ROUND, HAS_FINISHED, MAY_END, MAY_FINISH, NO_CYCLE, type CyclePhase } from './cycle-phase.js';
import { sameCopy } from './same-copy.js';
import type * as calls from './emit-call.js';
import type * as calling from './calling-task.js';
import type { InboundBatch } from './inbound-batch.js';
import { InputEnds } from './input-ends.js';
import { Inbox, type BoltPlace } from './inbox.js';
import type { Mailbox } from './mailbox.js';
import type { LocalTask } from './output.js';
import type { TaskSetup } from './dealer.js';
import * as gate from './gate.js';
import { isPromise } from './settling.js';
import type { TaskTuple } from './task-tuple.js';
import { FAILED, Held } from './task-tuple.js';

const { CallingTask } = await sameCopy<typeof calling>('./calling-task.js', import.meta.url);
const { EmitCall } = await sameCopy<typeof calls>('./emit-call.js', import.meta.url);
type EmitCall = calls.EmitCall;
const { BROKEN, COMMITTING, HOLDING, RUNNING } = gate;

/** The time is looked at after each call that is slow, and after up to this many quick ones. */
const STRIDE_MAX = 16;

export class BoltTask extends CallingTask implements LocalTask {
  readonly kind = 'bolt';
  /** That of `inbox` which senders of this worker put tuples into. */
  readonly mailbox: Mailbox;
  readonly inbox: Inbox;
  /** Where it stands in a cycle: how far its end has come. */
  cycle: CyclePhase;
  readonly inputs: InputEnds;
  /** After `take`: the XOR of the edges that the tuple leaves open in its tree. */
  leftHi = 0;
  leftLo = 0;
  untilTimed = 1;
  /** The last `take` threw. */
  private hasFailed = false;
  private stride = 1;
  /** The tree whose tuples are being taken, and the XOR of what is to be told of them. */
  private gathered: Root | null = null;
  private gatheredHi = 0;
  private gatheredLo = 0;
  private tickDue = false;
  private finishing = false;
  /** Its inputs began anew since `finish` was called: that was not the end. */
  private reopened = false;

  constructor(setup: TaskSetup, bolt: Bolt, behavior: BoltBehavior, place: BoltPlace, times: CallTimes) {
    super(setup, bolt, behavior, times);
    this.cycle = place.inCycle ? GOES_ROUND : NO_CYCLE;
    this.inbox = new Inbox(setup.host.limits, setup.task, place.takesFeedback);
    this.mailbox = this.inbox.mailbox;
    this.inputs = new InputEnds(place.sources);
  }

  /**
   * Executes one tuple; only while `gate` is 0. Never throws. No closure may stand in here: it would have V8 allocate a
   * context for each tuple, used or not.
   */
  take(tuple: TaskTuple): void {
    const { call } = this;
    this.gate |= RUNNING;
    if (this.simple === 0 || tuple.held !== null) this.beginHeld(call, tuple);
    else call.begin(tuple.root);
    try {
      const result = this.bolt.execute(tuple, call.emit);
      if (result === undefined && this.simple === 1) {
        this.leftHi = call.accHi;
        this.leftLo = call.accLo;
        call.end();
        this.done++;
        if (tuple.held !== null) this.tellAcked(tuple);
      } else {
        this.returned(call, tuple, result);
      }
    } catch (error) {
      this.threw(call, tuple, error);
    }
    this.gate &= ~RUNNING;
  }

  takeTimed(tuple: TaskTuple): void {
    this.times.take(this, this.call, tuple);
  }

  /** Executes a tuple that had to wait. */
  private takeNext(tuple: TaskTuple): void {
    if (--this.untilTimed === 0) this.times.take(this, this.call, tuple);
    else this.take(tuple);
  }

  /** Another instance takes over; only while the gate is closed and the task is quiet. */
  replaceInstance(bolt: Bolt): void {
    this.bolt = bolt;
    // An `emit` that the old one kept must not pass for that of a new call.
    this.call = new EmitCall(this);
  }

  private beginHeld(call: EmitCall, tuple: TaskTuple): void {
    this.leftHi = 0;
    this.leftLo = 0;
    if (this.holds && tuple.held === null) this.outlive(tuple);
    if (tuple.held === null) call.begin(tuple.root);
    else call.beginHeld(tuple);
    if (this.order !== null) this.order.begin(call);
    if (this.heldByHand !== null) this.heldByHand.add(tuple);
  }

  private returned(call: EmitCall, tuple: TaskTuple, result: unknown): void {
    this.count(EXECUTED);
    if (isPromise(result)) {
      if (tuple.held === null) this.outlive(tuple, call);
      this.underWay(call, tuple, result, 'execute');
      return;
    }
    call.end();
    if (tuple.held === null) {
      this.leftHi = call.accHi;
      this.leftLo = call.accLo;
    }
    this.renew(call);
    if (this.order === null) this.executed(tuple);
    else this.endInOrder(call, () => this.executed(tuple));
  }

  private threw(call: EmitCall, tuple: TaskTuple, error: unknown): void {
    this.count(EXECUTED);
    call.end();
    this.renew(call);
    this.hasFailed = true;
    if (tuple.held === null) {
      this.leftHi = 0;
      this.leftLo = 0;
    }
    if (this.order === null) this.failed(tuple, error);
    else this.endInOrder(call, () => this.failed(tuple, error));
  }

  /**
   * The tuple is not done when its call returns: its emitter is left with its edge. What the call emitted so far is
   * its.
   */
  private outlive(tuple: TaskTuple, call?: EmitCall): void {
    const held = this.hold(tuple);
    this.leftHi = held.edgeHi;
    this.leftLo = held.edgeLo;
    if (call === undefined) return;
    held.accHi = call.accHi;
    held.accLo = call.accLo;
    call.sink = held;
  }

  private takeQueued(tuple: TaskTuple): void {
    if (tuple.root !== null && tuple.root.ledger.dead) this.count(STALE);
    else if ((this.gate & BROKEN) !== 0) this.settle(tuple, FAILED);
    else this.takeNext(tuple);
  }

  /** Nothing waits or is under way, and it has done what it was to do for its end so far. */
  get isIdle(): boolean {
    if (this.inbox.waiting > 0 || this.callsUnderWay > 0 || this.finishing) return false;
    return this.cycle !== MAY_FINISH && (this.gate & (COMMITTING | HOLDING)) === 0;
  }

  /**
   * Takes up to `most` of the next tuples that came from another worker, while it may; each is an edge of its tree.
   * Gives how many those were, at least one.
   */
  private takeInbound(from: Mailbox, batch: InboundBatch, most: number): number {
    let taken = 0;
    do {
      let tuple: TaskTuple;
      try {
        tuple = batch.next();
      } catch (error) {
        this.refuse(from, batch, error);
        return 1;
      }
      taken++;
      this.takeFrom(batch, tuple);
    } while (taken < most && batch.left > 0 && (this.gate & ~(BROKEN | HOLDING)) === 0);
    this.tellGathered();
    batch.origin.channel!.taken(taken);
    from.tookFromBatch(taken);
    return taken;
  }

  private takeFrom(batch: InboundBatch, tuple: TaskTuple): void {
    const { root } = tuple;
    if (batch.dead || (root !== null && root.ledger.dead)) {
      this.count(STALE);
    } else if ((this.gate & BROKEN) !== 0) {
      this.settle(tuple, FAILED);
    } else {
      const held = this.simple === 0;
      if (held && root !== null) tuple.held = new Held(batch.edgeHi, batch.edgeLo);
      this.hasFailed = false;
      this.takeNext(tuple);
      if (held || root === null || this.hasFailed) return;
      // An asynchronous call has left an edge of its own, which takes the place of this one.
      if (root !== this.gathered) this.tellGathered(root);
      this.gatheredHi ^= batch.edgeHi ^ this.leftHi;
      this.gatheredLo ^= batch.edgeLo ^ this.leftLo;
    }
  }

  /** Tuples of one tree come together more often than not, so their acks are told together. */
  private tellGathered(next: Root | null = null): void {
    this.gathered?.ack(this.gatheredHi, this.gatheredLo);
    this.gathered = next;
    this.gatheredHi = 0;
    this.gatheredLo = 0;
  }

  run(): void {
    const { inbox, host } = this;
    if (this.tickDue && this.gate === 0) this.tickNow();
    let left = host.limits.sliceTuplesMax;
    let untilLook = this.stride;
    const nowMs = host.clock.now();
    const untilMs = nowMs + host.limits.turnMs;
    if (this.times.isDue(nowMs)) this.untilTimed = 1;
    while (inbox.takeable > 0 && (this.gate & ~(BROKEN | HOLDING)) === 0 && left > 0) {
      const from = inbox.next();
      const batch = from.nextBatch();
      if (batch === null) {
        this.takeQueued(from.shift());
        left--;
        untilLook--;
      } else {
        const most = from.onlyBatches && from === this.mailbox ? Math.min(left, untilLook) : 1;
        const taken = this.takeInbound(from, batch, most);
        left -= taken;
        untilLook -= taken;
      }
      if (untilLook > 0) continue;
      if (host.clock.now() >= untilMs) {
        this.stride = 1;
        break;
      }
      if (this.stride < STRIDE_MAX) this.stride *= 2;
      untilLook = this.stride;
    }
    inbox.publish(this.counters, this.row);
    if (inbox.takeable > 0 && (this.gate & ~(BROKEN | HOLDING)) === 0) host.schedule(this);
    else this.finishIfEnded();
    this.handOver?.step(this);
  }

  /** The time of a tick has come. One that finds the task busy waits; a second one then is not added. */
  tick(): void {
    this.tickDue = true;
    this.host.schedule(this);
  }

  /** Its inputs may all have ended: once nothing waits or is under way, flushes and passes the end on. */
  finishIfEnded(): void {
    if (this.ended || this.finishing || !this.inputs.ended || this.inbox.waiting > 0 || this.callsUnderWay > 0) return;
    if (this.cycle === GOES_ROUND || this.cycle === HAS_FINISHED) return;
    if ((this.gate & ~BROKEN) !== 0) return;
    this.commit();
    if ((this.gate & COMMITTING) !== 0) return;
    if (this.cycle === MAY_END || this.bolt.finish === undefined || (this.gate & BROKEN) !== 0 || this.isFinished) {
      this.finished();
      return;
    }
    this.finishing = true;
    this.reopened = false;
    this.callOutside('finish', (emit) => this.bolt.finish!(emit));
  }

  /**
   * Those tasks run again, as of that revision; if this one takes from them, directly or not, its own end is undone.
   */
  resumeInput(running: ReadonlySet<number>, revision: number, below: boolean): void {
    this.inputs.forget(running, revision);
    if (below) {
      this.setEnded(false);
      this.reopened = true;
      this.isFinished = false;
      if (this.cycle !== NO_CYCLE) this.cycle = GOES_ROUND;
    }
    this.host.schedule(this);
  }

  private tickNow(): void {
    this.tickDue = false;
    if (this.bolt.tick !== undefined) this.callOutside('tick', (emit) => this.bolt.tick!(emit));
  }

  /** A call that works on no tuple. */
  private callOutside(name: 'tick' | 'finish', invoke: (emit: EmitCall['emit']) => void | Promise<void>): void {
    const { call } = this;
    this.gate |= RUNNING;
    call.begin(null);
    if (this.order !== null) this.order.begin(call);
    try {
      const result = invoke(call.emit);
      if (result !== undefined && isPromise(result)) this.underWay(call, null, result, name);
      else this.outsideEnded(name, call);
    } catch (error) {
      this.report(name, error);
      this.outsideEnded(name, call);
    }
    this.gate &= ~RUNNING;
  }

  protected outsideEnded(name: 'tick' | 'finish', call: EmitCall): void {
    call.open = false;
    this.conclude(call, null);
    if (name !== 'finish') return;
    this.finishing = false;
    if (!this.reopened) this.finished();
  }

  private finished(): void {
    if (this.cycle === MAY_FINISH) this.cycle = HAS_FINISHED;
    else this.passEndOn();
  }
}
