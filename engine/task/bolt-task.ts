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
import type { EmitOptions } from '../component/emit.js';
import type { Tuple, Values } from '../component/tuple.js';
import { failure } from '../errors.js';
import {
  CALLS,
  CALLS_MS,
  CALLS_SINCE,
  EXECUTED,
  QUEUE_FILL,
  QUEUED,
  QUEUED_BYTES,
  STALE,
} from '../metrics/counters.js';
import type { BoltBehavior } from '../model/definition.js';
import { BatchCommits } from './batch-commits.js';
import type { CallTimes } from './call-times.js';
import { CallsInOrder } from './calls-in-order.js';
import { EmitCall } from './emit-call.js';
import type { InboundBatch } from './inbound-batch.js';
import { InputEnds } from './input-ends.js';
import { Mailbox } from './mailbox.js';
import type { LocalTask, Output } from './output.js';
import { BROKEN, CALLS_FULL, COMMITTING, RUNNING, type TaskSetup } from './task.js';
import { SettlingTask } from './settling-task.js';
import { isPending, isPromise } from './settling.js';
import type { Accumulator, TaskTuple } from './task-tuple.js';
import { ACKED, FAILED, Held, PENDING } from './task-tuple.js';

export class BoltTask extends SettlingTask implements LocalTask {
  readonly mailbox: Mailbox;
  /** Which of its source tasks have ended. */
  readonly inputs: InputEnds;
  /** After `take`: the XOR of the edges that the tuple leaves open in its tree. */
  leftHi = 0;
  leftLo = 0;
  untilTimed = 1;
  /** The last `take` threw. */
  private hasFailed = false;
  private readonly bolt: Bolt;
  private readonly commits: BatchCommits | null;
  /** Its tuples are never done when their call returns. */
  private readonly holds: boolean;
  private readonly order: CallsInOrder | null;
  /** Its tuples are done when their call returns, and no call of it ever was asynchronous. */
  private simple: boolean;
  private call = new EmitCall(this);
  private callsUnderWay = 0;
  /** Some call was. */
  private asynchronous = false;
  private tickDue = false;
  private finishing = false;
  /** Its inputs began anew since `finish` was called: that was not the end. */
  private reopened = false;

  constructor(setup: TaskSetup, bolt: Bolt, behavior: BoltBehavior, sources: readonly number[], times: CallTimes) {
    super(setup, behavior, times);
    this.bolt = bolt;
    this.commits =
      bolt.endBatch === undefined
        ? null
        : new BatchCommits(
            () => bolt.endBatch!(),
            (batch, failed) => this.committed(batch, failed),
          );
    this.order = behavior.ordered && behavior.concurrency > 1 ? new CallsInOrder() : null;
    this.holds = behavior.manualAck || this.commits !== null || this.order !== null;
    this.simple = !this.holds;
    this.mailbox = new Mailbox(setup.host.limits, setup.task);
    this.inputs = new InputEnds(sources);
  }

  /**
   * Executes one tuple; only while `gate` is 0. Never throws. No closure may stand in here: it would have V8 allocate a
   * context for each tuple, used or not.
   */
  take(tuple: TaskTuple): void {
    if (--this.untilTimed === 0) {
      this.times.take(this, this.call, tuple);
      return;
    }
    const { call } = this;
    this.gate = RUNNING;
    this.counters[this.row + EXECUTED]!++;
    if (!this.simple || tuple.held !== null) this.beginHeld(call, tuple);
    else call.begin(tuple.root);
    try {
      const result = this.bolt.execute(tuple, call.emit);
      if (result === undefined && this.simple) {
        this.leftHi = call.accHi;
        this.leftLo = call.accLo;
        call.end();
        this.settle(tuple, ACKED);
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

  private beginHeld(call: EmitCall, tuple: TaskTuple): void {
    this.leftHi = 0;
    this.leftLo = 0;
    if (this.holds && tuple.held === null) this.outlive(tuple);
    if (tuple.held === null) call.begin(tuple.root);
    else call.beginHeld(tuple);
    if (this.order !== null) this.order.begin(call);
  }

  private returned(call: EmitCall, tuple: TaskTuple, result: unknown): void {
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
    // Beside asynchronous calls, an emit that was kept too long must not pass for that of a call under way.
    if (this.asynchronous) this.call = new EmitCall(this);
    if (this.order === null) this.executed(tuple);
    else this.endInOrder(call, () => this.executed(tuple));
  }

  private threw(call: EmitCall, tuple: TaskTuple, error: unknown): void {
    call.end();
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
    else if (this.gate === BROKEN) this.settle(tuple, FAILED);
    else this.take(tuple);
  }

  /** Takes the next tuple that came from another worker; it is an edge of its tree. */
  private takeInbound(batch: InboundBatch): void {
    let tuple: TaskTuple;
    try {
      tuple = batch.next();
    } catch (error) {
      this.refuse(batch, error);
      return;
    }
    batch.origin.channel!.taken();
    this.mailbox.tookFromBatch(1);
    const { root } = tuple;
    if (batch.dead || (root !== null && root.ledger.dead)) {
      this.count(STALE);
    } else if (this.gate === BROKEN) {
      this.settle(tuple, FAILED);
    } else {
      const held = !this.simple;
      if (held && root !== null) tuple.held = new Held(batch.edgeHi, batch.edgeLo);
      this.hasFailed = false;
      this.take(tuple);
      if (held || root === null || this.hasFailed) return;
      // An asynchronous call has left an edge of its own, which takes the place of this one.
      root.ack(batch.edgeHi ^ this.leftHi, batch.edgeLo ^ this.leftLo);
    }
  }

  /** What came cannot be read: its trees fail. */
  private refuse(batch: InboundBatch, error: unknown): void {
    const lost = batch.abandon();
    for (let i = 0; i < lost; i++) batch.origin.channel!.taken();
    this.mailbox.tookFromBatch(lost);
    this.report('receive', error);
  }

  run(): void {
    const { mailbox, host } = this;
    if (this.tickDue && this.gate === 0) this.tickNow();
    let left = host.limits.sliceTuplesMax;
    const nowMs = host.clock.now();
    const untilMs = nowMs + host.limits.turnMs;
    if (this.times.isDue(nowMs)) this.untilTimed = 1;
    while (mailbox.size > 0 && (this.gate & ~BROKEN) === 0 && left > 0) {
      const batch = mailbox.nextBatch();
      if (batch === null) this.takeQueued(mailbox.shift());
      else this.takeInbound(batch);
      left--;
      if ((left & 15) === 0 && host.clock.now() >= untilMs) break;
    }
    this.counters[this.row + QUEUED] = mailbox.size;
    this.counters[this.row + QUEUED_BYTES] = mailbox.bytes;
    this.counters[this.row + QUEUE_FILL] = mailbox.fill;
    if (mailbox.size > 0 && (this.gate & ~BROKEN) === 0) host.schedule(this);
    else this.finishIfEnded();
  }

  emit(call: EmitCall, values: Values, options: EmitOptions | undefined): void {
    if (options === undefined && call.simple && this.dealAtOnce(call, values)) return;
    this.emitAnchored(call, this.checked(call, values, options), values, options);
  }

  /** What is anchored to a tuple that is held, waits until calls before it have ended, or needs a closer look. */
  private emitAnchored(call: EmitCall, output: Output, values: Values, options: EmitOptions | undefined): void {
    let { root } = call;
    let acc = call.sink;
    if (options?.id !== undefined) throw failure('MILLRACE_EMIT_ID_IN_BOLT', { component: this.component });
    if (options?.anchor === null) {
      root = null;
    } else if (options?.anchor !== undefined) {
      const given = onlyOne(options.anchor);
      if (given === null) {
        this.emitJoined(call, output, values, options.anchor as readonly Tuple[]);
        return;
      }
      const anchor = this.anchorOf(call, given);
      root = anchor.root;
      acc = anchor.held ?? call;
    }
    if (root !== null && acc !== call && (acc as Held).state !== PENDING) throw this.anchorError();
    if (call.held === null) this.send(output, values, root, acc);
    else if (call.held.length >= this.host.limits.emitsPerCallMax) throw this.tooMany();
    else call.held.push({ output, values, root, acc });
  }

  /**
   * What is anchored to several tuples adds its edges to their trees at once: in each of them the edge of its anchor is
   * still open, and the same edge must not go through two anchors into one tree.
   */
  private emitJoined(call: EmitCall, output: Output, values: Values, anchors: readonly Tuple[]): void {
    // Emits of an ordered bolt leave later, when the other tuples may be settled.
    if (this.order !== null) throw this.anchorError();
    const root = this.rootOfAll(call, anchors);
    const joined: Accumulator = { accHi: 0, accLo: 0 };
    try {
      this.send(output, values, root, joined);
    } finally {
      root?.ack(joined.accHi, joined.accLo);
    }
  }

  /** The time of a tick has come. One that finds the task busy waits; a second one then is not added. */
  tick(): void {
    this.tickDue = true;
    this.host.schedule(this);
  }

  /** Has `endBatch` called; then the acks of the batch leave. */
  commit(): void {
    this.commits?.commit();
    if (this.commits?.running === true) this.gate |= COMMITTING;
  }

  /** Resolves when no `endBatch` is under way. */
  get committing(): Promise<void> {
    return this.commits?.done ?? Promise.resolve();
  }

  /** Its inputs may all have ended: once nothing waits or is under way, flushes and passes the end on. */
  finishIfEnded(): void {
    if (this.ended || this.finishing || !this.inputs.ended || this.mailbox.size > 0 || this.callsUnderWay > 0) return;
    if ((this.gate & ~BROKEN) !== 0) return;
    this.commit();
    if ((this.gate & COMMITTING) !== 0) return;
    if (this.bolt.finish === undefined || this.gate === BROKEN) {
      this.passEndOn();
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
    if (this.order !== null) this.endInOrder(call, null);
    if (name !== 'finish') return;
    this.finishing = false;
    if (!this.reopened) this.passEndOn();
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
    if (this.callsUnderWay >= this.behavior.concurrency) this.gate |= CALLS_FULL;
    // Not by the promise itself: what only looks like one may call back twice, or throw.
    Promise.resolve(promise).then(
      () => this.settled(call, name, tuple, null),
      (error: unknown) => this.settled(call, name, tuple, { error }),
    );
  }

  private changeCalls(by: 1 | -1): void {
    const words = this.counters;
    const { row, callsUnderWay } = this;
    const nowMs = this.host.clock.now();
    words[row + CALLS_MS]! += callsUnderWay * (nowMs - words[row + CALLS_SINCE]!);
    words[row + CALLS_SINCE] = nowMs;
    this.callsUnderWay = callsUnderWay + by;
    words[row + CALLS] = this.callsUnderWay;
  }

  private settled(
    call: EmitCall,
    name: 'execute' | 'tick' | 'finish',
    tuple: TaskTuple | null,
    failed: { readonly error: unknown } | null,
  ): void {
    call.open = false;
    this.times.settled(call);
    this.changeCalls(-1);
    this.gate &= ~CALLS_FULL;
    if (tuple === null) {
      if (failed !== null) this.report(name, failed.error);
      this.outsideEnded(name === 'finish' ? 'finish' : 'tick', call);
    } else {
      const settle = (): void => (failed === null ? this.executed(tuple) : this.failed(tuple, failed.error));
      if (this.order === null) settle();
      else this.endInOrder(call, settle);
    }
    this.host.schedule(this);
  }

  /** With `ordered`: a call has ended; its emits leave, and its input is settled, when the calls before it have. */
  private endInOrder(call: EmitCall, settle: (() => void) | null): void {
    if (this.call === call) this.call = new EmitCall(this);
    this.order!.end(call, settle);
    this.releaseInOrder();
  }

  private releaseInOrder(): void {
    this.order!.release((held) => {
      try {
        this.send(held.output, held.values, held.root, held.acc);
      } catch (error) {
        this.report('execute', error);
      }
    });
  }

  private executed(tuple: TaskTuple): void {
    if (this.commits !== null) {
      if (this.commits.add(tuple)) this.commit();
      else this.host.scheduleCommit(this);
      return;
    }
    if (!this.behavior.manualAck) this.settle(tuple, ACKED);
  }

  private failed(tuple: TaskTuple, error: unknown): void {
    if (isPending(tuple)) this.settleFailed(tuple, error);
    this.report('execute', error);
  }

  private committed(batch: readonly TaskTuple[], failed: { readonly error: unknown } | null): void {
    this.gate &= ~COMMITTING;
    for (const tuple of batch) {
      if (!isPending(tuple)) continue;
      if (failed !== null) this.settleFailed(tuple, failed.error);
      else if (!this.behavior.manualAck) this.settle(tuple, ACKED);
    }
    if (failed !== null) this.report('endBatch', failed.error);
    if (this.commits!.waiting) this.host.scheduleCommit(this);
    this.host.schedule(this);
  }
}

/** The one tuple of an anchor; null when there are several, or none. */
function onlyOne(anchor: Tuple | readonly Tuple[]): Tuple | null {
  if (!Array.isArray(anchor)) return anchor as Tuple;
  const [first] = anchor as readonly Tuple[];
  return first !== undefined && anchor.every((each) => each === first) ? first : null;
}
