// What `file-lines` reads from: files that are complete (complete-files.ts), or files that are followed as they grow
// (followed-files.ts). A source knows which line comes next, where each open line can be read again, and how far the
// progress of each file has come. Types only, any thread.

import type { AckedOffsets } from '../../component/acked-offsets.js';
import type { SpoutContext } from '../../component/context.js';
import type { FileSystem } from './file-system.js';
import type { SearchFiles } from './patterns.js';

/** What is read of one file, with what of it is acked. */
export interface Part {
  readonly acked: AckedOffsets;
}

/** What a line is emitted with: where to find it again. */
export interface OpenLine {
  readonly part: Part;
  readonly offset: number;
  readonly bytes: number;
  /** The line itself, where it may not be found there again. */
  readonly text: string | null;
}

/** What a source is made of. */
export interface SourceSetup {
  readonly paths: readonly string[];
  readonly context: SpoutContext;
  /** Confined already, when files are. */
  readonly system: FileSystem;
  readonly root: string | null;
  readonly lineBytesMax: number;
  /** What `lineBytesMax` can be raised to. */
  readonly lineBytesCeiling: number;
  /** Sizes that tests make tiny. */
  readonly chunkBytes?: number;
  readonly blockBytes?: number;
  /** For tests that want to know when a search is over. */
  readonly search?: SearchFiles;
}

export interface LineSource {
  /** The line that `next` found. */
  readonly text: string;
  /** Nothing is left to read, and nothing will come. */
  readonly ended: boolean;
  /** Looks at the files before the first line. */
  open(): void | Promise<void>;
  /**
   * Goes to the next line, and opens it; null when there is none now.
   *
   * @throws the error of a place that cannot be read; it is not asked again then
   */
  next(): OpenLine | null;
  /** That line is done; false when it was done before. */
  ack(line: OpenLine): boolean;
  /**
   * The text of an open line; null when it is gone for good.
   *
   * @throws when it cannot be read
   */
  readAgain(line: OpenLine): string | null;
  /** Has the context keep what changed. */
  keepProgress(): void;
  close(): void;
}
