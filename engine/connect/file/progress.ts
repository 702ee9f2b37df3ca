// How far a file was read, as it is kept for a restart: `{ offset, upTo, print }`. Below `offset` every line is acked;
// `print` is a hash of what the file held, taken from its start and from in front of `upTo`, so that a file which was
// replaced, cut off or written anew in the meantime is known by what it holds and not taken for the old one.
// Any thread.
//
//   file     |head: 256 bytes|   …   |256 bytes|upTo   …
//   print     └──────────────┴─ sha-1 ─────────┘ with upTo itself

import { createHash } from 'node:crypto';
import { FINGERPRINT_BYTES } from '../../limits.js';
import type { SourceFile } from './source-file.js';

/** The kept progress of one file. */
export interface FileProgress {
  readonly offset: number;
  readonly upTo: number;
  readonly print: string;
}

/** The print of an open file up to that offset; null when it is not that long. */
export function printOf(file: SourceFile, upTo: number): string | null {
  const head = Math.min(FINGERPRINT_BYTES, upTo);
  const tail = Math.min(FINGERPRINT_BYTES, upTo - head);
  const bytes = Buffer.alloc(head + tail);
  if (!filled(file, bytes, 0, head, 0) || !filled(file, bytes, head, head + tail, upTo - tail)) return null;
  return hashed(upTo, bytes);
}

/** The progress of a file of which nothing is read yet. */
export const NOTHING_READ: FileProgress = { offset: 0, upTo: 0, print: hashed(0, Buffer.alloc(0)) };

function hashed(upTo: number, bytes: Uint8Array): string {
  return createHash('sha1').update(String(upTo)).update(bytes).digest('hex').slice(0, 16);
}

/** What was kept, or null when that is none, or of a version that did not keep prints. */
export function progressOf(kept: unknown): FileProgress | null {
  if (typeof kept !== 'object' || kept === null) return null;
  const { offset, upTo, print } = kept as Partial<FileProgress>;
  if (!isOffset(offset) || !isOffset(upTo) || typeof print !== 'string') return null;
  return { offset, upTo, print };
}

/** Why reading cannot go on where it was in that file; null when it can. */
export function changeSince(progress: FileProgress, file: SourceFile): string | null {
  const known = Math.max(progress.offset, progress.upTo);
  if (file.bytes < known) return `has ${file.bytes} bytes now and had ${known}`;
  return printOf(file, progress.upTo) === progress.print ? null : 'holds other data than when it was last read';
}

function filled(file: SourceFile, buffer: Buffer, from: number, to: number, position: number): boolean {
  for (let done = from; done < to;) {
    const at = position + done - from;
    if (at >= file.bytes) return false;
    const read = file.read(buffer, done, to - done, at);
    if (read === 0) return false;
    done += read;
  }
  return true;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
