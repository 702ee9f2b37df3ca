// The grammar of the embedded store's files. A file is a sequence of frames, each written with one call and good only
// as a whole, so that what a crash tore is always the last one:
//
//   ┌ 4 ─────┬ 4 ──────┬ 4 ────────────┬ 4 ────────────────────┬ length ┐
//   │ "MRF1" │ length  │ CRC32 payload │ CRC32 of the 12 bytes │ payload│      numbers are unsigned, little endian
//   └────────┴─────────┴───────────────┴───────────────────────┴────────┘
//   payload: ┌ 4 ──────────┬ JSON ┬ the data of nodes, one after the other ┐
//            │ JSON length │      │                                        │
//            └─────────────┴──────┴────────────────────────────────────────┘
//
// A bad frame is torn when no good one follows it, and damage when one does: a length that was hit by a flipped bit
// must not make everything behind it look unwritten. Pure, the host's main thread.

import { crc32 } from 'node:zlib';

const MAGIC = Buffer.from('MRF1', 'latin1');
const HEADER_BYTES = 16;

/** What a frame holds: JSON, and pieces of data whose lengths stand in it. */
export interface FrameContent {
  readonly json: unknown;
  /** Behind the JSON, all pieces of data in one. */
  readonly blob: Buffer;
}

/** What reading a file came to. */
export interface FramesRead {
  readonly frames: readonly FrameContent[];
  /** Where the last good frame ends. */
  readonly goodBytes: number;
  /** Where the first bad frame begins and why it is bad, when a good one follows it. */
  readonly damage: { readonly offset: number; readonly reason: string } | null;
}

export function encodeFrame(json: unknown, pieces: readonly Uint8Array[]): Buffer {
  const text = Buffer.from(JSON.stringify(json), 'utf8');
  const header = Buffer.alloc(HEADER_BYTES + 4);
  header.writeUInt32LE(text.byteLength, HEADER_BYTES);
  const frame = Buffer.concat([header, text, ...pieces]);
  MAGIC.copy(frame, 0);
  frame.writeUInt32LE(frame.byteLength - HEADER_BYTES, 4);
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 8);
  frame.writeUInt32LE(crc32(frame.subarray(0, 12)), 12);
  return frame;
}

/** Reads all frames from that place on, up to the first bad one. */
export function readFrames(file: Buffer, from = 0): FramesRead {
  const frames: FrameContent[] = [];
  let offset = from;
  while (offset < file.byteLength) {
    const read = readFrame(file, offset);
    if (typeof read === 'string') {
      const damage = goodFrameAfter(file, offset) ? { offset, reason: read } : null;
      return { frames, goodBytes: offset, damage };
    }
    frames.push(read.content);
    offset = read.end;
  }
  return { frames, goodBytes: offset, damage: null };
}

/** The frame at that place, or what is wrong with it. */
function readFrame(file: Buffer, offset: number): { readonly content: FrameContent; readonly end: number } | string {
  if (offset + HEADER_BYTES > file.byteLength) return 'its head is not complete';
  if (!file.subarray(offset, offset + 4).equals(MAGIC)) return 'no record begins here';
  if (crc32(file.subarray(offset, offset + 12)) !== file.readUInt32LE(offset + 12)) return 'its head is damaged';
  const start = offset + HEADER_BYTES;
  const end = start + file.readUInt32LE(offset + 4);
  if (end > file.byteLength) return 'it is not complete';
  const payload = file.subarray(start, end);
  if (crc32(payload) !== file.readUInt32LE(offset + 8)) return 'its checksum does not match';
  const textEnd = 4 + payload.readUInt32LE(0);
  const json: unknown = JSON.parse(payload.toString('utf8', 4, textEnd));
  return { content: { json, blob: payload.subarray(textEnd) }, end };
}

function goodFrameAfter(file: Buffer, offset: number): boolean {
  for (let at = file.indexOf(MAGIC, offset + 1); at !== -1; at = file.indexOf(MAGIC, at + 1)) {
    if (typeof readFrame(file, at) !== 'string') return true;
  }
  return false;
}
