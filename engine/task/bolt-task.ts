// One running instance of a bolt. It takes tuples one at a time, by a direct call of a sender on this thread or from
// its mailbox, and acks by return, fails by throw, unless the bolt does it by hand.
//
//   take ─► execute ─┬─ returned ──────────► ack (or into the batch that `endBatch` commits)
//                    ├─ threw ─────────────► fail, report
//                    └─ promise ─► call under way ─► settled ─► ack or fail        at most `concurrency` at once
//   all inputs ended, nothing waiting or under way ─► finish ─► end markers ─► ended
//
// `take` is the hot path: a synchronous execute makes no promise, no closure and no object here.

import type { Bolt, BoltFunction } from '../component/bolt.js';
import type { EmitOptions } from '../component/emit.js';
import type { Tuple, Values } from '../component/tuple.js';
import { failure, reasonOf } from '../errors.js';
import { ACKED as ACKED_COUNT, EXECUTED, FAILED as FAILED_COUNT, MISUSED, QUEUED, STALE } from '../metrics/counters.js';
import type { BoltBehavior } from '../model/definition.js';
import { CallsInOrder } from './calls-in-order.js';
import { EmitCall } from './emit-call.js';
import { InputEnds } from './input-ends.js';
import { Mailbox } from './mailbox.js';
import { BROKEN, CALLS_FULL, COMMITTING, RUNNING, Task, type TaskSetup } from './task.js';
import { ACKED, FAILED, PENDING, TaskTuple } from './task-tuple.js';

/** Tuples in a batch at which it is committed without waiting for the end of the turn. */
const BATCH_COMMITTED_AT = 4096;

export class BoltTask extends Task {
  readonly mailbox: Mailbox;
  /** Which of its source tasks have ended. */
  readonly inputs: InputEnds;
  private readonly bolt: Bolt;
  private readonly behavior: BoltBehavior;
  private readonly execute: BoltFunction;
  private readonly commits: boolean;
  private readonly order: CallsInOrder | null;
  private call = new EmitCall(this);
  private callsUnderWay = 0;
  private batch: TaskTuple[] = [];
  /** Resolves when no `endBatch` is under way. */
  committing: Promise<void> = Promise.resolve();
  private tickDue = false;
  private finishing = false;
  /** Its inputs began anew since `finish` was called: that was not the end. */
  private reopened = false;

  constructor(setup: TaskSetup, bolt: Bolt, behavior: BoltBehavior, sources: readonly number[]) {
    super(setup);
    this.bolt = bolt;
    this.behavior = behavior;
    // Bound once: looking the method up on ever other bolts would cost more than the call.
    this.execute = bolt.execute.bind(bolt);
    this.commits = bolt.endBatch !== undefined;
    this.order = behavior.ordered && behavior.concurrency > 1 ? new CallsInOrder() : null;
    this.mailbox = new Mailbox(setup.host.limits);
    this.inputs = new InputEnds(sources);
  }

  /** Executes one tuple; only while `gate` is 0. Never throws. */
  take(tuple: TaskTuple): void {
    const { call } = this;
    this.gate |= RUNNING;
    this.count(EXECUTED);
    call.input = tuple;
    call.open = true;
    if (this.order !== null) this.order.begin(call);
    try {
      const result = this.execute(tuple, call.emit);
      if (result !== undefined && isPromise(result)) {
        this.underWay(call, result, 'execute');
      } else {
        call.open = false;
        if (this.order === null) this.executed(tuple);
        else this.endInOrder(call, () => this.executed(tuple));
      }
    } catch (error) {
      call.open = false;
      if (this.order === null) this.failed(tuple, error);
      else this.endInOrder(call, () => this.failed(tuple, error));
    }
    this.gate &= ~RUNNING;
  }

  /** A tuple of a dead incarnation came. */
  dropStale(): void {
    this.count(STALE);
  }

  run(): void {
    const { mailbox, host } = this;
    if (this.tickDue && this.gate === 0) this.tickNow();
    let left = host.limits.sliceTuplesMax;
    const untilMs = host.clock.now() + host.limits.turnMs;
    while (mailbox.size > 0 && (this.gate & ~BROKEN) === 0 && left > 0) {
      const tuple = mailbox.shift();
      if (tuple.origin.channel !== null) tuple.origin.channel.taken();
      if (tuple.ledger !== null && tuple.ledger.dead) this.dropStale();
      else if (this.gate === BROKEN) this.settle(tuple, FAILED);
      else this.take(tuple);
      left--;
      if ((left & 15) === 0 && host.clock.now() >= untilMs) break;
    }
    this.counters[this.row + QUEUED] = mailbox.size;
    if (mailbox.size > 0 && (this.gate & ~BROKEN) === 0) host.schedule(this);
    else this.finishIfEnded();
  }

  emit(call: EmitCall, values: Values, options: EmitOptions | undefined): void {
    const output = this.checked(call, values, options);
    let anchor = call.input;
    if (options !== undefined) {
      if (options.id !== undefined) throw failure('MILLRACE_EMIT_ID_IN_BOLT', { component: this.component });
      if (options.anchor !== undefined) anchor = this.anchorOf(options.anchor);
    }
    if (call.held !== null) call.held.push({ output, values, anchor });
    else this.send(output, values, anchor);
  }

  /** The time of a tick has come. One that finds the task busy waits; a second one then is not added. */
  tick(): void {
    this.tickDue = true;
    this.host.schedule(this);
  }

  ack(tuple: Tuple): void {
    this.byHand('ack', tuple, (held) => this.settle(held, ACKED));
  }

  fail(tuple: Tuple, reason: unknown): void {
    this.byHand('fail', tuple, (held) => {
      this.settle(held, FAILED);
      if (reason === undefined) return;
      const error = failure(
        'MILLRACE_TASK_FAILED_TUPLE',
        { component: this.component, reason: reasonOf(reason) },
        { cause: reason },
      );
      this.report('execute', error);
    });
  }

  resetTimeout(tuple: Tuple): void {
    this.byHand('resetTimeout', tuple, (held) => held.ledger?.touch(held.rootHi, held.rootLo));
  }

  /** Has `endBatch` called; then the acks of the batch leave. */
  commit(): void {
    if (this.batch.length === 0 || (this.gate & COMMITTING) !== 0) return;
    const batch = this.batch;
    this.batch = [];
    try {
      const result = this.bolt.endBatch!();
      if (result === undefined || !isPromise(result)) {
        this.settleBatch(batch);
        return;
      }
      this.gate |= COMMITTING;
      this.committing = result.then(
        () => this.committed(batch, null),
        (error: unknown) => this.committed(batch, { error }),
      );
    } catch (error) {
      this.batchFailed(batch, error);
    }
  }

  /** Its inputs may all have ended: once nothing waits or is under way, flushes and passes the end on. */
  finishIfEnded(): void {
    if (this.ended || this.finishing || !this.inputs.ended || this.mailbox.size > 0 || this.callsUnderWay > 0) return;
    if ((this.gate & ~BROKEN) !== 0) return;
    if (this.batch.length > 0) this.commit();
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
      this.ended = false;
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
    call.input = null;
    call.open = true;
    if (this.order !== null) this.order.begin(call);
    try {
      const result = invoke(call.emit);
      if (result !== undefined && isPromise(result)) this.underWay(call, result, name);
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

  private passEndOn(): void {
    this.ended = true;
    for (const target of this.targets()) {
      if (target.local !== null) this.host.endLocal(this.task, target.local);
      else target.channel!.pushEnd(this.host.revision);
    }
    this.host.taskEnded(this);
  }

  /** The call is asynchronous: it keeps its `EmitCall`, and the task gets a new one. */
  private underWay(call: EmitCall, promise: Promise<void>, name: 'execute' | 'tick' | 'finish'): void {
    const tuple = call.input;
    this.call = new EmitCall(this);
    if (++this.callsUnderWay >= this.behavior.concurrency) this.gate |= CALLS_FULL;
    promise.then(
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
    call.open = false;
    this.callsUnderWay--;
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
        this.send(held.output, held.values, held.anchor);
      } catch (error) {
        this.report('execute', error);
      }
    });
  }

  private executed(tuple: TaskTuple): void {
    if (this.commits) {
      this.batch.push(tuple);
      if (this.batch.length >= BATCH_COMMITTED_AT && (this.gate & COMMITTING) === 0) this.commit();
      else this.host.scheduleCommit(this);
      return;
    }
    if (!this.behavior.manualAck) this.settle(tuple, ACKED);
  }

  private failed(tuple: TaskTuple, error: unknown): void {
    if (tuple.state === PENDING) this.settle(tuple, FAILED);
    this.report('execute', error);
  }

  /**
   * Ends the tuple here and tells its ledger. A tuple inside its emitter's call has no edge: the emitter takes its acc.
   */
  private settle(tuple: TaskTuple, state: typeof ACKED | typeof FAILED): void {
    tuple.state = state;
    this.count(state === ACKED ? ACKED_COUNT : FAILED_COUNT);
    const { ledger } = tuple;
    if (ledger === null) return;
    if (state === FAILED) ledger.fail(tuple.rootHi, tuple.rootLo);
    else if ((tuple.edgeHi | tuple.edgeLo) !== 0) {
      ledger.ack(tuple.rootHi, tuple.rootLo, tuple.edgeHi ^ tuple.accHi, tuple.edgeLo ^ tuple.accLo);
    }
  }

  private settleBatch(batch: readonly TaskTuple[]): void {
    if (this.behavior.manualAck) return;
    for (const tuple of batch) if (tuple.state === PENDING) this.settle(tuple, ACKED);
  }

  private batchFailed(batch: readonly TaskTuple[], error: unknown): void {
    for (const tuple of batch) if (tuple.state === PENDING) this.settle(tuple, FAILED);
    this.report('endBatch', error);
  }

  private committed(batch: readonly TaskTuple[], failed: { readonly error: unknown } | null): void {
    this.gate &= ~COMMITTING;
    if (failed === null) this.settleBatch(batch);
    else this.batchFailed(batch, failed.error);
    if (this.batch.length > 0) this.host.scheduleCommit(this);
    this.host.schedule(this);
  }

  private byHand(call: string, tuple: Tuple, then: (held: TaskTuple) => void): void {
    if (!this.behavior.manualAck) throw failure('MILLRACE_TASK_MANUAL_ACK', { component: this.component, call });
    if (!(tuple instanceof TaskTuple) || tuple.state !== PENDING) {
      this.count(MISUSED);
      return;
    }
    then(tuple);
    // Outside of a call nothing else would have the spout hear of it.
    if ((this.gate & RUNNING) === 0) this.host.schedule(this);
  }

  private anchorOf(anchor: Tuple | null): TaskTuple | null {
    if (anchor === null) return null;
    if (anchor instanceof TaskTuple && anchor.state === PENDING) return anchor;
    this.count(MISUSED);
    throw failure('MILLRACE_EMIT_ANCHOR', { component: this.component });
  }
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Promise<void>>).then === 'function';
}
