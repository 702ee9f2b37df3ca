// One kind of frames of one link, data or control, in both directions over one socket at a time. Frames are numbered
// and kept until the other end confirms them, so that a new socket goes on where the old one broke: each frame arrives
// once and in order, whatever happens to sockets.
//
//   kept: [ confirmed + 1 … written ][ written + 1 … sent ]        received: the last number that came
//            on the socket             waits for the socket
//
// What a socket has not taken waits here and not in the socket, where nobody counts it. Numbers are 32-bit and wrap;
// what is kept is far less than half of them. On the worker's thread.

import type { Socket } from 'node:net';
import { reasonOf } from '../../errors.js';
import type { TcpLinkLimits } from '../../limits.js';
import type { Frame } from '../wire.js';
import { FrameReader, writeHead, type FrameSink } from './frame-reader.js';

/** The wire of a lane. */
export interface LaneOwner {
  readonly limits: TcpLinkLimits;
  /** Its socket is gone; another one may go on. */
  broken(lane: TcpLane): void;
  /** It cannot go on with any socket. */
  failed(reason: string): void;
}

/** Forgotten frames are taken out of the list in such pieces. */
const FORGOTTEN_AT = 1024;

export class TcpLane implements FrameSink {
  /** 0 carries data, 1 control. */
  readonly kind: number;
  /** The last frame that came. */
  received = 0;
  closed = false;
  private readonly owner: LaneOwner;
  private readonly deliver: (frame: Uint8Array) => void;
  private socket: Socket | null = null;
  private kept: (Frame | null)[] = [];
  private first = 0;
  private keptBytes = 0;
  private sent = 0;
  private written = 0;
  private confirmedTo = 0;
  private toldReceived = 0;
  private bytesToTell = 0;
  private silentBeats = 0;

  constructor(kind: number, owner: LaneOwner, deliver: (frame: Uint8Array) => void) {
    this.kind = kind;
    this.owner = owner;
    this.deliver = deliver;
  }

  get attached(): boolean {
    return this.socket !== null;
  }

  send(frame: Frame): void {
    if (this.closed) return;
    const { keptFramesMax, keptBytesMax } = this.owner.limits;
    if (this.kept.length - this.first >= keptFramesMax || this.keptBytes + frame.byteLength > keptBytesMax) {
      this.owner.failed(`${this.kept.length - this.first} frames (${this.keptBytes} bytes) are not confirmed`);
      return;
    }
    this.kept.push(frame);
    this.keptBytes += frame.byteLength;
    this.sent = (this.sent + 1) | 0;
    this.pump();
  }

  /**
   * Goes on with that socket, in place of the one before.
   *
   * @param received - the last frame that the other end has
   */
  attach(socket: Socket, received: number): void {
    if (this.closed) {
      socket.destroy();
      return;
    }
    this.detach();
    if (!this.confirm(received)) {
      socket.destroy();
      return;
    }
    this.socket = socket;
    this.written = received;
    this.toldReceived = this.received;
    this.bytesToTell = 0;
    this.silentBeats = 0;
    const reader = new FrameReader(this);
    socket.on('data', (chunk: Buffer) => this.onChunk(socket, reader, chunk));
    socket.on('drain', () => this.pump());
    socket.on('close', () => this.onClose(socket));
    socket.on('end', () => socket.destroy());
    this.pump();
    socket.resume();
    // It may have broken while its last message was read; nobody is told twice of that.
    if (socket.closed) this.onClose(socket);
  }

  /** Its socket is ended, if it has one; `broken` is not called. */
  detach(): void {
    const { socket } = this;
    this.socket = null;
    socket?.destroy();
  }

  close(): void {
    this.closed = true;
    this.detach();
    this.kept = [];
    this.first = 0;
  }

  /**
   * Says that it is there, and gives the socket up when the other end has not for so long. Beats are counted and not
   * the time, which passes for a thread that is busy too.
   */
  beat(): void {
    const { socket } = this;
    if (socket === null) return;
    if (++this.silentBeats > this.owner.limits.silentBeatsMax) socket.destroy();
    else if (socket.writableLength < this.owner.limits.socketBytesMax) this.tell(socket);
  }

  confirmed(number: number): void {
    this.confirm(number);
  }

  frame(number: number, bytes: Uint8Array): void {
    const ahead = (number - this.received) | 0;
    // What was sent again after it had come.
    if (ahead <= 0) return;
    if (ahead > 1) {
      this.owner.failed(`frame ${number} came after frame ${this.received}`);
      return;
    }
    this.received = number;
    this.bytesToTell += bytes.length;
    this.deliver(bytes);
  }

  private onChunk(socket: Socket, reader: FrameReader, chunk: Buffer): void {
    if (this.socket !== socket) return;
    this.silentBeats = 0;
    try {
      reader.push(chunk);
    } catch (error) {
      this.owner.failed(reasonOf(error));
      return;
    }
    const { confirmFrames, confirmBytes } = this.owner.limits;
    const frames = (this.received - this.toldReceived) | 0;
    if (this.socket === socket && (frames >= confirmFrames || this.bytesToTell >= confirmBytes)) this.tell(socket);
  }

  private onClose(socket: Socket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.owner.broken(this);
  }

  /** The other end has everything up to that number; false when that cannot be. */
  private confirm(number: number): boolean {
    const more = (number - this.confirmedTo) | 0;
    // One that was under way while a later one came with a new socket.
    if (more < 0 && this.socket !== null) return true;
    if (more < 0 || more > this.kept.length - this.first) {
      this.owner.failed(`frame ${number} was confirmed, of ${this.confirmedTo} to ${this.sent}`);
      return false;
    }
    for (let i = 0; i < more; i++) {
      this.keptBytes -= this.kept[this.first]!.byteLength;
      this.kept[this.first++] = null;
    }
    this.confirmedTo = number;
    if (((this.written - number) | 0) < 0) this.written = number;
    if (this.first >= FORGOTTEN_AT || this.first === this.kept.length) {
      this.kept.splice(0, this.first);
      this.first = 0;
    }
    return true;
  }

  /** Hands frames to the socket while it takes them. */
  private pump(): void {
    const { socket } = this;
    if (socket === null) return;
    const { socketBytesMax } = this.owner.limits;
    while (this.written !== this.sent && socket.writableLength < socketBytesMax) {
      const frame = this.kept[this.first + ((this.written - this.confirmedTo) | 0)]!;
      this.written = (this.written + 1) | 0;
      socket.cork();
      socket.write(writeHead(frame, this.written, this.received));
      socket.write(frame);
      socket.uncork();
      this.told();
    }
  }

  private tell(socket: Socket): void {
    socket.write(writeHead(null, this.sent, this.received));
    this.told();
  }

  private told(): void {
    this.toldReceived = this.received;
    this.bytesToTell = 0;
  }
}
