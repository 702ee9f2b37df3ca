// One file that is followed: which one it is, how far it was read, and what is known to be in front of that. Inode and
// device say which file it is, whatever it is called: a rename changes its path, and nothing else. When it is cut off
// (a rotation by copy and truncate), a new generation begins at offset 0, in a `FollowedPart` of its own. Invariant:
// `position` is a line start, and everything in front of it in this generation was given out. On the worker's thread.
//
//   at its path ──renamed, removed──► gone: read to its end as long as it grows ──quiet──► forgotten
//        └──cut off, written anew──► next generation, from offset 0

import { dirname } from 'node:path';
import { AckedOffsets } from '../../component/acked-offsets.js';
import { FINGERPRINT_BYTES } from '../../limits.js';
import { codeOf, type FileKind, type FileSystem } from './file-system.js';
import { readLine } from './line-reader.js';
import type { OpenLine, Part } from './line-source.js';
import { printOf, type FileProgress } from './progress.js';
import { SourceFile } from './source-file.js';

const NEWLINE = 10;

/** One generation of a file. */
export interface FollowedPart extends Part {
  readonly file: FollowedFile;
}

/** A line of a followed file; its text is kept, within a bound, because the file may be cut off. */
export interface FollowedLine extends OpenLine {
  readonly part: FollowedPart;
}

/** What was read last: it must still be there for reading to go on behind it. */
interface Remembered {
  readonly offset: number;
  readonly bytes: number;
  readonly text: string;
}

export class FollowedFile {
  path: string;
  readonly identity: string;
  readonly inode: string;
  /** Its present generation; null before it was opened for the first time. */
  part: FollowedPart | null = null;
  position = 0;
  /** Its size when it was last looked at. */
  bytes: number;
  /** Its size when all of it had been read; another size means that there is something to read. */
  readBytes = -1;
  /** Reading starts at this size, when nothing was kept: it was there before it was followed. */
  readonly fromBytes: number | null;
  /** Since when it is no longer at its path. */
  goneMs: number | null = null;
  /** When its size was last seen to change. */
  changedMs: number;
  /** It was renamed while nobody followed it: it is only read to its end. */
  leftBehind = false;
  /** Nothing more is coming: what is left is a last line without a line end. */
  finishing = false;
  keptOffset = -1;
  private open: SourceFile | null = null;
  private remembered: Remembered | null = null;

  constructor(path: string, kind: FileKind, nowMs: number, fromBytes: number | null) {
    this.path = path;
    this.identity = identityOf(kind);
    this.inode = kind.inode;
    this.bytes = kind.bytes;
    this.changedMs = nowMs;
    this.fromBytes = fromBytes;
  }

  get file(): SourceFile | null {
    return this.open;
  }

  /** What its progress is kept by. The directory tells apart what has one inode on two devices. */
  get partition(): string {
    return partitionOf(this.path, this.inode);
  }

  get pending(): number {
    return this.part?.acked.pending ?? 0;
  }

  is(kind: FileKind | null): boolean {
    return kind !== null && identityOf(kind) === this.identity;
  }

  /**
   * Opens it by that path; false when another file, or none, is there by now.
   *
   * @throws MILLRACE_FILE_UNREADABLE, MILLRACE_FILE_OUTSIDE
   */
  openAt(system: FileSystem, path: string): boolean {
    let file: SourceFile;
    try {
      file = new SourceFile(system, path, true);
    } catch (error) {
      if (codeOf(error) === 'MILLRACE_FILE_MISSING') return false;
      throw error;
    }
    if (!this.is(file.kind)) {
      file.close();
      return false;
    }
    this.open = file;
    this.bytes = file.bytes;
    return true;
  }

  /** A new generation, read from that line start on. */
  begin(start: number): void {
    this.part = { file: this, acked: new AckedOffsets(start) };
    this.position = start;
    this.readBytes = -1;
    this.remembered = null;
    const bytes = Math.min(FINGERPRINT_BYTES, start);
    if (bytes > 0) this.remember(start - bytes, bytes, this.textAt(start - bytes, bytes) ?? '');
  }

  remember(offset: number, bytes: number, text: string): void {
    this.remembered = { offset, bytes, text };
  }

  /** Whether what was read last is still there: if not, the file was cut off and has grown again. */
  continues(): boolean {
    if (this.open !== null && this.open.bytes < this.position) return false;
    const { remembered } = this;
    return remembered === null || this.textAt(remembered.offset, remembered.bytes) === remembered.text;
  }

  /** A line of the present generation; null when it is not there any more. */
  textAt(offset: number, bytes: number): string | null {
    if (this.open === null || offset + bytes > this.open.bytes) return null;
    try {
      return readLine(this.open, offset, bytes);
    } catch {
      return null;
    }
  }

  /** What to keep of it; null when nothing changed, or when that cannot be told now. */
  progress(): FileProgress | null {
    if (this.part === null || this.open === null) return null;
    const { low } = this.part.acked;
    if (low === this.keptOffset || !this.continues()) return null;
    try {
      const print = printOf(this.open, low);
      return print === null ? null : { offset: low, upTo: low, print };
    } catch {
      return null;
    }
  }

  close(): void {
    this.open?.close();
    this.open = null;
  }
}

export function identityOf(kind: FileKind): string {
  return `${kind.device}:${kind.inode}`;
}

export function partitionOf(path: string, inode: string): string {
  return `${dirname(path)}#${inode}`;
}

/**
 * The last line start at or before that offset: where to begin so that the first line is a whole one. The offset
 * itself, when none is found within `bytesMax`.
 */
export function lineStartBefore(file: SourceFile, offset: number, bytesMax: number): number {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  const lowest = Math.max(0, offset - bytesMax);
  for (let end = offset; end > lowest;) {
    const from = Math.max(lowest, end - chunk.length);
    file.readAll(chunk, end - from, from);
    const newline = chunk.subarray(0, end - from).lastIndexOf(NEWLINE);
    if (newline !== -1) return from + newline + 1;
    end = from;
  }
  return lowest === 0 ? 0 : offset;
}
