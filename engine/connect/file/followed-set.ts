// Which files one task follows: those that were found and are this task's, known by device and inode whatever they are
// called, and which of them are open. A file belongs to one task, chosen by its inode, so that a rename moves it
// nowhere. Invariants: each file once; at most FOLLOW_OPEN_MAX of them are open. On the worker's thread.
//
//   a path ──► known by its inode? ─┬─ yes: its path, perhaps a new one
//                                   └─ no, and this task's: followed from now on

import { dirname, join } from 'node:path';
import { failure, reasonOf } from '../../errors.js';
import { FILES_MATCHED_MAX, FOLLOW_NAMES_MAX, FOLLOW_OPEN_MAX } from '../../limits.js';
import { finishHash, HASH_SEED, hashValue } from '../../plan/hash.js';
import type { FileKind } from './file-system.js';
import { FollowedFile, identityOf, partitionOf } from './followed-file.js';
import type { SourceSetup } from './line-source.js';
import { NOTHING_READ, progressOf } from './progress.js';

/** What is told to whoever reads the files. */
export interface FollowedSetHooks {
  added(file: FollowedFile): void;
  /** Its progress is to be kept now. */
  keep(file: FollowedFile): void;
  /** It is being read, and must stay open. */
  isBusy(file: FollowedFile): boolean;
}

export class FollowedSet {
  /** What is found now was there before: reading starts at its end. */
  fromEnd = false;
  private readonly setup: SourceSetup;
  private readonly hooks: FollowedSetHooks;
  private readonly byIdentity = new Map<string, FollowedFile>();
  /** The one that was used last at the end. */
  private readonly openFiles = new Set<FollowedFile>();
  private readonly warned = new Set<string>();

  constructor(setup: SourceSetup, hooks: FollowedSetHooks) {
    this.setup = setup;
    this.hooks = hooks;
  }

  get size(): number {
    return this.byIdentity.size;
  }

  all(): Iterable<FollowedFile> {
    return this.byIdentity.values();
  }

  /** A file may be at that path. */
  found(path: string): void {
    const kind = this.setup.system.statPath(path);
    if (kind === null) return;
    if (kind.kind !== 'file') {
      this.warn(path, `"${path}" is no file, and is not followed`);
      return;
    }
    const known = this.byIdentity.get(identityOf(kind));
    if (known === undefined) {
      if (this.isMine(kind)) this.follow(path, kind);
    } else if (known.path !== path && !known.is(this.setup.system.statPath(known.path))) {
      this.renamed(known, path);
    }
  }

  /** Follows files that this spout read before it was started again, and that were renamed in the meantime. */
  findLeftBehind(): void {
    const { context, paths } = this.setup;
    const directories = new Set([...paths, ...[...this.all()].map(({ path }) => path)].map((path) => dirname(path)));
    for (const directory of directories) {
      for (const [path, kind] of this.neighbours(directory)) {
        if (kind.kind !== 'file' || this.byIdentity.has(identityOf(kind)) || !this.isMine(kind)) continue;
        const progress = progressOf(context.restored(partitionOf(path, kind.inode)));
        if (progress === null || progress.offset >= kind.bytes) continue;
        this.follow(path, kind).leftBehind = true;
        context.logger.info(`file "${path}" was renamed while it was not followed: the rest of it is read`);
      }
    }
  }

  /**
   * Opens it by that path; false when it is not there any more, or when too many are open already.
   *
   * @throws MILLRACE_FILE_UNREADABLE, MILLRACE_FILE_OUTSIDE
   */
  open(file: FollowedFile, path: string): boolean {
    if (this.openFiles.size >= FOLLOW_OPEN_MAX && !this.closeIdle()) return false;
    if (!file.openAt(this.setup.system, path)) return false;
    this.openFiles.add(file);
    return true;
  }

  /** Opens a file that is no longer at its path, if it still is in its directory. */
  openMoved(file: FollowedFile): void {
    for (const [path, kind] of this.neighbours(dirname(file.path))) {
      if (!file.is(kind)) continue;
      try {
        this.open(file, path);
      } catch (error) {
        this.warn(path, reasonOf(error));
      }
      return;
    }
  }

  used(file: FollowedFile): void {
    this.openFiles.delete(file);
    this.openFiles.add(file);
  }

  forget(file: FollowedFile): void {
    file.close();
    this.openFiles.delete(file);
    this.byIdentity.delete(file.identity);
    this.warned.delete(file.path);
    this.setup.context.checkpoint(file.partition, undefined);
  }

  /** Warns of each thing once. */
  warn(about: string, message: string): void {
    if (this.warned.has(about)) return;
    if (this.warned.size >= FILES_MATCHED_MAX) this.warned.clear();
    this.warned.add(about);
    this.setup.context.logger.warn(message);
  }

  close(): void {
    for (const file of this.openFiles) file.close();
  }

  private follow(path: string, kind: FileKind): FollowedFile {
    const { context } = this.setup;
    if (this.size >= FILES_MATCHED_MAX) {
      const details = { pattern: path, files: this.size + 1, filesMax: FILES_MATCHED_MAX };
      throw failure('MILLRACE_FILE_TOO_MANY', details, { fatal: true });
    }
    const file = new FollowedFile(path, kind, context.now(), this.fromEnd ? kind.bytes : null);
    this.byIdentity.set(file.identity, file);
    this.hooks.added(file);
    // It may be renamed before its first line is read, and is to be found again after a crash.
    if (!this.fromEnd && context.restored(file.partition) === undefined) {
      context.checkpoint(file.partition, NOTHING_READ);
      file.keptOffset = NOTHING_READ.offset;
    }
    return file;
  }

  private renamed(file: FollowedFile, path: string): void {
    const { partition } = file;
    file.path = path;
    file.goneMs = null;
    file.leftBehind = false;
    if (file.partition === partition) return;
    const { context } = this.setup;
    context.checkpoint(file.partition, context.restored(partition));
    context.checkpoint(partition, undefined);
  }

  private *neighbours(directory: string): Iterable<readonly [string, FileKind]> {
    const { system } = this.setup;
    let names: readonly string[];
    try {
      names = system.list(directory);
    } catch {
      return;
    }
    for (const name of names.slice(0, FOLLOW_NAMES_MAX)) {
      const path = join(directory, name);
      const kind = system.statPath(path);
      if (kind !== null) yield [path, kind];
    }
  }

  private isMine(kind: FileKind): boolean {
    const { index, parallelism } = this.setup.context;
    return finishHash(hashValue(HASH_SEED, kind.inode)) % parallelism === index;
  }

  /** Closes a file that can be opened again and has no line under way; false when there is none. */
  private closeIdle(): boolean {
    for (const file of this.openFiles) {
      if (this.hooks.isBusy(file) || file.goneMs !== null || file.leftBehind || file.pending > 0) continue;
      this.hooks.keep(file);
      file.close();
      this.openFiles.delete(file);
      return true;
    }
    return false;
  }
}
