// The spout `file-lines`: each line of one or more files as a tuple, tracked. It holds no text of open lines, only
// where they are: a line that failed is read again from the file, so a hundred gigabytes take no more memory than a
// page. Invariants: every line is emitted by exactly one task (line-reader.ts); the progress of a partition
// `path#index/tasks` never passes a line that is not acked; what was read before a bad place is processed before that
// place ends the topology. On the worker's thread.
//
//   reading ──file ends──► next file … ──last one──► ended: 'done' when nothing waits for its replay
//      └──error──► broken: nothing new, replays go on ──no line open (or FAIL_GRACE_MS later)──► throws the error

import { AckedOffsets } from '../../component/acked-offsets.js';
import type { SpoutContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import { Replay } from '../../component/replay.js';
import { Spout, type NextTuple } from '../../component/spout.js';
import { CHECKPOINT_MIN_MS, FAIL_GRACE_MS, LINE_BYTES_MAX, TUPLE_BYTES_MAX } from '../../limits.js';
import { Settings } from '../settings.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';
import { LineReader, readLine } from './line-reader.js';
import { SourceFile } from './source-file.js';

/** What `lineBytesMax` can be raised to: the line must fit into a tuple. */
export const LINE_BYTES_CEILING = TUPLE_BYTES_MAX - 4096;

/** This task's part of one file. */
interface Part {
  readonly partition: string;
  readonly file: SourceFile;
  readonly reader: LineReader;
  readonly acked: AckedOffsets;
  /** All of it is read. */
  ended: boolean;
  keptOffset: number;
}

/** What a line is emitted with: where to find it again. */
interface OpenLine {
  readonly part: Part;
  readonly offset: number;
  readonly bytes: number;
}

/** Sizes that tests make tiny. */
export interface FileLinesInternals {
  readonly system?: FileSystem;
  readonly chunkBytes?: number;
  readonly blockBytes?: number;
}

/** Emits the lines of files. Settings: `path` (a text or a list), `lineBytesMax`. */
export class FileLines extends Spout {
  static readonly outputs = ['line'] as const;

  private readonly paths: readonly string[];
  private readonly lineBytesMax: number;
  private readonly internals: FileLinesInternals;
  private readonly system: FileSystem;
  private context: SpoutContext | null = null;
  private replay = new Replay<OpenLine>(() => 0);
  private nextPath = 0;
  private part: Part | null = null;
  private readonly unfinished = new Set<Part>();
  private replayFile: SourceFile | null = null;
  private openLines = 0;
  private broken: unknown = null;
  private brokenMs = 0;
  private checkpointMs = -Infinity;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>, internals: FileLinesInternals = {}) {
    super();
    const settings = new Settings('file-lines', config);
    this.paths = settings.texts('path');
    this.lineBytesMax = settings.whole('lineBytesMax', LINE_BYTES_MAX, 1, LINE_BYTES_CEILING);
    this.internals = internals;
    this.system = internals.system ?? nodeFileSystem;
  }

  /** Looks at every file, so that a missing one is told before the first tuple. */
  override open(context: SpoutContext): void {
    this.context = context;
    this.replay = new Replay(() => context.now());
    for (const path of this.paths) new SourceFile(this.system, path).close();
  }

  override nextTuple(emit: Emit<[line: string]>): NextTuple {
    if (this.replay.waiting > 0) {
      const line = this.replay.next();
      if (line !== undefined) {
        emit([this.readAgain(line)], { id: line });
        return undefined;
      }
    }
    if (this.broken === null && !this.replay.full && this.emitNext(emit)) return undefined;
    this.keepProgress(false);
    if (this.broken !== null) this.throwWhenSettled(this.broken);
    const ended = this.part === null && this.nextPath >= this.paths.length;
    return ended && this.broken === null && this.replay.waiting === 0 ? 'done' : undefined;
  }

  override ack(id: unknown): void {
    const line = id as OpenLine;
    this.replay.ack(line);
    if (!line.part.acked.ack(line.offset)) return;
    this.openLines--;
    if (line.part.ended && line.part.acked.pending === 0) this.finish(line.part);
    else this.keepProgress(false);
  }

  override fail(id: unknown): void {
    this.replay.fail(id as OpenLine);
  }

  override close(): void {
    this.keepProgress(true);
    this.replayFile?.close();
    this.part?.file.close();
  }

  private emitNext(emit: Emit<[line: string]>): boolean {
    for (;;) {
      let text: string | null;
      try {
        this.part ??= this.openNext();
        if (this.part === null) return false;
        text = this.part.reader.next();
      } catch (error) {
        this.broken = error;
        this.brokenMs = this.context?.now() ?? 0;
        return false;
      }
      const part = this.part;
      if (text === null) {
        this.part = null;
        part.ended = true;
        part.file.close();
        if (part.acked.pending === 0) this.finish(part);
        continue;
      }
      const { offset, bytes, nextOffset } = part.reader;
      part.acked.open(offset, nextOffset);
      this.openLines++;
      emit([text], { id: { part, offset, bytes } satisfies OpenLine });
      return true;
    }
  }

  private openNext(): Part | null {
    const path = this.paths[this.nextPath];
    if (path === undefined || this.context === null) return null;
    const { index, parallelism: tasks } = this.context;
    const partition = `${path}#${index}/${tasks}`;
    const file = new SourceFile(this.system, path);
    const start = startOf(this.context.restored(partition));
    if (start > file.bytes) {
      const error = file.truncated(start);
      file.close();
      throw error;
    }
    const { chunkBytes, blockBytes } = this.internals;
    const share = { index, tasks, shift: this.nextPath, ...(blockBytes === undefined ? {} : { blockBytes }) };
    const reader = new LineReader(file, share, start, {
      lineBytesMax: this.lineBytesMax,
      lineBytesCeiling: LINE_BYTES_CEILING,
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
    });
    this.nextPath++;
    const part = { partition, file, reader, acked: new AckedOffsets(start), ended: false, keptOffset: start };
    this.unfinished.add(part);
    return part;
  }

  /** The text of a line that failed; the file is opened again when it is another one than is being read. */
  private readAgain(line: OpenLine): string {
    let { file } = line.part;
    if (!file.isOpen) {
      if (this.replayFile?.path !== file.path) {
        this.replayFile?.close();
        this.replayFile = new SourceFile(this.system, file.path);
      }
      file = this.replayFile;
    }
    return readLine(file, line.offset, line.bytes);
  }

  /** A bad place ends the topology, but not before the lines in front of it are processed. */
  private throwWhenSettled(error: unknown): void {
    const waitedMs = (this.context?.now() ?? 0) - this.brokenMs;
    if (this.openLines > 0 && waitedMs < FAIL_GRACE_MS) return;
    throw error;
  }

  private finish(part: Part): void {
    this.keep(part);
    this.unfinished.delete(part);
  }

  private keepProgress(now: boolean): void {
    const nowMs = this.context?.now() ?? 0;
    if (!now && nowMs - this.checkpointMs < CHECKPOINT_MIN_MS) return;
    this.checkpointMs = nowMs;
    for (const part of this.unfinished) this.keep(part);
  }

  private keep(part: Part): void {
    const offset = part.acked.low;
    if (offset === part.keptOffset) return;
    part.keptOffset = offset;
    this.context?.checkpoint(part.partition, { offset });
  }
}

function startOf(progress: unknown): number {
  if (typeof progress !== 'object' || progress === null || !('offset' in progress)) return 0;
  return Number.isSafeInteger(progress.offset) && (progress.offset as number) >= 0 ? (progress.offset as number) : 0;
}
