// How two ends of a socket find out that they belong together, before anything else is read: the same version, and each
// proves that it knows the same key without saying it. Nothing that is recorded can be used again, because both ends
// add a number of their own.
//
//   caller                                                            listener
//     magic version nonce(16)                                ──────►
//                                                            ◄──────   magic version nonce(16) proof(32)
//     proof(32)                                              ──────►   greeted
//
//   proof = HMAC-SHA256(key, purpose, 'listener' or 'caller', both nonces)
//
// Every message has a fixed length, so a stranger costs one small buffer until the deadline that the caller of these
// functions sets by destroying the socket. Any thread.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { PROTOCOL_VERSION } from '../../codec/data-frame.js';

const MAGIC = 0x4d524c4b;
const NONCE_BYTES = 16;
const PROOF_BYTES = 32;
const HELLO_BYTES = 8 + NONCE_BYTES;
const ANSWER_BYTES = HELLO_BYTES + PROOF_BYTES;
/** What a socket tells when something came, or nothing more will. */
const EVENTS = ['readable', 'end', 'close', 'error'] as const;

/** What became of a greeting. */
export type Greeted =
  | 'greeted'
  /** It ended before it was done, or its time was over. */
  | 'closed'
  /** The other end does not speak this language, or does not know the key. */
  | 'stranger'
  /** It spoke this language, saw our proof, and left: as a rule because it knows another key. */
  | 'left'
  /** It speaks that version of the protocol. */
  | { readonly version: number };

/** The key that both ends must know, and what it is used for. */
export interface GreetingKey {
  readonly key: string;
  readonly purpose: string;
}

/**
 * Reads messages of fixed lengths from a socket that is just open; what comes behind them stays in it. No more than a
 * socket keeps by itself is ever kept.
 */
export class Intake {
  readonly socket: Socket;
  private moved: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    // Listening only while something is waited for would be told again and again of the bytes that are there.
    for (const event of EVENTS) socket.on(event, this.onEvent);
  }

  /** The next bytes, or null when it ends before; with `least`, what came if that is at least so much. */
  async take(bytes: number, least = bytes): Promise<Buffer | null> {
    const { socket } = this;
    for (;;) {
      const chunk = socket.read(bytes) as Buffer | null;
      if (chunk !== null) return chunk.length >= least ? chunk : null;
      if (socket.destroyed || socket.readableEnded) return null;
      await new Promise<void>((resolve) => (this.moved = resolve));
    }
  }

  /** Reads no more: the socket is for others to use. */
  end(): void {
    for (const event of EVENTS) this.socket.off(event, this.onEvent);
  }

  private readonly onEvent = (): void => this.moved();
}

/** Greets as the end that connected. */
export async function greetAsCaller(intake: Intake, key: GreetingKey): Promise<Greeted> {
  const { socket } = intake;
  const hello = helloOf();
  socket.write(hello);
  const answer = await intake.take(ANSWER_BYTES, HELLO_BYTES);
  if (answer === null) return 'closed';
  const refused = refusalOf(answer);
  if (refused !== null) return refused;
  if (answer.length < ANSWER_BYTES) return 'closed';
  const theirs = answer.subarray(0, HELLO_BYTES);
  if (!timingSafeEqual(answer.subarray(HELLO_BYTES), proofOf(key, 'listener', hello, theirs))) return 'stranger';
  socket.write(proofOf(key, 'caller', hello, theirs));
  return 'greeted';
}

/** Greets as the end that was connected to. One with another version is told ours. */
export async function greetAsListener(intake: Intake, key: GreetingKey): Promise<Greeted> {
  const { socket } = intake;
  const theirs = await intake.take(HELLO_BYTES);
  if (theirs === null) return 'closed';
  const hello = helloOf();
  const refused = refusalOf(theirs);
  if (refused !== null) {
    if (refused !== 'stranger') socket.end(hello);
    return refused;
  }
  socket.write(Buffer.concat([hello, proofOf(key, 'listener', theirs, hello)]));
  const proof = await intake.take(PROOF_BYTES);
  if (proof === null) return 'left';
  return timingSafeEqual(proof, proofOf(key, 'caller', theirs, hello)) ? 'greeted' : 'stranger';
}

function helloOf(): Buffer {
  const hello = Buffer.alloc(HELLO_BYTES);
  hello.writeUInt32LE(MAGIC, 0);
  hello.writeUInt32LE(PROTOCOL_VERSION, 4);
  randomBytes(NONCE_BYTES).copy(hello, 8);
  return hello;
}

function refusalOf(hello: Buffer): 'stranger' | { readonly version: number } | null {
  if (hello.readUInt32LE(0) !== MAGIC) return 'stranger';
  const version = hello.readUInt32LE(4);
  return version === PROTOCOL_VERSION ? null : { version };
}

function proofOf({ key, purpose }: GreetingKey, who: 'listener' | 'caller', hello: Buffer, answer: Buffer): Buffer {
  return createHmac('sha256', key).update(`${purpose}\n${who}\n`).update(hello).update(answer).digest();
}
