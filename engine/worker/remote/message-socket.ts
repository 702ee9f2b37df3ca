// Messages of two processes over one TCP connection: msgpack behind a length, checked before anything is allocated. A
// connection on which nothing is heard for too long, or on which too much waits, is broken. On the main thread.
//
//   | bytes: u32 little-endian | msgpack |

import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../clock.js';
import { pack, unpack } from '../../codec/pack.js';
import { reasonOf } from '../../errors.js';
import { MEMBER_BEAT_MS, MEMBER_MESSAGE_BYTES_MAX, MEMBER_SILENT_BEATS_MAX } from '../../limits.js';

const HEAD_BYTES = 4;

/** Takes what comes. */
export interface MessageReceiver<In> {
  message(message: In): void;
  /** Nothing comes any more; said once. */
  closed(reason: string): void;
}

export class MessageSocket<In extends { readonly type: string }, Out> {
  private readonly socket: Socket;
  private readonly clock: Clock;
  private readonly receiver: MessageReceiver<In>;
  private chunks: Buffer[] = [];
  private bytes = 0;
  /** Of the message that comes, with its head; 0 while its head is not there. */
  private wanted = 0;
  private reason: string | null = null;
  private isClosed = false;
  private beats: Timer | null = null;
  private silentBeats = 0;
  private heardMs: number;

  /** @param beat - what says that this end is there */
  constructor(socket: Socket, clock: Clock, beat: Out, receiver: MessageReceiver<In>) {
    this.socket = socket;
    this.clock = clock;
    this.receiver = receiver;
    this.heardMs = clock.now();
    socket.on('error', (error) => (this.reason ??= reasonOf(error)));
    socket.on('data', (chunk: Buffer) => this.onChunk(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.onClose());
    this.beatLater(beat);
    socket.resume();
    if (socket.closed) this.onClose();
  }

  /** For how long nothing was heard. */
  get silentMs(): number {
    return this.clock.now() - this.heardMs;
  }

  /** The same by own beats: time that passed for a main thread that was held up itself does not count. */
  get quietMs(): number {
    return this.silentBeats * MEMBER_BEAT_MS;
  }

  send(message: Out): void {
    if (this.isClosed || this.socket.destroyed) return;
    const packed = pack(message);
    const frame = Buffer.allocUnsafe(HEAD_BYTES + packed.length);
    frame.writeUInt32LE(packed.length);
    frame.set(packed, HEAD_BYTES);
    if (packed.length > MEMBER_MESSAGE_BYTES_MAX) this.break(`a message has ${packed.length} bytes`);
    else if (this.socket.writableLength > MEMBER_MESSAGE_BYTES_MAX) this.break('it takes nothing any more');
    else this.socket.write(frame);
  }

  /** Ends it once all that was sent is out. */
  end(): void {
    this.reason ??= 'it was ended';
    this.socket.end();
  }

  break(reason: string): void {
    this.reason ??= reason;
    this.socket.destroy();
  }

  private beatLater(beat: Out): void {
    this.beats = this.clock.after(MEMBER_BEAT_MS, () => {
      if (++this.silentBeats > MEMBER_SILENT_BEATS_MAX) {
        this.break(`nothing was heard for ${(MEMBER_BEAT_MS * MEMBER_SILENT_BEATS_MAX) / 1000} s`);
        return;
      }
      this.send(beat);
      this.beatLater(beat);
    });
  }

  private onChunk(chunk: Buffer): void {
    this.silentBeats = 0;
    this.heardMs = this.clock.now();
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    while (!this.isClosed && this.takeMessage());
  }

  /** One message, if it is whole. Chunks are only put together when all of it is there. */
  private takeMessage(): boolean {
    if (this.wanted === 0) {
      if (this.bytes < HEAD_BYTES) return false;
      const length = this.joined().readUInt32LE(0);
      if (length > MEMBER_MESSAGE_BYTES_MAX) {
        this.break(`it announced a message of ${length} bytes`);
        return false;
      }
      this.wanted = HEAD_BYTES + length;
    }
    if (this.bytes < this.wanted) return false;
    const all = this.joined();
    const packed = all.subarray(HEAD_BYTES, this.wanted);
    const rest = all.subarray(this.wanted);
    this.chunks = rest.length === 0 ? [] : [rest];
    this.bytes = rest.length;
    this.wanted = 0;
    this.read(packed);
    return true;
  }

  private read(packed: Buffer): void {
    try {
      const message = unpack(packed) as In;
      if (message.type !== 'beat') this.receiver.message(message);
    } catch (error) {
      this.break(`what it said cannot be understood: ${reasonOf(error)}`);
    }
  }

  private joined(): Buffer {
    const [first] = this.chunks;
    if (first !== undefined && this.chunks.length === 1) return first;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }

  private onClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.beats?.cancel();
    this.chunks = [];
    this.receiver.closed(this.reason ?? 'the connection was closed');
  }
}
