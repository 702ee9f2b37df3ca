// `millrace/connect/file`: lines of files in, lines of JSON out. Light: it travels in users' bundles, so the schemas of
// the settings are in the registry, which only the reader of JSON topologies imports. Any thread.

import { defineBolt, defineSpout, type BoltSpec, type NoOutputs, type SpoutSpec } from '../../component/spec.js';
import { FileLines } from './file-lines.js';
import { FileSink } from './file-sink.js';

export { FileLines } from './file-lines.js';
export { FileSink } from './file-sink.js';

/** Settings of {@link fileLines}. */
export interface FileLinesConfig {
  /** One file, or a list of files that are read one after another. A relative path starts in the working directory. */
  readonly path: string | readonly string[];
  /**
   * The longest line in bytes; a longer one ends the topology. Default 1 MiB, at most what a tuple can hold (2 MiB less
   * 4 kB).
   */
  readonly lineBytesMax?: number;
}

/**
 * A spout that emits each line of one or more files as `line`, tracked. Type `file-lines`.
 *
 * Lines end with `\n` or `\r\n`; the last one may end without. The text is UTF-8; a byte order mark is dropped, and
 * bytes that are no UTF-8 become U+FFFD. With a parallelism of n each task takes every n-th block of 256 kB and small
 * files go round, so each line is read once. A file is read to its end; files must not change while they are read.
 *
 * A line that fails is read and emitted again after 100 ms, then 200 ms, … up to 30 s, until it succeeds. Progress is
 * kept by partition `path#index/parallelism`: a restarted task goes on with the first line that was not acked, and with
 * another parallelism reading starts anew. It is done at the end of its last file.
 *
 * @throws when it runs, and ends the topology: MILLRACE_FILE_MISSING, MILLRACE_FILE_NOT_REGULAR,
 * MILLRACE_FILE_UNREADABLE, MILLRACE_FILE_READ, MILLRACE_FILE_TRUNCATED, MILLRACE_FILE_LINE_TOO_LONG; in the middle of
 * a file not before the lines in front of the bad place are processed
 */
export function fileLines(config: FileLinesConfig): SpoutSpec<FileLines, typeof FileLines.outputs> {
  return defineSpout({
    type: 'file-lines',
    outputs: FileLines.outputs,
    config: { ...config },
    configKeys: ['path', 'lineBytesMax'],
    create: (settings) => new FileLines(settings),
  });
}

/** Settings of {@link fileSink}. */
export interface FileSinkConfig {
  /** The file to write; its directory must exist. */
  readonly path: string;
  /** Keep what the file holds and add to it. Default false: it is emptied when the topology starts. */
  readonly append?: boolean;
  /** Force every batch to the disk before its tuples are acked. Default false: to the system's cache. */
  readonly sync?: boolean;
}

/**
 * A bolt that writes each tuple as one line of JSON by field name: `{"word":"whale","count":1}`. Type `file-sink`.
 *
 * A tuple is acked when its line is in the file. After a failed write (a full disk) the file ends with its last
 * complete line and the topology ends with MILLRACE_FILE_WRITE. A restarted task goes on behind the last complete line;
 * tuples that were not acked by then come again, so a line may be in the file twice. With a parallelism above 1 each
 * task writes a file of its own: `counts.jsonl` becomes `counts-0.jsonl`, `counts-1.jsonl`, …
 *
 * Values that JSON does not have: dates as ISO text, binary data as base64 text, bigints as numbers where they are safe
 * integers and as text beyond, NaN and infinities as null.
 *
 * @throws when it runs, and ends the topology: MILLRACE_FILE_DIRECTORY_MISSING, MILLRACE_FILE_UNWRITABLE,
 * MILLRACE_FILE_NOT_REGULAR, MILLRACE_FILE_NOT_LINES, MILLRACE_FILE_WRITE
 */
export function fileSink(config: FileSinkConfig): BoltSpec<FileSink, NoOutputs> {
  return defineBolt({
    type: 'file-sink',
    config: { ...config },
    configKeys: ['path', 'append', 'sync'],
    create: (settings) => new FileSink(settings),
  });
}
