// The calls of one task that are not waited for without end: those that have a time, and those that asked for a signal.
// All that have a time have the same one, so they are due in the order in which they began: one timer for the oldest is
// enough, however many there are. On the worker's thread.
//
//   begin ─► waited for ─┬─ end ─────────► it settled in time
//                        └─ due ─────────► `timedOut`; it settles later, and nobody listens
//   signalled ─► (abort) ─► its signal is aborted; it is waited for all the same

import type { Clock, Timer } from '../clock.js';
import { failure } from '../errors.js';
import type { EmitCall } from './emit-call.js';

export class OpenCalls {
  private readonly clock: Clock;
  private readonly timeoutMs: number | null;
  /** Those that have a time, the oldest first, with what is done when it is over. */
  private readonly timed = new Map<EmitCall, () => void>();
  private readonly signalled = new Set<EmitCall>();
  private timer: Timer | null = null;

  constructor(clock: Clock, timeoutMs: number | null) {
    this.clock = clock;
    this.timeoutMs = timeoutMs;
  }

  /** An asynchronous call is under way. */
  begin(call: EmitCall, timedOut: () => void): void {
    if (this.timeoutMs === null) return;
    call.dueMs = this.clock.now() + this.timeoutMs;
    this.timed.set(call, timedOut);
    if (this.timer === null) this.watch(this.timeoutMs);
  }

  /** That call asked for its signal. */
  signal(call: EmitCall): void {
    this.signalled.add(call);
  }

  /** The call has settled, in time or not. */
  end(call: EmitCall): void {
    if (this.timeoutMs !== null) this.timed.delete(call);
    if (this.signalled.size > 0) this.signalled.delete(call);
  }

  /** The task closes: the signals of all are aborted, and nobody times out any more. */
  close(reason: Error): void {
    this.timer?.cancel();
    this.timer = null;
    this.timed.clear();
    for (const call of this.signalled) call.abort(reason);
    this.signalled.clear();
  }

  private watch(afterMs: number): void {
    this.timer = this.clock.after(afterMs, () => {
      this.timer = null;
      this.expire();
    });
  }

  private expire(): void {
    const nowMs = this.clock.now();
    for (const [call, timedOut] of this.timed) {
      if (call.dueMs > nowMs) {
        this.watch(call.dueMs - nowMs);
        return;
      }
      this.timed.delete(call);
      timedOut();
    }
  }
}

/** Why a call that took longer than it may is given up. */
export function callTimeout(of: { component: string; task: number }, call: string, timeoutMs: number): Error {
  return failure('MILLRACE_TASK_CALL_TIMEOUT', { call, component: of.component, task: of.task, timeoutMs });
}
