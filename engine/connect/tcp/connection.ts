// One connection of `tcp-lines`. It reads from its socket only while it has no complete line left, so what it holds is
// one chunk and one line, and a peer that sends faster than lines are taken is held back by TCP. Invariant: a line that
// was taken is answered at most once, and the socket is ended when the peer has ended and every line is settled. On the
// worker's thread.
//
//   reading ──chunk with a line end──► ready (paused) ──take() to the last line──► reading
//      └──peer ends, line too long, idle──► leaving: no more lines ──none open──► ended ──peer ends too──► closed
//                                                                                 └──it does not, for a second──► cut

import type { Socket } from 'node:net';
import { LineSplitter } from './line-splitter.js';

/** What a connection tells its spout. */
export interface ConnectionOwner {
  now(): number;
  /** It has lines to take. */
  ready(connection: Connection): void;
  /** How much it holds of a line that has not ended has changed. */
  buffered(connection: Connection, bytes: number): void;
  /** It leaves because of what it did. */
  refused(connection: Connection, counter: string, why: string): void;
  /** It ended in the middle of a line, which is dropped. */
  torn(connection: Connection): void;
  closed(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly lineBytesMax: number;
  /** Answer each line. */
  readonly ack: boolean;
}

/** A line of a connection. */
export interface TakenLine {
  readonly line: string;
  readonly bytes: number;
  /** Which line of its connection it is, counted from 1. */
  readonly number: number;
}

export class Connection {
  readonly peer: string;
  private readonly socket: Socket;
  private readonly owner: ConnectionOwner;
  private readonly options: ConnectionOptions;
  private readonly splitter: LineSplitter;
  private next: TakenLine | null = null;
  private lines = 0;
  private open = 0;
  private ended = false;
  private leaving = false;
  private heldBytes = 0;
  private activeMs: number;
  private endedMs: number | null = null;

  constructor(socket: Socket, owner: ConnectionOwner, options: ConnectionOptions) {
    this.socket = socket;
    this.owner = owner;
    this.options = options;
    this.splitter = new LineSplitter(options.lineBytesMax);
    this.peer = addressOf(socket.remoteAddress, socket.remotePort);
    this.activeMs = owner.now();
    socket.setKeepAlive(true);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('end', () => this.onEnd());
    socket.on('drain', () => this.read());
    // A reset comes as an error first; what it cost is known when the socket is closed.
    socket.on('error', () => undefined);
    socket.on('close', () => this.onClose());
  }

  /** Takes a line; null when there is none now. */
  take(): TakenLine | null {
    const taken = this.next;
    if (taken === null) return null;
    this.open++;
    this.advance();
    return taken;
  }

  /** A line that was taken is done, or given up. */
  settle(number: number, ok: boolean): void {
    this.open--;
    this.activeMs = this.owner.now();
    if (this.options.ack) this.write(`${ok ? 'ok' : 'failed'} ${number}\n`);
    this.endIfSettled();
  }

  /** Whether nothing came for that long, and nothing of it is waited for. */
  idleFor(idleMs: number): boolean {
    return !this.leaving && this.open === 0 && this.next === null && this.owner.now() - this.activeMs >= idleMs;
  }

  /** Takes no more from the peer; ends when every line that was taken is settled. */
  leave(): void {
    this.leaving = true;
    this.next = null;
    this.splitter.clear();
    this.hold(0);
    // What still comes is thrown away.
    this.socket.resume();
    this.endIfSettled();
  }

  /** Ends at once, after what is written. */
  end(): void {
    this.leaving = true;
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    if (this.leaving) return;
    this.activeMs = this.owner.now();
    this.splitter.push(chunk);
    if (this.next === null) this.advance();
  }

  private onEnd(): void {
    this.ended = true;
    if (this.next === null) this.finish();
  }

  private onClose(): void {
    this.leaving = true;
    this.next = null;
    this.hold(0);
    this.owner.closed(this);
  }

  /** Looks for the next line: one more to take, or further reading. */
  private advance(): void {
    const had = this.next !== null;
    const found = this.splitter.next();
    if (found === 'too long') {
      const number = this.lines + 1;
      this.owner.refused(this, 'linesTooLong', `its line ${number} is longer than ${this.options.lineBytesMax} bytes`);
      if (this.options.ack) this.write(`failed ${number}\n`);
      this.leave();
      return;
    }
    this.hold(this.splitter.partialBytes);
    if (this.leaving) return;
    if (found === null) {
      this.next = null;
      if (this.ended) this.finish();
      else this.read();
      return;
    }
    this.next = { ...found, number: ++this.lines };
    this.socket.pause();
    if (!had) this.owner.ready(this);
  }

  /** Reads on, unless there are lines to take first or the peer does not take its answers. */
  private read(): void {
    if (this.next !== null || this.leaving) return;
    if (this.socket.writableNeedDrain) this.socket.pause();
    else this.socket.resume();
  }

  /** The peer has ended, and all its lines are taken. */
  private finish(): void {
    if (this.splitter.partialBytes > 0) this.owner.torn(this);
    this.leave();
  }

  /** Whether it has said its last word and the peer keeps the connection all the same. */
  lingers(lingerMs: number): boolean {
    return this.endedMs !== null && this.owner.now() - this.endedMs >= lingerMs;
  }

  /** Says the last word, and leaves the last one to the peer: unread bytes of it would turn the end into a reset. */
  private endIfSettled(): void {
    if (!this.leaving || this.open > 0 || this.endedMs !== null) return;
    this.endedMs = this.owner.now();
    this.socket.end();
  }

  private write(text: string): void {
    if (this.socket.writable && !this.socket.write(text)) this.socket.pause();
  }

  private hold(bytes: number): void {
    if (bytes === this.heldBytes) return;
    const more = bytes - this.heldBytes;
    this.heldBytes = bytes;
    this.owner.buffered(this, more);
  }
}

/** `127.0.0.1:5000`, `[::1]:5000`. */
export function addressOf(host: string | undefined, port: number | undefined): string {
  const shown = host === undefined ? 'unknown' : host.includes(':') ? `[${host}]` : host;
  return `${shown}:${port ?? 0}`;
}
