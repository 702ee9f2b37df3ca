// The bolt `file-sink`: each tuple as one line of JSON. Lines are gathered while a slice of tuples is executed, written
// at its end with one call, and forced to the disk with one more, before the acks of the slice leave. Invariants: an
// acked tuple's line is in the file, and the file never holds a torn line but for the moment of a write; what failed is
// taken back, so that its replay finds the file as if it had never been. On the worker's thread.
//
//   execute … execute ─► endBatch: write ─► sync ─┬─► acks
//                                     └──error────┴─► all of the batch is taken back and fails; after FAIL_GRACE_MS of
//                                                     nothing but failures, the topology ends

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Tuple } from '../../component/tuple.js';
import { isMillraceError, MillraceError } from '../../errors.js';
import { FAIL_GRACE_MS, ROTATE_BYTES_MIN, ROTATED_KEPT_MAX, WRITE_BUFFER_BYTES } from '../../limits.js';
import { JsonLines } from '../json-line.js';
import { Settings } from '../settings.js';
import { confinedFileSystem, confinePath } from './confine.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';
import { ROTATED_NAMES, splitPath } from './rotated-names.js';
import { RotatingFile, type Rotation } from './rotating-file.js';

/** What tests replace. */
export interface FileSinkInternals {
  readonly system?: FileSystem;
  /** What o'clock it is. */
  readonly wallNow?: () => number;
}

/**
 * Writes tuples to a file. Settings: `path`, `append`, `fsync`, `rotateBytes`, `rotateEvery`, `rotateNames`, `keep`.
 */
export class FileSink extends Bolt {
  private readonly path: string;
  private readonly append: boolean;
  private readonly fsync: boolean;
  private readonly rotation: Rotation;
  private readonly internals: FileSinkInternals;
  private readonly json = new JsonLines();
  private context: BoltContext | null = null;
  private file: RotatingFile | null = null;
  /** The file is to be emptied when the topology really starts, so that a failed start destroys nothing. */
  private emptyFirst = false;
  /**
   * Makes the file anew where the last one ended, at its first line; null once it has, and where nothing was before.
   */
  private rejoin: (() => RotatingFile) | null = null;
  private text = '';
  private written = false;
  /** A write in the middle of the batch failed: all of the batch fails. */
  private failed: { readonly error: unknown } | null = null;
  private failingSinceMs: number | null = null;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>, internals: FileSinkInternals = {}) {
    super();
    const settings = new Settings('file-sink', config);
    this.path = settings.text('path');
    this.append = settings.flag('append', false);
    this.fsync = settings.flag('fsync', true);
    this.rotation = {
      bytes: settings.optionalWhole('rotateBytes', ROTATE_BYTES_MIN, Number.MAX_SAFE_INTEGER),
      everyMs: settings.duration('rotateEvery'),
      names: settings.choice('rotateNames', 'number', ROTATED_NAMES),
      keep: settings.optionalWhole('keep', 0, ROTATED_KEPT_MAX),
    };
    this.internals = internals;
  }

  /** @throws what is wrong with the file, before the first tuple */
  override prepare(context: BoltContext): void {
    const root = context.filesRoot ?? null;
    if (root !== null) confinePath(this.path, root);
    const { system = nodeFileSystem, wallNow = wallClock } = this.internals;
    const host = {
      system: root === null ? system : confinedFileSystem(system, root),
      now: () => context.now(),
      wallNow,
      warn: (message: string) => context.logger.warn(message),
    };
    const path = context.parallelism === 1 ? this.path : pathOfTask(this.path, context.index);
    const goesOn = this.append || context.incarnation > 0;
    this.context = context;
    this.file = new RotatingFile(host, path, this.rotation, goesOn);
    this.emptyFirst = !goesOn;
    if (!goesOn) return;
    const seen = this.file.check();
    // What is written to a pipe has no length, and whoever reads it takes its closing for the end.
    if (!this.file.regular) return;
    // Until its first line, the version of the topology that it replaces may write there, and put the file aside.
    this.rejoin = () => {
      this.file?.close();
      const file = new RotatingFile(host, path, this.rotation, true);
      const { cutBytes } = file.repair(seen);
      if (cutBytes > 0) host.warn(`cut a torn last line of ${cutBytes} bytes off file "${path}"`);
      return file;
    };
  }

  override activate(): void {
    this.emptyOnce();
  }

  override execute(tuple: Tuple): void {
    // What is executed between a failed write and the end of its batch fails with it.
    if (this.failed !== null) return;
    this.text += `${this.json.text(tuple)}\n`;
    if (this.text.length < WRITE_BUFFER_BYTES) return;
    try {
      this.write();
    } catch (error) {
      this.failed = { error: this.takenBack(error) };
      throw this.failed.error;
    }
  }

  /** @throws MILLRACE_FILE_WRITE, MILLRACE_FILE_ROTATE: the batch is not in the file */
  override endBatch(): void | Promise<void> {
    if (this.failed !== null) {
      const { error } = this.failed;
      this.failed = null;
      this.text = '';
      throw error;
    }
    try {
      this.write();
      if (!this.written) return undefined;
      if (this.fsync) return this.commitToDisk();
      this.file?.commit();
    } catch (error) {
      throw this.takenBack(error);
    }
    this.succeeded();
    return undefined;
  }

  override finish(): void | Promise<void> {
    return this.endBatch();
  }

  /** What is not written by now was not acked: it comes again, and is not written twice. */
  override close(): void {
    this.file?.close();
  }

  private write(): void {
    if (this.text === '') return;
    this.emptyOnce();
    if (this.rejoin !== null) {
      this.file = this.rejoin();
      this.rejoin = null;
    }
    const lines = Buffer.from(this.text, 'utf8');
    this.text = '';
    this.written = true;
    this.file?.write(lines);
  }

  private async commitToDisk(): Promise<void> {
    try {
      await this.file?.commitToDisk();
    } catch (error) {
      throw this.takenBack(error);
    }
    this.succeeded();
  }

  private succeeded(): void {
    this.written = false;
    this.failingSinceMs = null;
  }

  /** Takes the batch back; gives the error of it, which ends the topology when nothing has worked for long. */
  private takenBack(error: unknown): unknown {
    this.text = '';
    this.written = false;
    this.file?.rollBack();
    const nowMs = this.context?.now() ?? 0;
    this.failingSinceMs ??= nowMs;
    if (!isMillraceError(error) || error.fatal || nowMs - this.failingSinceMs < FAIL_GRACE_MS) return error;
    return new MillraceError(error.code, error.message, error.hint, { cause: error.cause, fatal: true });
  }

  private emptyOnce(): void {
    if (!this.emptyFirst) return;
    this.emptyFirst = false;
    this.file?.empty();
  }
}

/** `counts.jsonl` of task 2: `counts-2.jsonl`. */
function pathOfTask(path: string, index: number): string {
  const [stem, extension] = splitPath(path);
  return `${stem}-${index}${extension}`;
}

function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
