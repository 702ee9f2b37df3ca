// One connection to one server, from its dialling to its end; a new one has nothing of the last. It greets, tells what
// must be known before anything is asked (credentials, watches), and then carries requests, whose replies come in their
// order. The thread of the session.
//
//   dialling ─ socket ready ─► greeting ─ reply for the session ─► preparing ─ all told ─► open
//       └──────────────┴───────────────────┴─────────────────────────┴──► over: once, whatever the reason
//
// It ends when the server was silent for two thirds of the session's time, so that the rest is left to reach another
// one, and pings when it has *sent* nothing for a quarter: the server counts only what the client says.

import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../engine/clock.js';
import { failure, reasonOf } from '../../../engine/errors.js';
import {
  ZOOKEEPER_GREETING_BYTES_MAX,
  ZOOKEEPER_PACKET_BYTES_MAX,
  ZOOKEEPER_REPLY_BYTES_MAX,
} from '../../../engine/limits.js';
import {
  nextXid,
  operations,
  packetOf,
  Reader,
  REPLY_HEADER_BYTES,
  REQUEST_HEADER_BYTES,
  Unreadable,
  xids,
  type WireRecord,
} from './codec.js';
import type { Dialled } from './dial.js';
import { errorName } from './errors.js';
import { Frames } from './frames.js';

/** A request without a reply yet. */
export interface Waiting {
  /** Of its payload. */
  readonly bytes: number;
  /** The reply is there; an error is not 0, and has no body. */
  answer(error: number, reply: Reader): void;
  /** The connection is over. */
  lost(reason: string): void;
}

/** What the server says of the session. */
export interface SessionReply {
  /** 0 when it does not know it any more. */
  readonly timeoutMs: number;
  readonly id: bigint;
  readonly password: Buffer;
}

/** Told before anything is asked. */
export interface FirstPacket {
  readonly xid: number;
  readonly operation: number;
  readonly payload: WireRecord;
}

export interface ConnectionListener {
  /** The server answered; returns what it is told first. */
  greeted(reply: SessionReply): readonly FirstPacket[];
  /** Requests can be sent. */
  ready(): void;
  /** Something that is watched has changed. */
  event(record: WireRecord): void;
  /** The server has seen the changes up to this one. */
  seen(zxid: bigint): void;
  /** It refused a request, or the credentials, with that error. */
  refused(error: number, what: 'request' | 'credentials'): void;
  /** It is over; the waiting requests are told after this. */
  over(reason: string): void;
}

type Payload = Pick<WireRecord, 'byteLength' | 'serialize'>;

export class Connection {
  private readonly socket: Socket;
  private readonly clock: Clock;
  private readonly listener: ConnectionListener;
  private readonly frames = new Frames(ZOOKEEPER_GREETING_BYTES_MAX);
  private readonly pending = new Map<number, Waiting>();
  private phase: 'dialling' | 'greeting' | 'preparing' | 'open' | 'over' = 'dialling';
  private limit: Timer;
  private watchdog: Timer | null = null;
  private timeoutMs = 0;
  private sentXid = 0;
  private answeredXid = 0;
  /** Replies to what is told first that have not come. */
  private untold = 0;
  private receivedAtMs: number;
  private sentAtMs: number;
  private corked = false;

  /**
   * @param greeting - the first packet
   * @param greetingMs - for each step until it is open
   */
  constructor(dialled: Dialled, greeting: Buffer, greetingMs: number, clock: Clock, listener: ConnectionListener) {
    this.socket = dialled.socket;
    this.clock = clock;
    this.listener = listener;
    this.receivedAtMs = this.sentAtMs = clock.now();
    this.limit = clock.after(greetingMs, () => this.endIfLate(greetingMs));
    this.socket.setNoDelay(true);
    this.socket.once(dialled.ready, () => this.greet(greeting));
    this.socket.on('data', (piece: Buffer) => this.received(piece));
    this.socket.on('error', (error) => this.end(reasonsOf(error)));
    this.socket.on('close', () => this.end('the server closed the connection'));
  }

  get isOpen(): boolean {
    return this.phase === 'open';
  }

  /** Requests without a reply. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /**
   * Sends a request; only while it is open.
   *
   * @throws MILLRACE_STORE_TOO_LARGE, and nothing was sent
   */
  send(operation: number, path: string, payload: Payload | null, waiting: Waiting): void {
    const bytes = waiting.bytes + REQUEST_HEADER_BYTES;
    if (bytes > ZOOKEEPER_PACKET_BYTES_MAX) {
      throw failure('MILLRACE_STORE_TOO_LARGE', { path, bytes, bytesMax: ZOOKEEPER_PACKET_BYTES_MAX });
    }
    const xid = nextXid(this.sentXid);
    const packet = packetOf(xid, operation, payload);
    this.sentXid = xid;
    this.pending.set(xid, waiting);
    this.write(packet);
  }

  /** Ends it, for that reason. May be called again. */
  end(reason: string): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.limit.cancel();
    this.watchdog?.cancel();
    this.socket.destroy();
    const waiting = [...this.pending.values()];
    this.pending.clear();
    this.listener.over(reason);
    for (const each of waiting) each.lost(reason);
  }

  private endIfLate(greetingMs: number): void {
    const { phase } = this;
    // What has arrived during a long turn of this thread is read first; then the next step has its time.
    setImmediate(() => {
      if (this.phase === 'open' || this.phase === 'over') return;
      if (this.phase === phase) this.end(`no answer for the session within ${Math.round(greetingMs)} ms`);
      else this.limit = this.clock.after(greetingMs, () => this.endIfLate(greetingMs));
    });
  }

  private greet(greeting: Buffer): void {
    if (this.phase !== 'dialling') return;
    this.phase = 'greeting';
    this.write(greeting);
  }

  /** What is written in one turn goes out as one. */
  private write(packet: Buffer): void {
    this.sentAtMs = this.clock.now();
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(packet);
  }

  private received(piece: Buffer): void {
    if (this.phase === 'over') return;
    this.receivedAtMs = this.clock.now();
    try {
      this.frames.push(piece, (body) => {
        if (this.phase === 'greeting') this.takeGreeting(body);
        else this.takeReply(body);
        return this.isAlive();
      });
    } catch (error) {
      this.end(reasonOf(error));
    }
  }

  private isAlive(): boolean {
    return this.phase !== 'over';
  }

  private takeGreeting(body: Buffer): void {
    const record = new Reader(body, 0).protocol('ConnectResponse');
    const { timeOut, sessionId, passwd } = record;
    if (record['protocolVersion'] !== 0 || typeof timeOut !== 'number' || !Buffer.isBuffer(sessionId)) {
      throw new Unreadable('a greeting that is none');
    }
    const password = Buffer.isBuffer(passwd) ? passwd : Buffer.alloc(0);
    this.timeoutMs = timeOut;
    this.frames.bodyBytesMax = ZOOKEEPER_REPLY_BYTES_MAX;
    this.phase = 'preparing';
    const first = this.listener.greeted({ timeoutMs: timeOut, id: sessionId.readBigInt64BE(), password });
    if (!this.isAlive()) return;
    this.untold = first.length;
    for (const { xid, operation, payload } of first) this.write(packetOf(xid, operation, payload));
    this.watch();
    if (this.untold === 0) this.opened();
  }

  private opened(): void {
    this.phase = 'open';
    this.limit.cancel();
    this.listener.ready();
  }

  private takeReply(body: Buffer): void {
    if (body.length < REPLY_HEADER_BYTES) throw new Unreadable('a reply without its header');
    const xid = body.readInt32BE(0);
    const error = body.readInt32BE(12);
    const reply = new Reader(body, REPLY_HEADER_BYTES);
    if (xid === xids.notification) {
      this.listener.event(reply.protocol('WatcherEvent'));
      return;
    }
    if (xid === xids.ping) return;
    if (xid === xids.auth || xid === xids.setWatches) {
      this.told(xid, error);
      return;
    }
    const due = nextXid(this.answeredXid);
    const waiting = this.pending.get(xid);
    if (xid !== due || waiting === undefined) throw new Unreadable(`reply ${xid} where ${due} was due`);
    this.answeredXid = xid;
    const zxid = body.readBigInt64BE(4);
    if (zxid > 0n) this.listener.seen(zxid);
    // Before the caller hears of it, so that it finds the session in its last state.
    if (error !== 0) this.listener.refused(error, 'request');
    // Taken out only when it was read: one that cannot be read is told with the others that the connection is over.
    waiting.answer(error, reply);
    this.pending.delete(xid);
  }

  private told(xid: number, error: number): void {
    if (error !== 0) {
      if (xid === xids.auth) this.listener.refused(error, 'credentials');
      const what = xid === xids.auth ? 'the credentials' : 'the watches';
      this.end(`the server refused ${what} with error ${error} (${errorName(error)})`);
    } else if (this.untold > 0 && --this.untold === 0 && this.phase === 'preparing') {
      this.opened();
    }
  }

  /** Pings in time, and ends what has become silent. */
  private watch(): void {
    if (this.phase === 'over') return;
    const now = this.clock.now();
    const silentAtMs = this.receivedAtMs + (this.timeoutMs * 2) / 3;
    if (now >= silentAtMs) {
      // After a long turn of this thread what has arrived meanwhile is not read yet: that comes first.
      setImmediate(() => this.endIfSilent(silentAtMs));
      return;
    }
    let pingAtMs = this.sentAtMs + this.timeoutMs / 4;
    if (now >= pingAtMs) {
      this.write(packetOf(xids.ping, operations.ping, null));
      pingAtMs = now + this.timeoutMs / 4;
    }
    this.watchdog = this.clock.after(Math.max(1, Math.min(silentAtMs, pingAtMs) - now), () => this.watch());
  }

  private endIfSilent(silentAtMs: number): void {
    if (this.receivedAtMs + (this.timeoutMs * 2) / 3 > silentAtMs) this.watch();
    else this.end(`the server was silent for ${Math.round((this.timeoutMs * 2) / 3)} ms`);
  }
}

/** A name with several addresses fails with one error for all of them, which says nothing itself. */
function reasonsOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(reasonOf).join('; ') : reasonOf(error);
}
