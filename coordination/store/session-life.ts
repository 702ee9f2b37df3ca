// What every session has in common, whatever store it is of: its state, who follows it, and the error of calls after
// its end. The thread of the session.

import { failure, reasonOf, type MillraceError } from '../../engine/errors.js';
import type { Logger } from '../../engine/log.js';
import type { SessionEvent, SessionState, Subscription } from './contract.js';

export abstract class SessionLife {
  readonly ended: AbortSignal;
  /** Of a session that is not over, who changes it tells it too. */
  protected current: SessionState = 'connected';
  private readonly listenerLogger: Logger;
  private readonly ending = new AbortController();
  private readonly listeners = new Set<(event: SessionEvent) => void>();

  /** @param logger - takes what listeners throw */
  constructor(logger: Logger) {
    this.listenerLogger = logger;
    this.ended = this.ending.signal;
  }

  abstract get id(): string;

  get state(): SessionState {
    return this.current;
  }

  onEvent(listener: (event: SessionEvent) => void): Subscription {
    // A function of its own, so that one listener can be given twice.
    const own = (event: SessionEvent): void => listener(event);
    this.listeners.add(own);
    return { close: () => void this.listeners.delete(own) };
  }

  /** Ends the watches, before anybody hears that the session is over. */
  protected abstract silence(): void;

  protected over(state: 'closed' | 'lost'): void {
    this.current = state;
    this.silence();
    this.ending.abort(this.error());
    this.tell({ type: state });
    this.listeners.clear();
  }

  protected tell(event: SessionEvent): void {
    for (const listener of [...this.listeners]) {
      // One that was told before it may have closed it.
      if (!this.listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.listenerLogger.error(`a listener of session "${this.id}" threw: ${reasonOf(error)}`);
      }
    }
  }

  /** @throws MILLRACE_STORE_SESSION_LOST, MILLRACE_STORE_CLOSED */
  protected checkOpen(): void {
    if (this.current === 'closed' || this.current === 'lost') throw this.error();
  }

  /** What calls fail with after its end. */
  protected error(): MillraceError {
    const code = this.current === 'lost' ? 'MILLRACE_STORE_SESSION_LOST' : 'MILLRACE_STORE_CLOSED';
    return failure(code, { session: this.id });
  }
}
