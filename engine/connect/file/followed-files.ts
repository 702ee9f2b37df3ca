// Files that are followed as they grow: lines are read as they come, of every file that is there or appears, through
// rotation by rename as well as by copy and truncate. Which files these are is kept in followed-set.ts. Invariants: a
// part of a line waits for its line end; one buffer a task, however many files are followed; no call looks at more than
// FOLLOW_LOOKS_PER_CALL files. On the worker's thread.
//
//   looks, in turns ──changed──► waits to be read ──► read to its end, or FOLLOW_TURN_BYTES ──► next one
//     └──not at its path any more, read, quiet──► let go

import { isMillraceError, reasonOf } from '../../errors.js';
import {
  FOLLOW_LOOKS_PER_CALL,
  FOLLOW_LOOKS_PER_SECOND,
  FOLLOW_POLL_MS,
  FOLLOW_QUIET_MS,
  FOLLOW_TEXT_BYTES,
  FOLLOW_TURN_BYTES,
} from '../../limits.js';
import { FileFinder } from './file-finder.js';
import { lineStartBefore, type FollowedFile, type FollowedLine } from './followed-file.js';
import { FollowedSet } from './followed-set.js';
import { LineReader, newBuffer, type Scratch } from './line-reader.js';
import type { LineSource, OpenLine, SourceSetup } from './line-source.js';
import { changeSince, progressOf } from './progress.js';
import { SourceFile } from './source-file.js';

/** All of a file: followed files are not dealt in blocks. */
const WHOLE = { index: 0, tasks: 1, shift: 0 };

/** Lines of a file that is being read after which the others are looked at. */
const LINES_BETWEEN_LOOKS = 64;

export class FollowedFiles implements LineSource {
  text = '';
  readonly ended = false;
  private readonly setup: SourceSetup;
  private readonly finder: FileFinder;
  private readonly files: FollowedSet;
  private readonly changed = new Set<FollowedFile>();
  private readonly scratch: Scratch;
  /** What has something to read, in the order in which that was seen. */
  private readonly queue = new Set<FollowedFile>();
  private active: FollowedFile | null = null;
  private reader: LineReader | null = null;
  private turnBytes = 0;
  private linesUntilLook = 0;
  private textBytes = 0;
  /** What is to be looked at in this round. */
  private round: (FollowedFile | string)[] = [];
  private roundAt = 0;
  private roundDueMs = 0;
  private readonly fromEnd: boolean;

  constructor(setup: SourceSetup, fromEnd: boolean) {
    this.setup = setup;
    this.fromEnd = fromEnd;
    this.scratch = { buffer: newBuffer(setup.chunkBytes) };
    this.files = new FollowedSet(setup, {
      added: (file) => this.enqueue(file),
      keep: (file) => this.keep(file),
      isBusy: (file) => file === this.active,
    });
    this.finder = new FileFinder(setup, (pattern, reason) =>
      this.files.warn(pattern, `searching "${pattern}" failed: ${reason}`),
    );
  }

  /** @throws MILLRACE_FILE_NOT_REGULAR, MILLRACE_FILE_UNREADABLE of a file that is there */
  async open(): Promise<void> {
    const { context, paths, system } = this.setup;
    const began = `(began)#${context.index}/${context.parallelism}`;
    const isFirst = context.incarnation === 0 && context.restored(began) === undefined;
    for (const path of paths) if (system.statPath(path) !== null) new SourceFile(system, path, true).close();
    this.files.fromEnd = this.fromEnd && isFirst;
    for (const path of await this.finder.all()) this.files.found(path);
    // At once, so that it is kept where each of them began.
    if (this.files.fromEnd) for (const file of this.files.all()) this.ready(file);
    this.files.fromEnd = false;
    this.files.findLeftBehind();
    if (this.files.size === 0) context.logger.info(`nothing is there to follow yet: ${paths.join(', ')}`);
    context.checkpoint(began, true);
  }

  next(): OpenLine | null {
    if (this.active === null || --this.linesUntilLook <= 0) this.look();
    for (;;) {
      const { active, reader } = this;
      if (active === null || reader === null) {
        if (!this.takeTurn()) return null;
        continue;
      }
      const text = this.turnBytes > FOLLOW_TURN_BYTES && this.queue.size > 0 ? null : reader.next();
      if (text === null) {
        this.endTurn(active, reader);
        continue;
      }
      const part = active.part!;
      part.acked.open(reader.offset, reader.nextOffset);
      this.text = text;
      this.turnBytes += reader.nextOffset - reader.offset;
      const kept = this.textBytes + reader.bytes <= FOLLOW_TEXT_BYTES;
      if (kept) this.textBytes += reader.bytes;
      return { part, offset: reader.offset, bytes: reader.bytes, text: kept ? text : null };
    }
  }

  ack(line: OpenLine): boolean {
    const { part, offset, bytes, text } = line as FollowedLine;
    if (!part.acked.ack(offset)) return false;
    if (text !== null) this.textBytes -= bytes;
    if (part === part.file.part) this.changed.add(part.file);
    return true;
  }

  readAgain(line: OpenLine): string | null {
    const { part, offset, bytes, text } = line as FollowedLine;
    if (text !== null) return text;
    const { file } = part;
    const again = part === file.part && file.continues() ? file.textAt(offset, bytes) : null;
    if (again !== null) return again;
    const { logger } = this.setup.context;
    logger.error(`file "${file.path}" was cut off before its line at byte ${offset} was processed: it is lost`);
    return null;
  }

  keepProgress(): void {
    for (const file of this.changed) this.keep(file);
    this.changed.clear();
  }

  close(): void {
    this.finder.stop();
    this.files.close();
  }

  // --- reading ------------------------------------------------------------------------------------------------------

  /** Goes to the next file that has something to read; false when there is none. */
  private takeTurn(): boolean {
    for (const file of this.queue) {
      this.queue.delete(file);
      if (!this.ready(file)) continue;
      const { chunkBytes, lineBytesMax, lineBytesCeiling } = this.setup;
      this.active = file;
      this.reader = new LineReader(file.file!, WHOLE, file.position, {
        lineBytesMax,
        lineBytesCeiling,
        scratch: this.scratch,
        partialWaits: !file.finishing,
        ...(chunkBytes === undefined ? {} : { chunkBytes }),
      });
      this.turnBytes = 0;
      this.linesUntilLook = LINES_BETWEEN_LOOKS;
      return true;
    }
    return false;
  }

  /** Opens it where it is not open, and looks whether it is still what it was. */
  private ready(file: FollowedFile): boolean {
    try {
      if (file.file === null && !this.files.open(file, file.path)) return false;
      file.file?.look();
    } catch (error) {
      this.files.warn(file.path, isMillraceError(error) ? error.message : `file "${file.path}": ${reasonOf(error)}`);
      return false;
    }
    if (file.part === null) this.start(file);
    else if (!file.continues()) this.startAnew(file);
    this.files.used(file);
    return true;
  }

  private endTurn(file: FollowedFile, reader: LineReader): void {
    const read = file.file!;
    if (reader.nextOffset > 0) file.remember(reader.offset, reader.bytes, this.text);
    file.position = reader.position;
    this.active = this.reader = null;
    const wasReadTo = read.bytes;
    const interrupted = this.turnBytes > FOLLOW_TURN_BYTES && file.position < wasReadTo;
    try {
      file.bytes = read.look();
    } catch {
      // The next look will tell.
    }
    if (file.bytes < file.position) this.startAnew(file);
    else if (!interrupted) file.readBytes = wasReadTo;
    if (interrupted || file.bytes !== file.readBytes) this.enqueue(file);
  }

  /** Finds out where to begin in a file that was not read before, or not by this instance. */
  private start(file: FollowedFile): void {
    const { context, lineBytesCeiling } = this.setup;
    const read = file.file!;
    const progress = progressOf(context.restored(file.partition));
    if (progress !== null) {
      const change = changeSince(progress, read);
      if (change === null) {
        file.begin(progress.offset);
        file.keptOffset = progress.offset;
        return;
      }
      context.logger.warn(`file "${file.path}" ${change}: it is read from its start`);
    }
    const fromBytes = progress === null ? Math.min(file.fromBytes ?? 0, read.bytes) : 0;
    file.begin(lineStartBefore(read, fromBytes, lineBytesCeiling));
    if (file.position > 0) this.keep(file);
  }

  /** It was cut off: what is in it now is a new generation. */
  private startAnew(file: FollowedFile): void {
    const { logger } = this.setup.context;
    logger.info(
      `file "${file.path}" was cut off or written anew after ${file.position} bytes: it is read from its start`,
    );
    file.begin(0);
    file.keptOffset = -1;
    this.keep(file);
    this.enqueue(file);
  }

  private keep(file: FollowedFile): void {
    const progress = file.progress();
    if (progress === null) return;
    file.keptOffset = progress.offset;
    this.setup.context.checkpoint(file.partition, progress);
  }

  private enqueue(file: FollowedFile): void {
    if (file !== this.active) this.queue.add(file);
  }

  // --- looking ------------------------------------------------------------------------------------------------------

  /** Looks at some of the files; a new round begins when its time has come. */
  private look(): void {
    this.linesUntilLook = LINES_BETWEEN_LOOKS;
    const nowMs = this.setup.context.now();
    if (this.roundAt >= this.round.length) {
      if (nowMs < this.roundDueMs) return;
      // Known files first: what is left of one that was renamed comes before what took its place.
      this.round = [...this.files.all(), ...this.finder.paths(nowMs)];
      this.roundAt = 0;
      this.roundDueMs = nowMs + Math.max(FOLLOW_POLL_MS, (this.round.length / FOLLOW_LOOKS_PER_SECOND) * 1000);
    }
    for (let looks = 0; looks < FOLLOW_LOOKS_PER_CALL && this.roundAt < this.round.length; looks++) {
      const next = this.round[this.roundAt++]!;
      if (typeof next === 'string') this.files.found(next);
      else this.lookAt(next, nowMs);
    }
  }

  private lookAt(file: FollowedFile, nowMs: number): void {
    const kind = file.leftBehind ? null : this.setup.system.statPath(file.path);
    const isThere = file.is(kind);
    if (isThere) file.goneMs = null;
    else if (file.goneMs === null) this.missed(file, nowMs);
    if (file === this.active) return;
    const bytes = isThere && kind !== null ? kind.bytes : this.openBytes(file);
    if (bytes !== file.bytes) {
      file.bytes = bytes;
      file.changedMs = nowMs;
      file.finishing = false;
    }
    // Cut off and written anew to the same size, it differs in what it holds only.
    if (bytes !== file.readBytes || (file.file !== null && !file.continues())) this.enqueue(file);
    else if (!isThere && nowMs - file.changedMs >= FOLLOW_QUIET_MS && this.isNowhere(file)) this.letGo(file);
  }

  private openBytes(file: FollowedFile): number {
    try {
      return file.file?.look() ?? file.readBytes;
    } catch {
      return file.bytes;
    }
  }

  /** It is no longer at its path: renamed, removed, or another one took its place. */
  private missed(file: FollowedFile, nowMs: number): void {
    file.goneMs = nowMs;
    file.changedMs = nowMs;
    if (file.file !== null) return;
    // Something may have been added after the last look at it, and before it was renamed.
    this.files.openMoved(file);
  }

  /** It is not found under another name either. */
  private isNowhere(file: FollowedFile): boolean {
    return file.leftBehind || (file.goneMs !== null && this.finder.hasSearchedSince(file.goneMs));
  }

  /** It is gone, read, and was quiet for a while. */
  private letGo(file: FollowedFile): void {
    if (file.part !== null && file.file !== null && file.position < file.bytes && !file.finishing) {
      file.finishing = true;
      this.enqueue(file);
      return;
    }
    if (this.queue.has(file) || file.pending > 0) return;
    this.changed.delete(file);
    this.files.forget(file);
  }
}
