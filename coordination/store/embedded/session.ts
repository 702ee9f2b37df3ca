// One session of the embedded store. It is never suspended, because the store is in the same process, and ends with
// `close`, with its store, or when somebody else ends it (`EmbeddedStore.expire`). The host's main thread.

import type { Clock } from '../../../engine/clock.js';
import type { Logger } from '../../../engine/log.js';
import { accessBytes, checkRules, type StoreUser } from '../access.js';
import type {
  AccessRule,
  CallOptions,
  CreateMode,
  CreateOptions,
  Operation,
  OperationResult,
  Session,
  Stat,
  StoreNode,
  Subscription,
} from '../contract.js';
import { checkPath } from '../node-path.js';
import { checkOperations } from '../operations.js';
import { SessionLife } from '../session-life.js';
import { call, type Work } from './calls.js';
import type { Commits } from './commits.js';
import { readAccess, readChildren, readNode, readStat, watchedChildren, watchedNode } from './reads.js';
import { changeAccess, endSession, transact, type TransactionContext } from './transaction.js';
import { statOf, type Tree } from './tree.js';
import type { Watches } from './watches.js';

/** What sessions of one store share. */
export interface SessionShared {
  readonly commits: Commits;
  readonly watches: Watches;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly treeBytesMax: number;
  /** The rules of nodes that are created without any; null: everybody everything. */
  readonly access: readonly AccessRule[] | null;
  /** The session is over. */
  readonly forget: (session: EmbeddedSession) => void;
}

export class EmbeddedSession extends SessionLife implements Session {
  readonly id: string;
  readonly timeoutMs = null;
  private readonly shared: SessionShared;
  /** For whom it speaks. */
  private readonly users: readonly StoreUser[];
  private gone: Promise<void> | null = null;

  constructor(id: string, users: readonly StoreUser[], shared: SessionShared) {
    super(shared.logger);
    this.id = id;
    this.users = users;
    this.shared = shared;
  }

  async create(
    path: string,
    data: Uint8Array,
    mode: CreateMode = 'persistent',
    options: CreateOptions = {},
  ): Promise<string> {
    const access = options.access === undefined ? {} : { access: options.access };
    const operation: Operation = { type: 'create', path, data, mode, ...access };
    const [result] = await this.write(`create "${path}"`, [operation], options);
    return result?.type === 'create' ? result.path : path;
  }

  async get(path: string, options?: CallOptions): Promise<StoreNode> {
    return await this.read(`get "${path}"`, path, options, (tree) => readNode(tree, this.users, path));
  }

  async exists(path: string, options?: CallOptions): Promise<Stat | null> {
    return await this.read(`exists "${path}"`, path, options, (tree) => readStat(tree, path));
  }

  async children(path: string, options?: CallOptions): Promise<readonly string[]> {
    return await this.read(`children "${path}"`, path, options, (tree) => readChildren(tree, this.users, path));
  }

  async set(path: string, data: Uint8Array, version: number | null, options?: CallOptions): Promise<Stat> {
    const [result] = await this.write(`set "${path}"`, [{ type: 'set', path, data, version }], options);
    return result?.type === 'set' ? result.stat : statOf(this.shared.commits.tree.nodes.get(path)!);
  }

  async delete(path: string, version: number | null, options?: CallOptions): Promise<void> {
    await this.write(`delete "${path}"`, [{ type: 'delete', path, version }], options);
  }

  async multi(operations: readonly Operation[], options?: CallOptions): Promise<readonly OperationResult[]> {
    return await this.write(`a transaction of ${operations.length} operations`, operations, options);
  }

  async access(path: string, options?: CallOptions): Promise<readonly AccessRule[]> {
    return await this.read(`access "${path}"`, path, options, (tree) => readAccess(tree, this.users, path));
  }

  async setAccess(path: string, rules: readonly AccessRule[], options?: CallOptions): Promise<void> {
    this.checkOpen();
    checkPath(path);
    checkRules(path, rules);
    await this.call(`setAccess "${path}"`, 'write', 64 + path.length + accessBytes(rules), options, (revision) => {
      return { applied: changeAccess(path, rules, this.context(revision)), value: undefined };
    });
  }

  async sync(path: string, options?: CallOptions): Promise<void> {
    await this.read(`sync "${path}"`, path, options, () => undefined);
  }

  watchNode(path: string, listener: (node: StoreNode | null) => void): Subscription {
    return this.watch('node', path, (tree) => watchedNode(tree, this.users, path), listener);
  }

  watchChildren(path: string, listener: (names: readonly string[] | null) => void): Subscription {
    return this.watch('children', path, (tree) => watchedChildren(tree, this.users, path), listener);
  }

  async close(): Promise<void> {
    await this.end('closed');
  }

  /** Ends it. Calls that were made before go on when it is closed, and fail when it is lost. */
  async end(as: 'closed' | 'lost'): Promise<void> {
    if (this.gone === null) {
      this.gone = this.removeEphemerals();
      this.over(as);
    }
    await this.gone;
  }

  /** Its store is closed: what is ephemeral goes when the store is opened again. */
  abandon(): void {
    if (this.gone !== null) return;
    this.gone = Promise.resolve();
    this.over('closed');
  }

  protected silence(): void {
    this.shared.watches.endSession(this.id);
    this.shared.forget(this);
  }

  private async removeEphemerals(): Promise<void> {
    const { commits, clock } = this.shared;
    await call(commits, clock, {
      kind: 'end of session',
      what: `close of session "${this.id}"`,
      bytes: 0,
      run: (revision) => ({ applied: endSession(commits.tree, this.id, revision), value: undefined }),
    });
  }

  private async write(
    what: string,
    operations: readonly Operation[],
    options: CallOptions | undefined,
  ): Promise<readonly OperationResult[]> {
    this.checkOpen();
    checkOperations(operations);
    const bytes = operations.reduce(
      (sum, each) => sum + each.path.length + ('data' in each ? each.data.length : 0),
      64,
    );
    return await this.call(what, 'write', bytes, options, (revision) => {
      const applied = transact(operations, this.context(revision));
      return { applied, value: applied.results };
    });
  }

  private async read<T>(
    what: string,
    path: string,
    options: CallOptions | undefined,
    read: (tree: Tree) => T,
  ): Promise<T> {
    this.checkOpen();
    checkPath(path);
    return await this.call(what, 'read', 0, options, () => {
      return { applied: null, value: read(this.shared.commits.tree) };
    });
  }

  private async call<T>(
    what: string,
    kind: 'read' | 'write',
    bytes: number,
    options: CallOptions | undefined,
    run: Work<T>['run'],
  ): Promise<T> {
    const { commits, clock } = this.shared;
    const inSession: Work<T>['run'] = (revision) => {
      if (this.current === 'lost') throw this.error();
      return run(revision);
    };
    return await call(commits, clock, { kind, what, bytes, run: inSession }, options);
  }

  private watch<T>(
    kind: 'node' | 'children',
    path: string,
    read: (tree: Tree) => T,
    listener: (state: T) => void,
  ): Subscription {
    this.checkOpen();
    checkPath(path);
    const { commits, watches } = this.shared;
    const watched = watches.add(kind, path, this.id, read, listener);
    // In its turn and after its group, so that it never shows what is not on disk.
    const begin = (): void => watched.begin(commits.tree);
    const task = { kind: 'read', always: true, bytes: 0, wanted: () => true, run: () => null } as const;
    commits.submit({ ...task, settle: begin, reject: begin });
    return watched;
  }

  private context(revision: number): TransactionContext {
    const { commits, treeBytesMax, access } = this.shared;
    return { tree: commits.tree, session: this.id, users: this.users, access, revision, treeBytesMax };
  }
}
