// The spout `file-lines`: each line of one or more files as a tuple, tracked. Where lines come from is its source's
// concern (line-source.ts); here is what becomes of them. Invariants: a line is read by exactly one task; the kept
// progress never passes a line that is not acked; what was read before a bad place is processed before that place ends
// the topology. On the worker's thread.
//
//   reading ──a source ended──► 'done' when nothing waits for its replay
//      └──error──► broken: nothing new, replays go on ──no line open (or FAIL_GRACE_MS later)──► throws the error

import type { SpoutContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import { Replay } from '../../component/replay.js';
import { Spout, type FailCause, type NextTuple, type TreeFailure } from '../../component/spout.js';
import { CHECKPOINT_MIN_MS, FAIL_GRACE_MS, LINE_BYTES_MAX, TUPLE_BYTES_MAX } from '../../limits.js';
import { Settings } from '../settings.js';
import { CompleteFiles } from './complete-files.js';
import { confinedFileSystem, confinePath } from './confine.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';
import { FollowedFiles } from './followed-files.js';
import type { LineSource, OpenLine, SourceSetup } from './line-source.js';

/** What `lineBytesMax` can be raised to: the line must fit into a tuple. */
export const LINE_BYTES_CEILING = TUPLE_BYTES_MAX - 4096;

/** Where following starts in files that are there already. */
export const FROM = ['start', 'end'] as const;

/** What tests replace. */
export interface FileLinesInternals extends Pick<SourceSetup, 'chunkBytes' | 'blockBytes' | 'search'> {
  readonly system?: FileSystem;
}

/** Emits the lines of files. Settings: `path` (a text or a list), `follow`, `from`, `lineBytesMax`, `retries`. */
export class FileLines extends Spout {
  static readonly outputs = ['line'] as const;

  private readonly paths: readonly string[];
  private readonly follow: boolean;
  private readonly fromEnd: boolean;
  private readonly lineBytesMax: number;
  private readonly retries: number | null;
  private readonly internals: FileLinesInternals;
  private context: SpoutContext | null = null;
  private source: LineSource | null = null;
  private replay = new Replay<OpenLine>(() => 0);
  private openLines = 0;
  private broken: { readonly error: unknown } | null = null;
  private brokenMs = 0;
  private checkpointMs = -Infinity;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>, internals: FileLinesInternals = {}) {
    super();
    const settings = new Settings('file-lines', config);
    this.paths = settings.texts('path');
    this.follow = settings.flag('follow', false);
    this.fromEnd = settings.choice('from', 'start', FROM) === 'end';
    if (this.fromEnd && !this.follow) throw settings.wrong('from', 'can be "end" only with "follow"');
    this.lineBytesMax = settings.whole('lineBytesMax', LINE_BYTES_MAX, 1, LINE_BYTES_CEILING);
    this.retries = settings.retries();
    this.internals = internals;
  }

  /** @throws what is wrong with the files, before the first tuple */
  override open(context: SpoutContext): void | Promise<void> {
    const { system = nodeFileSystem, ...sizes } = this.internals;
    const root = context.filesRoot ?? null;
    if (root !== null) for (const path of this.paths) confinePath(path, root);
    const setup = {
      paths: this.paths,
      context,
      system: root === null ? system : confinedFileSystem(system, root),
      root,
      lineBytesMax: this.lineBytesMax,
      lineBytesCeiling: LINE_BYTES_CEILING,
      ...sizes,
    };
    this.context = context;
    this.replay = new Replay(() => context.now(), { retries: this.retries });
    this.source = this.follow ? new FollowedFiles(setup, this.fromEnd) : new CompleteFiles(setup);
    return this.source.open();
  }

  override nextTuple(emit: Emit<[line: string]>): NextTuple {
    const { source } = this;
    if (source === null) return undefined;
    if (this.replay.waiting > 0 && this.emitAgain(source, emit)) return undefined;
    if (this.broken === null && !this.replay.full) {
      const line = this.nextLine(source);
      if (line !== null) {
        this.openLines++;
        emit([source.text], { id: line });
        return undefined;
      }
    }
    this.keepProgress(false);
    if (this.broken !== null) this.throwWhenSettled(this.broken.error);
    return source.ended && this.broken === null && this.replay.waiting === 0 ? 'done' : undefined;
  }

  override ack(id: unknown): void {
    const line = id as OpenLine;
    this.replay.ack(line);
    if (this.source?.ack(line) !== true) return;
    this.openLines--;
    this.keepProgress(false);
  }

  override fail(id: unknown, _cause?: FailCause, failure?: TreeFailure): void {
    if (this.replay.fail(id as OpenLine, failure)) this.context?.metrics.counter('deadLetters').add();
  }

  override close(): void {
    this.keepProgress(true);
    this.source?.close();
  }

  private nextLine(source: LineSource): OpenLine | null {
    try {
      return source.next();
    } catch (error) {
      this.broken = { error };
      this.brokenMs = this.context?.now() ?? 0;
      return null;
    }
  }

  private emitAgain(source: LineSource, emit: Emit<[line: string]>): boolean {
    return this.replay.emitDue(emit, (line) => {
      const text = source.readAgain(line);
      if (text === null) this.ack(line);
      return text === null ? null : [text];
    });
  }

  /** A bad place ends the topology, but not before the lines in front of it are processed. */
  private throwWhenSettled(error: unknown): void {
    const waitedMs = (this.context?.now() ?? 0) - this.brokenMs;
    if (this.openLines > 0 && waitedMs < FAIL_GRACE_MS) return;
    throw error;
  }

  private keepProgress(now: boolean): void {
    const nowMs = this.context?.now() ?? 0;
    if (!now && nowMs - this.checkpointMs < CHECKPOINT_MIN_MS) return;
    this.checkpointMs = nowMs;
    this.source?.keepProgress();
  }
}
