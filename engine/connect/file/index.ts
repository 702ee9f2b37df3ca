// `millrace/connect/file`: lines of files in, lines of JSON out. Light: it travels in users' bundles, so the schemas of
// the settings are in types.ts, which only the reader of JSON topologies imports. Any thread.

import { fieldsWithDeadLetters, type deadLetterOutput } from '../../component/dead-letter.js';
import {
  defineBolt,
  defineSpout,
  type BoltSpec,
  type DynamicOutputs,
  type NoOutputs,
  type SpoutSpec,
} from '../../component/spec.js';
import type { Duration } from '../../model/duration.js';
import { FileLines } from './file-lines.js';
import { FileSink } from './file-sink.js';

export { confinePath } from './confine.js';
export { FileLines } from './file-lines.js';
export { FileSink } from './file-sink.js';

/** Settings of {@link fileLines}. */
export interface FileLinesConfig {
  /**
   * One file, a pattern (`logs/*.log`, `logs/{a,b}/**`), or a list of these. A relative path starts in the working
   * directory. What exists under the very name is that file, not a pattern; patterns take `/` everywhere, and match no
   * names that start with a dot unless they say so.
   */
  readonly path: string | readonly string[];
  /** Never end, and emit lines as they are added. Default false: files are read to their ends. */
  readonly follow?: boolean;
  /**
   * Where following starts in files that are there when the topology starts for the first time. Default `'start'`. What
   * appears later is read from its start in any case.
   */
  readonly from?: 'start' | 'end';
  /**
   * The longest line in bytes; a longer one ends the topology. Default 1 MiB, at most what a tuple can hold (2 MiB less
   * 4 kB).
   */
  readonly lineBytesMax?: number;
  /** How often a line is emitted again before it is given up, on the stream `dead-letter`. Default: without end. */
  readonly retries?: number;
}

type Line = typeof FileLines.outputs;

/**
 * A spout that emits each line of one or more files as `line`, tracked. Type `file-lines`.
 *
 * Lines end with `\n` or `\r\n`; the last one may end without. The text is UTF-8; a byte order mark is dropped, and
 * bytes that are no UTF-8 become U+FFFD. A line that fails is emitted again after 100 ms, then 200 ms, … up to 30 s,
 * until it succeeds
 * or `retries` are over.
 *
 * Without `follow` the files are those that match when it starts, one after the other, sorted within each pattern. With
 * a parallelism of n each task takes every n-th block of 256 kB and small files go round, so each line is read once.
 * Files must not change while they are read. Progress is kept by partition `path#index/parallelism`: a restarted task
 * goes on with the first line that was not acked, and with another parallelism reading starts anew. It is done at the
 * end of its last file.
 *
 * With `follow` it looks for added lines every 100 ms (up to 500 files, with more as often as 5,000 looks a second
 * allow) and for new files every second; a file or pattern that is not there yet is waited for. A last line is emitted
 * when its line end is there. Each file belongs to one task, so a parallelism above the number of files is idle.
 *
 * - Rotation by rename and create: a file is known by its inode, so the renamed one is read to its end, until nothing
 *   was added for 30 s, and the new one from its start.
 * - Rotation by copy and truncate: read from its start when it became shorter, or when the line that was read last is
 *   no longer in its place. What was written between the last look and the cut is lost to any reader.
 * - A removed file is read to its end as well.
 * - A file that is made, and renamed out of the pattern or removed, between two looks is never seen.
 *
 * Progress is kept by directory and inode, with a fingerprint. After a restart it goes on behind what is acked; a file
 * that was cut off or replaced is read from its start, which is logged; one that was renamed within its directory is
 * found there. Failed lines that a truncated file no longer holds are replayed from memory, within 16 MiB of text.
 *
 * @throws when it runs, and ends the topology: MILLRACE_FILE_MISSING, MILLRACE_FILE_NO_MATCH, MILLRACE_FILE_TOO_MANY,
 * MILLRACE_FILE_NOT_REGULAR, MILLRACE_FILE_UNREADABLE, MILLRACE_FILE_READ, MILLRACE_FILE_TRUNCATED,
 * MILLRACE_FILE_LINE_TOO_LONG, MILLRACE_FILE_OUTSIDE; in the middle of a file not before the lines in front of the bad
 * place are processed
 */
export function fileLines(
  config: FileLinesConfig & { readonly retries: number },
): SpoutSpec<FileLines, { readonly default: Line } & typeof deadLetterOutput>;
export function fileLines(config: FileLinesConfig): SpoutSpec<FileLines, Line>;
export function fileLines(config: FileLinesConfig): SpoutSpec<FileLines> {
  return defineSpout<FileLines, DynamicOutputs>({
    type: 'file-lines',
    outputs: fieldsWithDeadLetters(FileLines.outputs),
    config: { ...config },
    configKeys: ['path', 'follow', 'from', 'lineBytesMax', 'retries'],
    create: (settings) => new FileLines(settings),
  });
}

/** Settings of {@link fileSink}. */
export interface FileSinkConfig {
  /** The file to write; its directory must exist. */
  readonly path: string;
  /** Keep what the file holds and add to it. Default false: it is emptied when the topology starts. */
  readonly append?: boolean;
  /**
   * Force every batch to the disk before its tuples are acked. Default true. With false they are acked when the system
   * has them: faster, and a crash of the process loses nothing, but one of the machine may.
   */
  readonly fsync?: boolean;
  /** Put the file aside before it becomes larger than this, and begin a new one. At least 1,024. Default never. */
  readonly rotateBytes?: number;
  /**
   * Put the file aside when its first line is this old, as soon as the next line comes: `'1h'`, or milliseconds.
   * Default never.
   */
  readonly rotateEvery?: Duration;
  /**
   * What files are called that were put aside: `'number'` counts up (`counts.1.jsonl`, `counts.2.jsonl`, …), `'time'`
   * is UTC (`counts.20260131T235959Z.jsonl`). Default `'number'`.
   */
  readonly rotateNames?: 'number' | 'time';
  /** How many of these are kept; the oldest is removed first. Default all. */
  readonly keep?: number;
}

/**
 * A bolt that writes each tuple as one line of JSON by field name: `{"word":"whale","count":1}`. Type `file-sink`.
 *
 * A tuple is acked when its line is on the disk: one forced write for all tuples of a slice. After a failed write (a
 * full disk) the file is cut back to its last committed line and the tuples fail, so that they are replayed; when
 * nothing could be written for 30 s, or the failure is not one that passes, the topology ends with MILLRACE_FILE_WRITE.
 *
 * A restarted task goes on behind the last complete line, and cuts off a torn one, which is logged; tuples that were
 * not acked by then come again, so a line may be in the file twice. With a parallelism above 1 each task writes a file
 * of its own: `counts.jsonl` becomes `counts-0.jsonl`, `counts-1.jsonl`, …, each with its own rotation.
 *
 * Values that JSON does not have: dates as ISO text, binary data as base64 text, bigints as numbers where they are safe
 * integers and as text beyond, NaN and infinities as null.
 *
 * @throws when it runs, and ends the topology: MILLRACE_FILE_DIRECTORY_MISSING, MILLRACE_FILE_UNWRITABLE,
 * MILLRACE_FILE_NOT_REGULAR, MILLRACE_FILE_NOT_LINES, MILLRACE_FILE_WRITE, MILLRACE_FILE_ROTATE, MILLRACE_FILE_OUTSIDE
 */
export function fileSink(config: FileSinkConfig): BoltSpec<FileSink, NoOutputs> {
  return defineBolt({
    type: 'file-sink',
    config: { ...config },
    configKeys: ['path', 'append', 'fsync', 'rotateBytes', 'rotateEvery', 'rotateNames', 'keep'],
    create: (settings) => new FileSink(settings),
  });
}
