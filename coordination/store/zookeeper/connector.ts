// Keeps one session of ZooKeeper connected: dials one server after the other, takes the session along, and ends when
// the ensemble says that it is over or when it is asked to end it. Never by its own clock: after an outage of the
// ensemble, however long, all sessions live on. The thread of the session.
//
//   opening ─ first connection open ─► connected ◄─────────────────► suspended    calls are refused at once here
//      │                                   └───────────┬───────────────┘
//      └─ no server in time ─► over ◄─ the ensemble does not know it; ended by `end`, confirmed or not in its time
//
// Ending goes over the same way: while there is no connection it dials on, and asks for the end as soon as it has one,
// so that no session is left open by an end that came at a bad moment.

import type { Clock, Timer } from '../../../engine/clock.js';
import { failure, reasonOf, type MillraceError } from '../../../engine/errors.js';
import { STORE_CALLS_MAX, ZOOKEEPER_DIAL_PAUSE_MAX_MS, ZOOKEEPER_PENDING_BYTES_MAX } from '../../../engine/limits.js';
import type { Logger } from '../../../engine/log.js';
import type { Random } from '../../../engine/random.js';
import { callTimeMs, withoutTime } from '../call-time.js';
import type { CallOptions, Credentials } from '../contract.js';
import { Call, type CallOwner } from './calls.js';
import { greetingOf, operations, protocolRecord, xids, type WireRecord } from './codec.js';
import { serverName, type ServerAddress } from './connect-string.js';
import { Connection, type ConnectionListener, type FirstPacket, type SessionReply } from './connection.js';
import type { Dialler } from './dial.js';
import { errorName, isError } from './errors.js';
import { sessionName, type Request } from './requests.js';
import { Servers } from './servers.js';

export interface ConnectorOptions {
  readonly servers: readonly ServerAddress[];
  readonly dialler: Dialler;
  /** What is asked for; the ensemble may give another. */
  readonly sessionTimeoutMs: number;
  readonly credentials: readonly Credentials[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What proves that a session is ours. */
export interface SessionKey {
  readonly id: bigint;
  readonly password: Buffer;
}

export interface ConnectorListener {
  suspended(): void;
  reconnected(): void;
  /** The ensemble has ended the session. */
  lost(): void;
  /** Something that is watched has changed. */
  event(record: WireRecord): void;
  /** What tells a new connection which watches there are. */
  watches(zxid: bigint): readonly FirstPacket[];
}

/** How a session ended: as asked; it was over before (or the password is not its own); nobody answered in time. */
export type Ending = 'closed' | 'gone' | 'unconfirmed';

interface Opening {
  /** Null: it is open. */
  readonly settle: (failed: { readonly error: unknown } | null) => void;
  readonly credentialsRefused: (error: number) => void;
}

export class Connector implements ConnectionListener, CallOwner {
  readonly clock: Clock;
  private readonly options: ConnectorOptions;
  private readonly listener: ConnectorListener;
  private readonly servers: Servers;
  private state: 'opening' | 'connected' | 'suspended' | 'over' = 'opening';
  private key: SessionKey;
  private timeoutMs: number;
  private zxid = 0n;
  private connection: Connection | null = null;
  private openedAtMs: number | null = null;
  private pause: Timer | null = null;
  private pendingBytes = 0;
  private opening: Opening | null = null;
  private ending: Promise<Ending> | null = null;
  private finishEnding: ((ending: Ending) => void) | null = null;
  private server = '';
  private problem = 'no server was tried';
  private isLost = false;

  /**
   * @param key - a session that exists, to go on with it
   */
  constructor(options: ConnectorOptions, listener: ConnectorListener, key: SessionKey | null = null) {
    this.options = options;
    this.clock = options.clock;
    this.listener = listener;
    this.servers = new Servers(options.servers, options.random);
    this.timeoutMs = options.sessionTimeoutMs;
    this.key = key ?? { id: 0n, password: Buffer.alloc(16) };
  }

  /** Of the session; known once it is open. */
  get session(): SessionKey & { readonly timeoutMs: number } {
    return { ...this.key, timeoutMs: this.timeoutMs };
  }

  /**
   * Opens the session.
   *
   * @throws MILLRACE_STORE_UNAVAILABLE with what the last server said, MILLRACE_STORE_CREDENTIALS, the signal's reason
   */
  async open(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const refused = withoutTime('a new session', { timeoutMs });
    if (refused !== null) throw refused;
    let off = (): void => undefined;
    const opened = new Promise<void>((resolve, reject) => {
      const settle: Opening['settle'] = (failed) => {
        this.opening = null;
        if (failed === null) {
          resolve();
          return;
        }
        reject(failed.error);
        // What was opened meanwhile is not left behind.
        if (this.key.id === 0n) this.finish('unconfirmed');
        else void this.end(timeoutMs);
      };
      // What has arrived during a long turn of this thread is read first.
      const late = (): unknown =>
        setImmediate(() => {
          if (this.opening === opening) settle({ error: this.unreachable(timeoutMs) });
        });
      const aborted = (): void => settle({ error: signal?.reason as unknown });
      const credentialsRefused = (error: number): void => settle({ error: this.refusedCredentials(error) });
      const timer = this.clock.after(callTimeMs({ timeoutMs }), late);
      signal?.addEventListener('abort', aborted);
      off = () => {
        timer.cancel();
        signal?.removeEventListener('abort', aborted);
      };
      const opening: Opening = { settle, credentialsRefused };
      this.opening = opening;
      this.dial();
    });
    try {
      await opened;
    } finally {
      off();
    }
  }

  /** Sends a request; it is refused at once while there is no connection. */
  submit<T>(request: Request<T>, options: CallOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (options.signal?.aborted === true) {
        reject(options.signal.reason as unknown);
        return;
      }
      const { connection } = this;
      const { what } = request;
      const refused = withoutTime(what, options);
      if (refused !== null || connection === null || !connection.isOpen) {
        const reason = `no connection: ${this.problem}`;
        const error = refused ?? failure('MILLRACE_STORE_UNAVAILABLE', { what, reason });
        // In a turn of its own: who tries again and again would keep the thread from ever reading a reply.
        setImmediate(() => reject(error));
        return;
      }
      const call = new Call(request, options, this, resolve, reject);
      this.pendingBytes += call.bytes;
      const full =
        connection.pendingCount >= STORE_CALLS_MAX ? 'calls' : this.isFull(call.bytes) ? 'bytes of calls' : null;
      if (full !== null) {
        const count = full === 'calls' ? connection.pendingCount : this.pendingBytes - call.bytes;
        const error = failure('MILLRACE_STORE_TOO_MANY', { count, what: full });
        setImmediate(() => call.unsent(error));
        return;
      }
      try {
        connection.send(request.operation, request.path, request.payload, call);
      } catch (error) {
        call.unsent(error);
      }
    });
  }

  /** Ends the session; never rejects. Calls that were made before are carried out first. */
  end(timeoutMs: number): Promise<Ending> {
    if (this.ending !== null) return this.ending;
    if (this.state === 'over') return Promise.resolve('gone');
    this.ending = new Promise<Ending>((resolve) => {
      const timer = this.clock.after(callTimeMs({ timeoutMs }), () => setImmediate(() => this.finish('unconfirmed')));
      this.finishEnding = (ending) => {
        timer.cancel();
        resolve(ending);
      };
      if (this.connection?.isOpen === true) this.sendEnd(this.connection);
      else if (this.connection === null && this.pause === null) this.dial();
    });
    return this.ending;
  }

  greeted(reply: SessionReply): readonly FirstPacket[] {
    if (reply.timeoutMs <= 0) {
      if (this.key.id === 0n) this.connection?.end('the server refused to open a session');
      else this.finish('gone');
      return [];
    }
    this.key = { id: reply.id, password: reply.password };
    this.timeoutMs = reply.timeoutMs;
    if (this.ending !== null) return [];
    const credentials = this.options.credentials.map(({ user, password }) => ({
      xid: xids.auth,
      operation: operations.auth,
      payload: protocolRecord('AuthPacket', 0, 'digest', Buffer.from(`${user}:${password}`, 'utf8')),
    }));
    return [...credentials, ...this.listener.watches(this.zxid)];
  }

  ready(): void {
    const { connection, opening, options } = this;
    if (connection === null) return;
    this.openedAtMs = this.clock.now();
    const before = this.state;
    this.state = 'connected';
    if (this.ending !== null) {
      this.sendEnd(connection);
    } else if (opening !== null) {
      opening.settle(null);
    } else if (before === 'suspended') {
      options.logger.info(`session "${sessionName(this.key.id)}" is connected again, to ${this.server}`);
      this.listener.reconnected();
    }
  }

  event(record: WireRecord): void {
    if (this.ending === null) this.listener.event(record);
  }

  seen(zxid: bigint): void {
    if (zxid > this.zxid) this.zxid = zxid;
  }

  refused(error: number, what: 'request' | 'credentials'): void {
    if (what === 'credentials') {
      this.options.logger.error(`${this.server} refused the credentials with error ${error} (${errorName(error)})`);
      this.opening?.credentialsRefused(error);
    } else if (isError(error, 'SESSION_EXPIRED')) {
      this.finish('gone');
    } else if (isError(error, 'SESSION_MOVED')) {
      // The session is somebody else's now, or a packet of ours came late: a new connection tells.
      const { connection } = this;
      setImmediate(() => connection?.end('the session has moved to another server'));
    }
  }

  over(reason: string): void {
    const { options, server, openedAtMs } = this;
    this.connection = null;
    this.openedAtMs = null;
    this.problem = `${server}: ${reason}`;
    if (this.state === 'over') return;
    if (openedAtMs !== null && this.clock.now() - openedAtMs >= ZOOKEEPER_DIAL_PAUSE_MAX_MS) this.servers.lasted();
    if (this.state === 'connected') {
      this.state = 'suspended';
      options.logger.warn(`session "${sessionName(this.key.id)}" has lost its connection to ${this.problem}`);
      if (this.ending === null) this.listener.suspended();
    } else {
      options.logger.debug(`no connection to ${this.problem}`);
    }
    // A listener may have ended it.
    if (this.connection === null && this.pause === null) this.dial();
  }

  late(reason: string): void {
    this.connection?.end(reason);
  }

  done(bytes: number): void {
    this.pendingBytes -= bytes;
  }

  lostWith(): MillraceError | null {
    return this.isLost ? failure('MILLRACE_STORE_SESSION_LOST', { session: sessionName(this.key.id) }) : null;
  }

  private dial(): void {
    const { server, pauseMs, greetingMs } = this.servers.next(this.key.id === 0n ? null : this.timeoutMs);
    this.server = serverName(server);
    const connect = (): void => {
      this.pause = null;
      const { id, password } = this.key;
      const greeting = greetingOf(this.zxid, this.options.sessionTimeoutMs, id, password);
      try {
        this.connection = new Connection(this.options.dialler(server), greeting, greetingMs, this.clock, this);
      } catch (error) {
        this.over(reasonOf(error));
      }
    };
    if (pauseMs === 0) connect();
    else this.pause = this.clock.after(pauseMs, connect);
  }

  private sendEnd(connection: Connection): void {
    connection.send(operations.close, '/', null, {
      bytes: 0,
      answer: (error) => {
        if (error === 0) this.finish('closed');
        else connection.end(`the server refused the end of the session with error ${error} (${errorName(error)})`);
      },
      // Then it is asked for again on the next connection.
      lost: () => undefined,
    });
  }

  /** The session is over, or given up. */
  private finish(ending: Ending): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.isLost = ending === 'gone' && this.ending === null;
    this.pause?.cancel();
    this.connection?.end('the session is over');
    this.finishEnding?.(ending);
    if (this.opening !== null) this.opening.settle({ error: this.unreachable(null) });
    else if (this.isLost) this.listener.lost();
  }

  private isFull(bytes: number): boolean {
    return this.pendingBytes > ZOOKEEPER_PENDING_BYTES_MAX && this.pendingBytes > bytes;
  }

  private unreachable(timeoutMs: number | null): MillraceError {
    const within = timeoutMs === null ? 'no session' : `no session within ${timeoutMs} ms`;
    return failure('MILLRACE_STORE_UNAVAILABLE', { what: 'a new session', reason: `${within}: ${this.problem}` });
  }

  private refusedCredentials(error: number): MillraceError {
    const user = this.options.credentials.map((each) => each.user).join('", "');
    const reason = `${this.server} answered with error ${error} (${errorName(error)})`;
    return failure('MILLRACE_STORE_CREDENTIALS', { user, reason });
  }
}
