// The store in this process: the same contract as a remote one, kept in memory, and on disk when it is given a
// directory. Sessions of one process share it; another process cannot have the directory at the same time. What a call
// resolved with is on disk; what is ephemeral is gone when the store is opened again. The host's main thread.

import { resolve } from 'node:path';
import { makeDirectory } from '../../make-directory.js';
import { RealClock, type Clock } from '../../../engine/clock.js';
import { failure, isMillraceError, reasonOf } from '../../../engine/errors.js';
import { EMBEDDED_LOG_BYTES_MAX, EMBEDDED_STORE_BYTES_MAX } from '../../../engine/limits.js';
import { silentLogger, type Logger } from '../../../engine/log.js';
import { granted, usersOf, type StoreUser } from '../access.js';
import { withoutTime } from '../call-time.js';
import type { AccessRule, ConnectOptions, Credentials, Session, Store } from '../contract.js';
import { Commits } from './commits.js';
import { checkFormat, openDirectory, removeOthers, replaceLog, type Contents } from './directory.js';
import { openFile, type OpenFile } from './files.js';
import { lockDirectory, type DirectoryLock } from './lock.js';
import { encodeGroup } from './records.js';
import { EmbeddedSession, type SessionShared } from './session.js';
import type { Applied } from './transaction.js';
import { Tree, type Effect } from './tree.js';
import { Watches } from './watches.js';

export interface EmbeddedStoreOptions {
  /** Where it is kept, made when it is not there; null keeps nothing. */
  readonly directory: string | null;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Length of the log at which a snapshot replaces it. Default `EMBEDDED_LOG_BYTES_MAX`. */
  readonly logBytesMax?: number;
  /** What it may take of memory. Default `EMBEDDED_STORE_BYTES_MAX`. */
  readonly treeBytesMax?: number;
  /** For whom every session speaks, beside what it brings itself. Default: nobody. */
  readonly credentials?: readonly Credentials[];
  /** Who may do what with nodes that are created without rules. Default: everybody everything. */
  readonly access?: readonly AccessRule[];
  /** The file system, for tests. */
  readonly openFile?: OpenFile;
}

/** Stands for a user whom a session may bring, where rules are checked before there is one. */
const ANYBODY: StoreUser = { user: 'somebody', digest: '' };

/** The store's place on disk. */
interface Disk {
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly openFile: OpenFile;
  generation: number;
  /** Length of the log at which it is replaced next. */
  replaceAtBytes: number;
}

export class EmbeddedStore implements Store {
  /** Bytes of a write that a crash had torn, cut off when the store was opened: it was never acknowledged. */
  readonly tornBytes: number;
  private readonly disk: Disk | null;
  private readonly commits: Commits;
  private readonly watches: Watches;
  private readonly shared: SessionShared;
  private readonly logger: Logger;
  private readonly logBytesMax: number;
  private readonly credentials: readonly Credentials[];
  private readonly sessions = new Map<string, EmbeddedSession>();
  private nextSession = 1;
  private closing: Promise<void> | null = null;

  private constructor(
    options: EmbeddedStoreOptions,
    contents: Omit<Contents, 'log'> & { log: Contents['log'] | null },
    disk: Disk | null,
  ) {
    this.disk = disk;
    this.tornBytes = contents.tornBytes;
    this.logger = options.logger ?? silentLogger;
    this.logBytesMax = options.logBytesMax ?? EMBEDDED_LOG_BYTES_MAX;
    this.credentials = options.credentials ?? [];
    this.watches = new Watches(this.logger);
    this.commits = new Commits(contents.tree, contents.revision, contents.log, {
      committed: (effects) => this.watches.changed(effects, this.commits.tree),
      between: () => this.replaceLogWhenLong(),
    });
    this.shared = {
      commits: this.commits,
      watches: this.watches,
      clock: options.clock ?? new RealClock(),
      logger: this.logger,
      access: options.access ?? null,
      treeBytesMax: options.treeBytesMax ?? EMBEDDED_STORE_BYTES_MAX,
      forget: (session) => this.sessions.delete(session.id),
    };
  }

  /**
   * Opens the store, or begins a new one.
   *
   * @throws MILLRACE_STORE_IN_USE, MILLRACE_STORE_NEWER, MILLRACE_STORE_CORRUPT, MILLRACE_STORE_DIRECTORY,
   * MILLRACE_STORE_FULL, MILLRACE_STORE_CREDENTIALS, MILLRACE_STORE_ACCESS
   */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    const users = usersOf(options.credentials ?? []);
    if (options.access !== undefined) granted('/', options.access, [...users, ANYBODY]);
    // A process may change its working directory while the store is open.
    const directory = options.directory === null ? null : resolve(options.directory);
    if (directory !== null) {
      try {
        return await openOnDisk(options, directory, (contents, disk) => new EmbeddedStore(options, contents, disk));
      } catch (error) {
        if (isMillraceError(error)) throw error;
        throw failure('MILLRACE_STORE_DIRECTORY', { directory, reason: reasonOf(error) }, { cause: error });
      }
    }
    const tree = new Tree();
    const { revision } = boot(tree, 0);
    return new EmbeddedStore(options, { tree, revision, generation: 0, log: null, tornBytes: 0 }, null);
  }

  async connect(options: ConnectOptions = {}): Promise<Session> {
    options.signal?.throwIfAborted();
    const refused = withoutTime('a new session', options);
    if (refused !== null) throw refused;
    if (this.closing !== null) {
      throw failure('MILLRACE_STORE_UNAVAILABLE', { what: 'a new session', reason: 'the store is closed' });
    }
    const users = usersOf([...this.credentials, ...(options.credentials ?? [])]);
    const session = new EmbeddedSession(`${this.commits.tree.boots}-${this.nextSession++}`, users, this.shared);
    this.sessions.set(session.id, session);
    return session;
  }

  /** Ends that session as if it had been silent for too long: its owner is told that it is lost. */
  async expire(sessionId: string): Promise<void> {
    await this.sessions.get(sessionId)?.end('lost');
  }

  /** Ends all sessions, finishes what was asked for before, and lets the directory go. */
  async close(): Promise<void> {
    this.closing ??= this.shut();
    await this.closing;
  }

  private async shut(): Promise<void> {
    for (const session of [...this.sessions.values()]) session.abandon();
    await this.commits.idle();
    await this.commits.log?.close();
    await this.disk?.lock.release();
  }

  private async replaceLogWhenLong(): Promise<void> {
    const { disk, commits } = this;
    const { log } = commits;
    if (disk === null || log === null || log.bytes < disk.replaceAtBytes) return;
    try {
      const next = await replaceLog(disk.directory, disk.generation + 1, commits, disk.openFile);
      commits.log = next.log;
      commits.snapshotTaken();
      disk.generation++;
      disk.replaceAtBytes = Math.max(this.logBytesMax, next.snapshotBytes);
      await log.close();
      await removeOthers(disk.directory, disk.generation);
    } catch (error) {
      disk.replaceAtBytes = log.bytes + this.logBytesMax;
      this.logger.warn(`the log of the store in "${disk.directory}" could not be replaced: ${reasonOf(error)}`);
    }
  }
}

async function openOnDisk(
  options: EmbeddedStoreOptions,
  directory: string,
  make: (contents: Contents, disk: Disk) => EmbeddedStore,
): Promise<EmbeddedStore> {
  const open = options.openFile ?? openFile;
  await makeDirectory(directory);
  await checkFormat(directory);
  const lock = await lockDirectory(directory);
  let contents: Contents | null = null;
  try {
    contents = await openDirectory(directory, open);
    const { tornBytes, tree, log } = contents;
    if (tornBytes > 0) {
      options.logger?.warn(
        `the store in "${directory}" had a torn last write of ${tornBytes} bytes, which was cut off`,
      );
    }
    const booted = boot(tree, contents.revision);
    await log.append(encodeGroup([booted]));
    const replaceAtBytes = options.logBytesMax ?? EMBEDDED_LOG_BYTES_MAX;
    const disk = { directory, lock, openFile: open, generation: contents.generation, replaceAtBytes };
    return make({ ...contents, revision: booted.revision }, disk);
  } catch (error) {
    await contents?.log.close();
    await lock.release();
    throw error;
  }
}

/** Counts this opening, and removes what went with sessions of earlier ones. */
function boot(tree: Tree, last: number): Applied {
  const effects: readonly Effect[] = [{ type: 'boot' }];
  for (const effect of effects) tree.apply(effect, last + 1);
  return { revision: last + 1, effects, results: [], undo: () => undefined };
}
