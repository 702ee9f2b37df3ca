// The bolt `file-sink`: each tuple as one line of JSON. Lines are gathered while a slice of tuples is executed and
// written at its end with one call, before the acks of the slice leave. Invariant: an acked tuple's line is in the
// file, and the file never holds a torn line but for the moment of a write. On the worker's thread.

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Tuple } from '../../component/tuple.js';
import { WRITE_BUFFER_BYTES } from '../../limits.js';
import { JsonLines } from '../json-line.js';
import { Settings } from '../settings.js';
import { nodeFileSystem, type FileSystem } from './file-system.js';
import { LineFile } from './line-file.js';

/** Writes tuples to a file. Settings: `path`, `append`, `sync`. */
export class FileSink extends Bolt {
  private readonly path: string;
  private readonly append: boolean;
  private readonly sync: boolean;
  private readonly system: FileSystem;
  private readonly json = new JsonLines();
  private file: LineFile | null = null;
  /** The file is to be emptied when the topology really starts, so that a failed start destroys nothing. */
  private emptyFirst = false;
  private text = '';
  private unsynced = false;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>, system: FileSystem = nodeFileSystem) {
    super();
    const settings = new Settings('file-sink', config);
    this.path = settings.text('path');
    this.append = settings.flag('append', false);
    this.sync = settings.flag('sync', false);
    this.system = system;
  }

  override prepare(context: BoltContext): void {
    const path = context.parallelism === 1 ? this.path : pathOfTask(this.path, context.index);
    const goesOn = this.append || context.incarnation > 0;
    this.file = new LineFile(this.system, path, goesOn);
    this.emptyFirst = !goesOn;
    if (!goesOn) return;
    const { cutBytes } = this.file.repair();
    if (cutBytes > 0) context.logger.warn(`cut a torn last line of ${cutBytes} bytes off file "${path}"`);
  }

  override activate(): void {
    this.emptyOnce();
  }

  override execute(tuple: Tuple): void {
    this.text += `${this.json.text(tuple)}\n`;
    if (this.text.length >= WRITE_BUFFER_BYTES) this.write();
  }

  override endBatch(): void {
    this.write();
    if (this.sync && this.unsynced) this.file?.sync();
    this.unsynced = false;
  }

  override finish(): void {
    this.endBatch();
  }

  /** What is not written by now was not acked: it comes again, and is not written twice. */
  override close(): void {
    this.file?.close();
  }

  private write(): void {
    if (this.text === '') return;
    this.emptyOnce();
    const lines = Buffer.from(this.text, 'utf8');
    this.text = '';
    this.unsynced = true;
    this.file?.write(lines);
  }

  private emptyOnce(): void {
    if (!this.emptyFirst) return;
    this.emptyFirst = false;
    this.file?.empty();
  }
}

/** `counts.jsonl` of task 2: `counts-2.jsonl`. */
function pathOfTask(path: string, index: number): string {
  const name = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  const dot = path.lastIndexOf('.');
  const at = dot > name ? dot : path.length;
  return `${path.slice(0, at)}-${index}${path.slice(at)}`;
}
