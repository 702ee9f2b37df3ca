// Knows whether a session can be trusted to live. Reads and pings prove nothing: a server that was cut off answers both
// for seconds after the others have ended the session. Only an acknowledged write does, for half of the session's
// timeout from when it was asked for. So whoever holds something has a write proved again and again, and stops by
// himself when that fails for too long. In a store whose sessions end only with their process, nothing needs proof.
//
//   asked ─────────────── T/2 ──────────────► out of time        T: the session's timeout
//     └ T/8 ─► asked again ─ answered ─► counts from here
//
// Time only narrows the window in which two believe that they hold the same; fences close it. Main thread.

import type { Clock, Timer } from '../../engine/clock.js';
import type { Operation, Session } from '../store/contract.js';
import { pause } from '../store/signals.js';
import { isPassing } from '../store/store-errors.js';

export interface QuorumProofOptions {
  readonly session: Session;
  readonly clock: Clock;
  /** When the last acknowledged write was asked for. */
  readonly provenAtMs: number;
  /** What to prove, in one transaction; called for each. */
  readonly checks: () => readonly Operation[];
  /** Whether that refusal is an answer of a session that lives all the same. */
  readonly answered?: (error: unknown) => boolean;
  /** There was no proof for too long, or the store refused it. */
  readonly failed: (error: unknown) => void;
}

export class QuorumProof {
  private readonly options: QuorumProofOptions;
  private provenAtMs: number;

  constructor(options: QuorumProofOptions) {
    this.options = options;
    this.provenAtMs = options.provenAtMs;
  }

  /** A write that was asked for at that time was acknowledged. */
  note(askedAtMs: number): void {
    this.provenAtMs = Math.max(this.provenAtMs, askedAtMs);
  }

  /** Whether the last proof is too old to act on. */
  get outOfTime(): boolean {
    const { session, clock } = this.options;
    return session.timeoutMs !== null && clock.now() >= this.provenAtMs + session.timeoutMs / 2;
  }

  /** Proves it again and again until the signal is aborted, which `failed` leads to. */
  async keep(over: AbortSignal): Promise<void> {
    const { session, clock } = this.options;
    const { timeoutMs } = session;
    if (timeoutMs === null) return;
    const stop = this.watch(timeoutMs / 2);
    while (!over.aborted) {
      await pause(clock, timeoutMs / 8, over);
      if (!over.aborted) await this.prove(timeoutMs / 3, over);
    }
    stop();
  }

  /** Fails at the very moment when time is up, whatever is under way. */
  private watch(withinMs: number): () => void {
    const { clock, failed } = this.options;
    let timer: Timer;
    const arm = (): void => {
      const seenMs = this.provenAtMs;
      timer = clock.after(Math.max(0, seenMs + withinMs - clock.now()), () => {
        if (this.provenAtMs > seenMs) arm();
        else failed(null);
      });
    };
    arm();
    return () => timer.cancel();
  }

  private async prove(timeoutMs: number, over: AbortSignal): Promise<void> {
    const { session, clock, checks, failed, answered } = this.options;
    const askedAtMs = clock.now();
    try {
      await session.multi(checks(), { timeoutMs, signal: over });
      this.note(askedAtMs);
    } catch (error) {
      if (over.aborted) return;
      if (answered?.(error) === true) this.note(askedAtMs);
      else if (!isPassing(error)) failed(error);
    }
  }
}
