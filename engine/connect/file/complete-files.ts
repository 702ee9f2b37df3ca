// Files that are complete: each is read once, to its end, then the next one. All tasks read every file, each its own
// blocks of it (line-reader.ts). It holds no text of open lines, only where they are: a line that failed is read again
// from the file. Invariant: the progress of a partition `path#index/tasks` never passes a line that is not acked. On
// the worker's thread.
//
//   open: names and patterns ─► files ─► next: part by part ─► ended

import { AckedOffsets } from '../../component/acked-offsets.js';
import { failure } from '../../errors.js';
import { finishHash, HASH_SEED, hashValue } from '../../plan/hash.js';
import { LineReader, readLine } from './line-reader.js';
import type { LineSource, OpenLine, Part, SourceSetup } from './line-source.js';
import { filesMatching, isPattern } from './patterns.js';
import { changeSince, NOTHING_READ, printOf, progressOf, type FileProgress } from './progress.js';
import { SourceFile } from './source-file.js';

interface FileToRead {
  readonly path: string;
  /** Which task has its first block: all tasks must say the same, also those that see more files than others. */
  readonly shift: number;
}

/** This task's part of one file. */
interface CompletePart extends Part {
  readonly partition: string;
  readonly file: SourceFile;
  readonly reader: LineReader;
  readonly print: Omit<FileProgress, 'offset'>;
  /** All of it is read. */
  ended: boolean;
  keptOffset: number;
}

export class CompleteFiles implements LineSource {
  text = '';
  private readonly setup: SourceSetup;
  private files: readonly FileToRead[] = [];
  private nextFile = 0;
  private part: CompletePart | null = null;
  private readonly unfinished = new Set<CompletePart>();
  private replayFile: SourceFile | null = null;

  constructor(setup: SourceSetup) {
    this.setup = setup;
  }

  get ended(): boolean {
    return this.part === null && this.nextFile >= this.files.length;
  }

  /**
   * Looks at every file that is named, so that a missing one is told before the first tuple.
   *
   * @throws MILLRACE_FILE_MISSING, MILLRACE_FILE_NO_MATCH, MILLRACE_FILE_TOO_MANY, MILLRACE_FILE_OUTSIDE, …
   */
  open(): void | Promise<void> {
    const { paths, system } = this.setup;
    const patterns = new Set(paths.filter((path) => isPattern(path) && system.statPath(path) === null));
    for (const path of paths) if (!patterns.has(path)) new SourceFile(system, path).close();
    if (patterns.size > 0) return this.search(patterns);
    this.files = paths.map((path, shift) => ({ path, shift }));
    return undefined;
  }

  next(): OpenLine | null {
    for (;;) {
      this.part ??= this.openNext();
      if (this.part === null) return null;
      const { part } = this;
      const { reader } = part;
      const text = reader.next();
      if (text === null) {
        this.part = null;
        part.ended = true;
        part.file.close();
        if (part.acked.pending === 0) this.finish(part);
        continue;
      }
      part.acked.open(reader.offset, reader.nextOffset);
      this.text = text;
      return { part, offset: reader.offset, bytes: reader.bytes, text: null };
    }
  }

  ack(line: OpenLine): boolean {
    const part = line.part as CompletePart;
    if (!part.acked.ack(line.offset)) return false;
    if (part.ended && part.acked.pending === 0) this.finish(part);
    return true;
  }

  /** The file is opened again when it is another one than is being read. */
  readAgain(line: OpenLine): string {
    let { file } = line.part as CompletePart;
    if (!file.isOpen) {
      if (this.replayFile?.path !== file.path) {
        this.replayFile?.close();
        this.replayFile = new SourceFile(this.setup.system, file.path);
      }
      file = this.replayFile;
    }
    return readLine(file, line.offset, line.bytes);
  }

  keepProgress(): void {
    for (const part of this.unfinished) this.keep(part);
  }

  close(): void {
    this.replayFile?.close();
    this.part?.file.close();
  }

  private async search(patterns: ReadonlySet<string>): Promise<void> {
    const { paths, root, system } = this.setup;
    const files = new Map<string, FileToRead>();
    for (const [at, path] of paths.entries()) {
      const found = patterns.has(path) ? await filesMatching(path, root, this.setup.search) : [path];
      if (found.length === 0) {
        throw failure('MILLRACE_FILE_NO_MATCH', { pattern: path, resolved: system.whole(path) }, { fatal: true });
      }
      for (const each of found) {
        const whole = system.whole(each);
        if (files.has(whole)) continue;
        // What another task finds may differ by a file that was just made: so no counting here.
        const shift = patterns.has(path) ? finishHash(hashValue(HASH_SEED, each)) : at;
        files.set(whole, { path: each, shift });
      }
    }
    this.files = [...files.values()];
  }

  private openNext(): CompletePart | null {
    const next = this.files[this.nextFile];
    if (next === undefined) return null;
    const { context, system, chunkBytes, blockBytes, lineBytesMax, lineBytesCeiling } = this.setup;
    const { index, parallelism: tasks } = context;
    const partition = `${next.path}#${index}/${tasks}`;
    const file = new SourceFile(system, next.path);
    const start = this.startIn(file, partition);
    const share = { index, tasks, shift: next.shift, ...(blockBytes === undefined ? {} : { blockBytes }) };
    const options = { lineBytesMax, lineBytesCeiling, ...(chunkBytes === undefined ? {} : { chunkBytes }) };
    const reader = new LineReader(file, share, start, options);
    this.nextFile++;
    const acked = new AckedOffsets(start);
    const part = { partition, file, reader, print: wholePrint(file), acked, ended: false, keptOffset: start };
    this.unfinished.add(part);
    return part;
  }

  private startIn(file: SourceFile, partition: string): number {
    const { context } = this.setup;
    const progress = progressOf(context.restored(partition));
    if (progress === null) return 0;
    const change = changeSince(progress, file);
    if (change === null) return progress.offset;
    context.logger.warn(`file "${file.path}" ${change}: it is read from its start again`);
    return 0;
  }

  private finish(part: CompletePart): void {
    this.keep(part);
    this.unfinished.delete(part);
  }

  private keep(part: CompletePart): void {
    const offset = part.acked.low;
    if (offset === part.keptOffset) return;
    part.keptOffset = offset;
    this.setup.context.checkpoint(part.partition, { offset, ...part.print } satisfies FileProgress);
  }
}

/** The print of the whole file, as it is when it is opened; of nothing, where not all of it can be read. */
function wholePrint(file: SourceFile): Omit<FileProgress, 'offset'> {
  try {
    const print = printOf(file, file.bytes);
    if (print !== null) return { upTo: file.bytes, print };
  } catch {
    // The place that cannot be read is told when all lines in front of it are.
  }
  return { upTo: NOTHING_READ.upTo, print: NOTHING_READ.print };
}
