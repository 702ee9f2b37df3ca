// What a bolt task does with calls that do not end when they return: they have an `EmitCall` of their own, may time
// out, and, with `ordered`, emit and settle in the order in which they began. On the worker's thread.
//
//   promise ─► underWay ─┬─ settled in time ─► conclude ─► executed or failed, now or in its turn
//                        └─ callTimeout ─────► conclude ─► failed; when it settles later, only its place is free

import type { Bolt } from '../component/bolt.js';
import type { BoltBehavior } from '../model/definition.js';
import type { CallTimes } from './call-times.js';
import { sameCopy } from './same-copy.js';
import type { TaskSetup } from './dealer.js';
import type * as calls from './emit-call.js';
import { CALLS_FULL } from './gate.js';
import type * as handing from './handing-task.js';
import { callTimeout, OpenCalls } from './open-calls.js';
import type { TaskTuple } from './task-tuple.js';

const { HandingTask } = await sameCopy<typeof handing>('./handing-task.js', import.meta.url);
const { EmitCall } = await sameCopy<typeof calls>('./emit-call.js', import.meta.url);
type EmitCall = calls.EmitCall;

export abstract class CallingTask extends HandingTask {
  /** Its tuples are never done when their call returns. */
  protected readonly holds: boolean;
  /**
   * 1: its tuples are done when their call returns, and no call of it ever was asynchronous. A number, which V8 tests
   * in one step.
   */
  protected simple: 0 | 1;
  protected call = new EmitCall(this);
  /** Those that have a time or a signal. */
  private readonly openCalls: OpenCalls;
  /** Some call was. */
  private asynchronous = false;

  constructor(setup: TaskSetup, bolt: Bolt, behavior: BoltBehavior, times: CallTimes) {
    super(setup, bolt, behavior, times);
    this.openCalls = new OpenCalls(setup.host.clock, behavior.callTimeoutMs);
    this.holds = behavior.manualAck || this.commits !== null || this.order !== null;
    this.simple = this.holds ? 0 : 1;
  }

  /** A call that worked on no tuple has ended. */
  protected abstract outsideEnded(name: 'tick' | 'finish', call: EmitCall): void;

  /** Beside asynchronous calls, an emit that was kept too long must not pass for that of a call under way. */
  protected renew(call: EmitCall): void {
    if (!this.asynchronous) return;
    this.openCalls.end(call);
    this.call = new EmitCall(this);
  }

  /** The call is asynchronous: it keeps its `EmitCall`, and the task gets a new one. */
  protected underWay(
    call: EmitCall,
    tuple: TaskTuple | null,
    promise: Promise<void>,
    name: 'execute' | 'tick' | 'finish',
  ): void {
    this.asynchronous = true;
    this.simple = 0;
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
    this.simple = 0;
  }

  /** A call that was no plain one is over: its input is settled now, or in its turn. */
  protected conclude(call: EmitCall, settle: (() => void) | null): void {
    if (this.order !== null) this.endInOrder(call, settle);
    else settle?.();
  }

  /** With `ordered`: a call has ended; its emits leave, and its input is settled, when the calls before it have. */
  protected endInOrder(call: EmitCall, settle: (() => void) | null): void {
    if (this.call === call) this.call = new EmitCall(this);
    this.order!.end(call, settle);
    this.releaseInOrder();
  }
}
