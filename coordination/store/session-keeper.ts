// Keeps this process in the store: one session at a time, and a new one after it was lost. What belongs to a session is
// started for each anew (`each`), and ended before the next begins. Main thread.

import { RealClock, type Clock } from '../../engine/clock.js';
import { failure, reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import { silentLogger, type Logger } from '../../engine/log.js';
import type { Session, Store } from './contract.js';
import { aborted, pause } from './signals.js';

export interface SessionKeeperOptions {
  readonly store: Store;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** Starts what goes with a session; resolves with what ends it. Called again when it rejects. */
  readonly each: (session: Session) => Promise<() => Promise<void>>;
}

/**
 * Keeps a session, and opens the next one when it was lost.
 *
 * @example
 * ```ts
 * const keeper = new SessionKeeper({
 *   store,
 *   each: async (session) => {
 *     await session.create('/workers/a', data, 'ephemeral');
 *     return async () => undefined;
 *   },
 * });
 * keeper.start();
 * await keeper.ready(10_000);
 * ```
 */
export class SessionKeeper {
  private readonly options: Required<SessionKeeperOptions>;
  private readonly stopping = new AbortController();
  /** Why nobody waits for a session any more. */
  private leaving: Error | null = null;
  private session: Session | null = null;
  /** Why there is no session; null when nothing went wrong. */
  private problem: Error | null = null;
  private readonly waiting: ((session: Session | null) => void)[] = [];
  private running: Promise<void> = Promise.resolve();

  constructor(options: SessionKeeperOptions) {
    const { store, each, clock = new RealClock(), logger = silentLogger } = options;
    this.options = { store, each, clock, logger };
  }

  start(): void {
    this.running = this.run();
  }

  /**
   * Resolves when there is a session.
   *
   * @throws why there was none for so long
   */
  async ready(withinMs: number): Promise<void> {
    const late = new AbortController();
    const timer = this.options.clock.after(withinMs, () => late.abort());
    const reason = `no answer within ${withinMs} ms`;
    try {
      await Promise.race([this.current(), aborted(late.signal)]);
    } finally {
      timer.cancel();
    }
    if (late.signal.aborted) throw this.problem ?? failure('MILLRACE_STORE_UNAVAILABLE', { what: 'connect', reason });
  }

  /** Why there is no session at present; null when there is one, or nothing went wrong yet. */
  get why(): string | null {
    return this.session === null ? (this.problem?.message ?? null) : null;
  }

  /**
   * The present session, or the next one when there is none at the moment.
   *
   * @throws the reason of `leave`; after `close` without it, MILLRACE_STORE_UNAVAILABLE
   */
  async current(): Promise<Session> {
    if (this.session !== null && !this.session.ended.aborted) return this.session;
    const session =
      this.leaving === null ? await new Promise<Session | null>((resolve) => this.waiting.push(resolve)) : null;
    if (session === null) throw this.leaving!;
    return session;
  }

  /** From here on a present session may be used for a last word, and nobody waits for another one. */
  leave(reason: Error): void {
    this.leaving = reason;
    this.answer(null);
  }

  /** Ends the session and what goes with it. */
  async close(): Promise<void> {
    this.stopping.abort();
    if (this.leaving === null) {
      this.leave(failure('MILLRACE_STORE_UNAVAILABLE', { what: 'connect', reason: 'no session is kept any more' }));
    }
    await this.running;
  }

  private async run(): Promise<void> {
    const { store, clock, logger, each } = this.options;
    const { signal } = this.stopping;
    for (let waitMs = STORE_RETRY_MIN_MS; !signal.aborted;) {
      let session: Session | null = null;
      try {
        session = await store.connect({ signal });
        const end = await each(session);
        waitMs = STORE_RETRY_MIN_MS;
        this.problem = null;
        this.session = session;
        this.answer(session);
        await aborted(session.ended, signal);
        this.session = null;
        await end();
      } catch (error) {
        const before = this.problem?.message;
        this.problem = error instanceof Error ? error : new Error(reasonOf(error));
        // The same again is no news.
        if (!signal.aborted && this.problem.message !== before) {
          logger.warn(`no session with the store: ${reasonOf(error)}`);
        }
      }
      await session?.close().catch((error: unknown) => logger.warn(`a session was not closed: ${reasonOf(error)}`));
      if (signal.aborted) break;
      await pause(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
    }
  }

  private answer(session: Session | null): void {
    for (const resolve of this.waiting.splice(0)) resolve(session);
  }
}
