// One running instance of a bolt. It takes tuples one at a time, by a direct call of a sender on this thread or from
// its mailbox, and acks by return, fails by throw, unless the bolt does it by hand.
//
//   take ─► execute ─┬─ returned ──────────► ack (or into the batch that `endBatch` commits)
//                    ├─ threw ─────────────► fail, report
//                    └─ promise ─► call under way ─► settled ─► ack or fail        at most `concurrency` at once
//   all inputs ended, nothing waiting or under way ─► finish ─► end markers ─► ended
//
// `take` is the hot path: a synchronous execute makes no promise, no closure and no object here.

import type { Bolt } from '../component/bolt.js';
import { EXECUTED, STALE } from '../metrics/counters.js';
import type { BoltBehavior } from '../model/definition.js';
import type { CallTimes } from './call-times.js';
import { GOES_ROUND, HAS_FINISHED, MAY_END, MAY_FINISH, NO_CYCLE, type CyclePhase } from './cycle-phase.js';
import { EmitCall } from './emit-call.js';
import { HandingTask } from './handing-task.js';
import type { InboundBatch } from './inbound-batch.js';
import { InputEnds } from './input-ends.js';
import { Inbox, type BoltPlace } from './inbox.js';
import type { Mailbox } from './mailbox.js';
import { callTimeout, OpenCalls } from './open-calls.js';
import type { LocalTask } from './output.js';
import type { TaskSetup } from './dealer.js';
import { BROKEN, CALLS_FULL, COMMITTING, HOLDING, RUNNING } from './gate.js';
import { isPromise } from './settling.js';
import type { TaskTuple } from './task-tuple.js';
import { FAILED, Held } from './task-tuple.js';

/** The time is looked at after each call that is slow, and after up to this many quick ones. */
const STRIDE_MAX = 16;

export class BoltTask extends HandingTask implements LocalTask {
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
  /** Its tuples are never done when their call returns. */
  private readonly holds: boolean;
  /** Its tuples are done when their call returns, and no call of it ever was asynchronous. */
  private simple: boolean;
  private call = new EmitCall(this);
  /** Those that have a time or a signal. */
  private readonly openCalls: OpenCalls;
  /** Some call was. */
  private asynchronous = false;
  private stride = 1;
  private tickDue = false;
  private finishing = false;
  /** Its inputs began anew since `finish` was called: that was not the end. */
  private reopened = false;

  constructor(setup: TaskSetup, bolt: Bolt, behavior: BoltBehavior, place: BoltPlace, times: CallTimes) {
    super(setup, bolt, behavior, times);
    this.openCalls = new OpenCalls(setup.host.clock, behavior.callTimeoutMs);
    this.cycle = place.inCycle ? GOES_ROUND : NO_CYCLE;
    this.holds = behavior.manualAck || this.commits !== null || this.order !== null;
    this.simple = !this.holds;
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
    if (!this.simple || tuple.held !== null) this.beginHeld(call, tuple);
    else call.begin(tuple.root);
    try {
      const result = this.bolt.execute(tuple, call.emit);
      if (result === undefined && this.simple) {
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

  /** Beside asynchronous calls, an emit that was kept too long must not pass for that of a call under way. */
  private renew(call: EmitCall): void {
    if (!this.asynchronous) return;
    this.openCalls.end(call);
    this.call = new EmitCall(this);
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

  /** Takes the next tuple that came from another worker; it is an edge of its tree. */
  private takeInbound(from: Mailbox, batch: InboundBatch): void {
    let tuple: TaskTuple;
    try {
      tuple = batch.next();
    } catch (error) {
      this.refuse(from, batch, error);
      return;
    }
    batch.origin.channel!.taken();
    from.tookFromBatch(1);
    const { root } = tuple;
    if (batch.dead || (root !== null && root.ledger.dead)) {
      this.count(STALE);
    } else if ((this.gate & BROKEN) !== 0) {
      this.settle(tuple, FAILED);
    } else {
      const held = !this.simple;
      if (held && root !== null) tuple.held = new Held(batch.edgeHi, batch.edgeLo);
      this.hasFailed = false;
      this.takeNext(tuple);
      if (held || root === null || this.hasFailed) return;
      // An asynchronous call has left an edge of its own, which takes the place of this one.
      root.ack(batch.edgeHi ^ this.leftHi, batch.edgeLo ^ this.leftLo);
    }
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
      if (batch === null) this.takeQueued(from.shift());
      else this.takeInbound(from, batch);
      left--;
      if (--untilLook > 0) continue;
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

  private outsideEnded(name: 'tick' | 'finish', call: EmitCall): void {
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

  /** The call is asynchronous: it keeps its `EmitCall`, and the task gets a new one. */
  private underWay(
    call: EmitCall,
    tuple: TaskTuple | null,
    promise: Promise<void>,
    name: 'execute' | 'tick' | 'finish',
  ): void {
    this.asynchronous = true;
    this.simple = false;
    this.call = new EmitCall(this);
    this.changeCalls(1);
    this.callBegan(call);
    if (this.callsUnderWay >= this.behavior.concurrency) this.gate |= CALLS_FULL;
    if (name !== 'finish') this.openCalls.begin(call, () => this.timedOut(call, name, tuple));
    // Not by the promise itself: what only looks like one may call back twice, or throw.
    Promise.resolve(promise).then(
      () => this.settled(call, name, tuple, null),
      (error: unknown) => this.settled(call, name, tuple, { error }),
    );
  }

  private settled(
    call: EmitCall,
    name: 'execute' | 'tick' | 'finish',
    tuple: TaskTuple | null,
    failed: { readonly error: unknown } | null,
  ): void {
    this.times.settled(call);
    this.changeCalls(-1);
    this.callSettled(call);
    this.gate &= ~CALLS_FULL;
    this.openCalls.end(call);
    call.open = false;
    if (call.timedOut) {
      // It was dealt with then: only its place is free now.
    } else if (tuple === null) {
      if (failed !== null) this.report(name, failed.error);
      this.outsideEnded(name === 'finish' ? 'finish' : 'tick', call);
    } else {
      this.conclude(call, () => (failed === null ? this.executed(tuple) : this.failed(tuple, failed.error)));
    }
    this.host.schedule(this);
  }

  abortCalls(reason: Error): void {
    this.openCalls.close(reason);
  }

  /** The time of an asynchronous call is over: its tuple fails, and those behind it in order go on. */
  private timedOut(call: EmitCall, name: string, tuple: TaskTuple | null): void {
    const error = callTimeout(this, name, this.behavior.callTimeoutMs!);
    call.timedOut = true;
    call.abort(error);
    if (tuple === null) this.report(name, error);
    this.conclude(call, tuple === null ? null : () => this.failed(tuple, error));
    this.host.schedule(this);
  }

  signalled(call: EmitCall): void {
    this.openCalls.signal(call);
    // From now on each call has an `EmitCall` of its own.
    this.asynchronous = true;
    this.simple = false;
  }

  /** A call that was no plain one is over: its input is settled now, or in its turn. */
  private conclude(call: EmitCall, settle: (() => void) | null): void {
    if (this.order !== null) this.endInOrder(call, settle);
    else settle?.();
  }

  /** With `ordered`: a call has ended; its emits leave, and its input is settled, when the calls before it have. */
  private endInOrder(call: EmitCall, settle: (() => void) | null): void {
    if (this.call === call) this.call = new EmitCall(this);
    this.order!.end(call, settle);
    this.releaseInOrder();
  }
}
