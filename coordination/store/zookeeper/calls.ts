// One call that is on its way to a server: its promise, its deadline and its signal. Sent is sent: a call that is given
// up keeps its place until its reply comes, and one whose reply does not come in its time ends the connection, because
// a server that is cut off from the others goes on to answer pings, and never the call. The thread of the session.

import type { Clock, Timer } from '../../../engine/clock.js';
import { failure, type MillraceError } from '../../../engine/errors.js';
import { callTimeMs } from '../call-time.js';
import type { CallOptions } from '../contract.js';
import type { Reader } from './codec.js';
import type { Waiting } from './connection.js';
import { isError, refusal } from './errors.js';
import type { Request } from './requests.js';

/** What a call needs of its session. */
export interface CallOwner {
  readonly clock: Clock;
  /** The call has waited for too long. */
  late(reason: string): void;
  /** It takes no place any more. */
  done(bytes: number): void;
  /** Not null when the ensemble has ended the session: then it has carried out nothing that it did not answer. */
  lostWith(): MillraceError | null;
}

export class Call<T> implements Waiting {
  readonly bytes: number;
  private readonly request: Request<T>;
  private readonly owner: CallOwner;
  private readonly signal: AbortSignal | undefined;
  private readonly timer: Timer;
  private readonly resolve: (value: T) => void;
  private readonly reject: (error: unknown) => void;
  private readonly aborted = (): void => this.reject(this.signal?.reason);
  private gone = false;

  constructor(
    request: Request<T>,
    options: CallOptions,
    owner: CallOwner,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.request = request;
    this.bytes = request.payload?.byteLength() ?? 0;
    this.owner = owner;
    const { signal } = options;
    const timeoutMs = callTimeMs(options);
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
    const reason = `no answer to ${request.what} within ${timeoutMs} ms`;
    // What has arrived during a long turn of this thread is read first.
    this.timer = owner.clock.after(timeoutMs, () => setImmediate(() => this.late(reason)));
    signal?.addEventListener('abort', this.aborted);
  }

  answer(error: number, reply: Reader): void {
    const { absent } = this.request;
    if (error === 0) {
      const value = this.request.read(reply);
      this.leave();
      this.resolve(value);
    } else {
      this.leave();
      if (absent !== undefined && isError(error, 'NO_NODE')) this.resolve(absent.value);
      else this.reject(this.owner.lostWith() ?? refusal(error, this.request));
    }
  }

  lost(reason: string): void {
    this.leave();
    const { what, writes } = this.request;
    const code = writes ? 'MILLRACE_STORE_UNCERTAIN' : 'MILLRACE_STORE_UNAVAILABLE';
    this.reject(this.owner.lostWith() ?? failure(code, { what, reason }));
  }

  /** It was not sent. */
  unsent(error: unknown): void {
    this.leave();
    this.reject(error);
  }

  private late(reason: string): void {
    if (!this.gone) this.owner.late(reason);
  }

  private leave(): void {
    if (this.gone) return;
    this.gone = true;
    this.timer.cancel();
    this.signal?.removeEventListener('abort', this.aborted);
    this.owner.done(this.bytes);
  }
}
