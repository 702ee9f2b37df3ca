// Takes the bytes of one socket apart into frames. All integers are 32-bit little-endian.
//
//   | length | magic|kind | number | confirmed |  length bytes …        kind 1: a frame; kind 2: only a sign, length 0
//     \_ checked before anything is allocated      \_ room grows with the bytes that come, never ahead of them by much
//
// `number` counts the frames of a lane from 1 and wraps; `confirmed` is the last number that the sender has received in
// the other direction. On the worker's thread.

import { failure } from '../../errors.js';
import { FRAME_BYTES_FIRST, FRAME_BYTES_MAX } from '../../limits.js';

export const HEAD_BYTES = 16;
const MAGIC = 0x4d4c0000;
const KIND_FRAME = MAGIC | 1;
const KIND_SIGN = MAGIC | 2;

/** Takes what a reader found, in order. */
export interface FrameSink {
  /** The sender has received our frames up to that number. */
  confirmed(number: number): void;
  frame(number: number, bytes: Uint8Array): void;
  /** Nothing more is to be read: it was closed meanwhile. */
  readonly closed: boolean;
}

/** Writes the head of a frame, or with null of a sign. */
export function writeHead(frame: Uint8Array | null, number: number, confirmed: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeInt32LE(frame?.byteLength ?? 0, 0);
  head.writeInt32LE(frame === null ? KIND_SIGN : KIND_FRAME, 4);
  head.writeInt32LE(number, 8);
  head.writeInt32LE(confirmed, 12);
  return head;
}

export class FrameReader {
  private readonly sink: FrameSink;
  private readonly head = Buffer.alloc(HEAD_BYTES);
  private headBytes = 0;
  private body = Buffer.alloc(0);
  private bodyBytes = 0;
  private length = 0;

  constructor(sink: FrameSink) {
    this.sink = sink;
  }

  /**
   * Takes the next bytes of the socket.
   *
   * @throws MILLRACE_FRAME_INVALID; the reader is of no use then
   */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.sink.closed) {
      if (this.headBytes < HEAD_BYTES) at = this.takeHead(chunk, at);
      else at = this.takeBody(chunk, at);
      if (this.headBytes === HEAD_BYTES && this.bodyBytes === this.length) this.finish();
    }
  }

  private takeHead(chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + HEAD_BYTES - this.headBytes);
    this.head.set(chunk.subarray(start, end), this.headBytes);
    this.headBytes += end - start;
    if (this.headBytes === HEAD_BYTES) this.begin();
    return end;
  }

  /** The head is whole: nothing is allocated for what it must not say. */
  private begin(): void {
    const length = this.head.readUInt32LE(0);
    const kind = this.head.readInt32LE(4);
    if (kind !== KIND_FRAME && kind !== KIND_SIGN) throw refuse('what came is not the head of a frame');
    if (length > FRAME_BYTES_MAX) throw refuse(`${length} bytes, above ${FRAME_BYTES_MAX}`);
    if ((kind === KIND_SIGN) !== (length === 0)) throw refuse('its length does not go with its kind');
    this.length = length;
    this.bodyBytes = 0;
    // Memory of its own, that begins at 0: frames are read as integers where they stand.
    this.body = Buffer.allocUnsafeSlow(Math.min(length, FRAME_BYTES_FIRST));
  }

  private takeBody(chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + this.length - this.bodyBytes);
    const needed = this.bodyBytes + end - start;
    if (needed > this.body.length) {
      const body = Buffer.allocUnsafeSlow(Math.min(this.length, Math.max(this.body.length * 2, needed)));
      body.set(this.body.subarray(0, this.bodyBytes));
      this.body = body;
    }
    this.body.set(chunk.subarray(start, end), this.bodyBytes);
    this.bodyBytes = needed;
    return end;
  }

  private finish(): void {
    this.headBytes = 0;
    const { body, head, length } = this;
    this.body = Buffer.alloc(0);
    this.bodyBytes = 0;
    this.length = 0;
    this.sink.confirmed(head.readInt32LE(12));
    if (length > 0 && !this.sink.closed) this.sink.frame(head.readInt32LE(8), body);
  }
}

function refuse(reason: string): Error {
  return failure('MILLRACE_FRAME_INVALID', { reason });
}
