// The data directory of the embedded store: which files it has, and what is read from them when it is opened. The
// host's main thread.
//
//   format          {"format":2}: a higher number is refused before anything is touched; a lower one is raised before
//                   anything is written that a version which knows only the lower one would not understand
//   7.snapshot      the whole tree as it was when 7.log began; absent for generation 0
//   7.log           every group of transactions since
//   lock-PID-…      who has it open (lock.ts)
//
//   replacing:  8.snapshot.new ─fsync─► 8.log ─fsync─► rename to 8.snapshot ─► delete 7.*
//                                                       └ from here on 8 is the newest one
//
// A crash leaves either generation whole: the newest snapshot counts, and what belongs to no generation is deleted.
// Whatever is damaged is an error that names file and byte; nothing is written before all of it was read.

import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../../../engine/errors.js';
import { syncDirectory, type OpenFile, type StoreFile } from './files.js';
import { readFrames, type FramesRead } from './frames.js';
import { Log } from './log.js';
import { decodeSnapshot, encodeSnapshot, replayGroup } from './records.js';
import { Tree } from './tree.js';

/** The format that this version writes, and the newest one that it reads. */
const FORMAT = 2;
const FORMAT_FILE = 'format';

/** What a directory held. */
export interface Contents {
  readonly tree: Tree;
  /** The last transaction. */
  readonly revision: number;
  readonly generation: number;
  readonly log: Log;
  /** Bytes of a write that was torn by a crash, and cut off. */
  readonly tornBytes: number;
}

/**
 * Refuses a directory that a newer version wrote.
 *
 * @returns the format that it has, or null when it has none yet
 * @throws MILLRACE_STORE_NEWER, MILLRACE_STORE_CORRUPT
 */
export async function checkFormat(directory: string): Promise<number | null> {
  const file = join(directory, FORMAT_FILE);
  const text = await readFile(file, 'utf8').catch(absent);
  if (text === null) return null;
  const format = formatIn(text);
  if (format === null) throw corrupt(file, 0, 'it names no format');
  if (format > FORMAT) throw failure('MILLRACE_STORE_NEWER', { directory, format, formatMax: FORMAT });
  return format;
}

function formatIn(text: string): number | null {
  try {
    const { format } = JSON.parse(text) as { readonly format?: unknown };
    return typeof format === 'number' && Number.isInteger(format) && format > 0 ? format : null;
  } catch {
    return null;
  }
}

/**
 * Reads the directory, or begins it. The caller holds its lock.
 *
 * @throws MILLRACE_STORE_CORRUPT, and what the file system throws
 */
export async function openDirectory(directory: string, openFile: OpenFile): Promise<Contents> {
  const names = await readdir(directory);
  const snapshots = names.flatMap((name) => /^(\d+)\.snapshot$/.exec(name)?.[1] ?? []).map(Number);
  const generation = Math.max(0, ...snapshots);
  const logFile = join(directory, `${generation}.log`);
  if (!names.includes(FORMAT_FILE)) return await begin(directory, names, openFile);

  const { tree, revision } = snapshots.length === 0 ? empty() : await readSnapshot(directory, generation);
  const read = await readLog(logFile);
  let last = revision;
  for (const frame of read.frames) last = replayGroup(frame, tree);
  if ((await checkFormat(directory)) !== FORMAT) await writeFormat(directory);
  const file = await openFile(logFile);
  if (read.tornBytes > 0) {
    await file.truncate(read.goodBytes);
    await file.sync();
  }
  await removeOthers(directory, generation);
  return { tree, revision: last, generation, log: new Log(file, read.goodBytes), tornBytes: read.tornBytes };
}

/** A new directory; `format` comes last, so what a crash left of an earlier beginning is begun again. */
async function begin(directory: string, names: readonly string[], openFile: OpenFile): Promise<Contents> {
  const stray = names.find((name) => /^([1-9]\d*\.log|\d+\.snapshot)$/.test(name));
  if (stray !== undefined) throw corrupt(join(directory, FORMAT_FILE), 0, `it is missing, but "${stray}" is there`);
  if (names.includes('0.log')) {
    const { size } = await stat(join(directory, '0.log'));
    if (size > 0) throw corrupt(join(directory, FORMAT_FILE), 0, 'it is missing, but "0.log" is there');
  }
  const log = await Log.create(await openFile(join(directory, '0.log')));
  await writeFormat(directory);
  return { ...empty(), generation: 0, log, tornBytes: 0 };
}

async function writeFormat(directory: string): Promise<void> {
  await writeFile(join(directory, `${FORMAT_FILE}.new`), `${JSON.stringify({ format: FORMAT })}\n`, { flush: true });
  await rename(join(directory, `${FORMAT_FILE}.new`), join(directory, FORMAT_FILE));
  await syncDirectory(directory);
}

function empty(): { readonly tree: Tree; readonly revision: number } {
  return { tree: new Tree(), revision: 0 };
}

async function readSnapshot(directory: string, generation: number): Promise<{ tree: Tree; revision: number }> {
  const file = join(directory, `${generation}.snapshot`);
  const bytes = await readFile(file);
  const { frames, goodBytes, damage } = readFrames(bytes);
  if (goodBytes < bytes.byteLength) throw corrupt(file, goodBytes, damage?.reason ?? 'it is not complete');
  const read = decodeSnapshot(frames);
  if (read === null) throw corrupt(file, goodBytes, 'its end is missing');
  return read;
}

async function readLog(file: string): Promise<FramesRead & { readonly tornBytes: number }> {
  const bytes = await readFile(file).catch(absent);
  if (bytes === null) throw corrupt(file, 0, 'it is missing');
  const read = readFrames(bytes);
  if (read.damage !== null) throw corrupt(file, read.damage.offset, `${read.damage.reason}, and good records follow`);
  return { ...read, tornBytes: bytes.byteLength - read.goodBytes };
}

/**
 * Replaces the log by a snapshot and an empty log.
 *
 * @returns the log of the new generation; when it rejects, the old one goes on
 */
export async function replaceLog(
  directory: string,
  generation: number,
  content: { readonly tree: Tree; readonly revision: number },
  openFile: OpenFile,
): Promise<{ readonly log: Log; readonly snapshotBytes: number }> {
  const made = join(directory, `${generation}.snapshot.new`);
  const logFile = join(directory, `${generation}.log`);
  let file: StoreFile | null = null;
  try {
    const snapshotBytes = await writeSnapshot(made, content, openFile);
    file = await openFile(logFile);
    const log = await Log.create(file);
    await syncDirectory(directory);
    await rename(made, join(directory, `${generation}.snapshot`));
    // It counts from here on, so nothing may fail any more.
    await syncDirectory(directory).catch(() => undefined);
    return { log, snapshotBytes };
  } catch (error) {
    await file?.close().catch(() => undefined);
    await Promise.all([made, logFile].map((file) => rm(file, { force: true }).catch(() => undefined)));
    throw error;
  }
}

async function writeSnapshot(
  path: string,
  content: { readonly tree: Tree; readonly revision: number },
  openFile: OpenFile,
): Promise<number> {
  const file = await openFile(path);
  try {
    await file.truncate(0);
    let bytes = 0;
    for (const frame of encodeSnapshot(content.tree, content.revision)) {
      await file.write(frame, bytes);
      bytes += frame.byteLength;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

/** Deletes the files of other generations, and what was not finished. */
export async function removeOthers(directory: string, generation: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const ours = /^(\d+)\.(log|snapshot|snapshot\.new)$/.exec(name);
    if (ours === null || (Number(ours[1]) === generation && ours[2] !== 'snapshot.new')) continue;
    await rm(join(directory, name), { force: true });
  }
}

function corrupt(file: string, offset: number, reason: string): Error {
  return failure('MILLRACE_STORE_CORRUPT', { file, offset, reason });
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
