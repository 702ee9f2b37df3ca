// One session of ZooKeeper, as the contract has it. What ends with the session ends here: its calls, its watches, its
// listeners. The thread of the session.

import type { MillraceError } from '../../../engine/errors.js';
import { ZOOKEEPER_CLOSE_TIMEOUT_MS } from '../../../engine/limits.js';
import type { Logger } from '../../../engine/log.js';
import { granted, OPEN_ACCESS, type GrantedRule, type StoreUser } from '../access.js';
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
import { withOperation } from '../store-errors.js';
import { makeChroot } from './chroot.js';
import { Connector, type ConnectorOptions, type Ending } from './connector.js';
import { Requests, sessionName, type Request } from './requests.js';
import { transaction, type Granted } from './transaction.js';
import { Watches } from './watches.js';

export interface SessionOptions {
  readonly connector: ConnectorOptions;
  readonly chroot: string;
  /** For whom the session speaks. */
  readonly users: readonly StoreUser[];
  /** The rules of nodes that are created without any; null: everybody everything. */
  readonly access: readonly AccessRule[] | null;
}

export class ZookeeperSession extends SessionLife implements Session {
  private readonly options: SessionOptions;
  private readonly logger: Logger;
  private readonly requests: Requests;
  private readonly connector: Connector;
  private readonly tracked: Watches;
  private closing: Promise<Ending> | null = null;

  private constructor(options: SessionOptions) {
    super(options.connector.logger);
    this.options = options;
    const { clock, logger } = options.connector;
    this.logger = logger;
    this.requests = new Requests(options.chroot);
    this.tracked = new Watches({
      clock,
      logger,
      requests: this.requests,
      isConnected: () => this.current === 'connected',
      call: async (request) => await this.connector.submit(request),
    });
    this.connector = new Connector(options.connector, {
      suspended: () => this.suspended(),
      reconnected: () => this.reconnected(),
      lost: () => this.lost(),
      event: (record) => {
        // One without a path is of the session, not of a node; what is to be known of that, the connection says.
        if (typeof record['path'] === 'string') {
          this.tracked.changed(Number(record['type']), this.requests.pathOf(record));
        }
      },
      watches: (zxid) => this.tracked.packets(zxid),
    });
  }

  /**
   * Opens a session, and makes the path that stands for its root when it is not there.
   *
   * @throws MILLRACE_STORE_UNAVAILABLE, MILLRACE_STORE_CREDENTIALS, MILLRACE_STORE_FORBIDDEN
   */
  static async open(
    options: SessionOptions,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ZookeeperSession> {
    const session = new ZookeeperSession(options);
    const { connector, chroot } = options;
    const startedMs = connector.clock.now();
    await session.connector.open(timeoutMs, signal);
    const rest = (): CallOptions => {
      const leftMs = Math.max(1, startedMs + timeoutMs - connector.clock.now());
      return { timeoutMs: leftMs, ...(signal === undefined ? {} : { signal }) };
    };
    try {
      const call = async <T>(request: Request<T>): Promise<T> => await session.connector.submit(request, rest());
      if (chroot !== '') await makeChroot(chroot, session.rules(chroot, undefined), call);
    } catch (error) {
      // Whoever waits for a session that there will not be need not wait for its end as well.
      void session.close();
      throw error;
    }
    return session;
  }

  get id(): string {
    return sessionName(this.connector.session.id);
  }

  get timeoutMs(): number {
    return this.connector.session.timeoutMs;
  }

  /** With `id`, what somebody else needs to end this session: see `ZookeeperStore.endSession`. A secret. */
  get password(): string {
    return this.connector.session.password.toString('hex');
  }

  async create(
    path: string,
    data: Uint8Array,
    mode: CreateMode = 'persistent',
    options: CreateOptions = {},
  ): Promise<string> {
    this.checkOpen();
    const { access } = options;
    checkOperations([{ type: 'create', path, data, mode, ...(access === undefined ? {} : { access }) }]);
    return await this.connector.submit(this.requests.create(path, data, mode, this.rules(path, access)), options);
  }

  async get(path: string, options?: CallOptions): Promise<StoreNode> {
    return await this.checked(path, () => this.requests.get(path), options);
  }

  async exists(path: string, options?: CallOptions): Promise<Stat | null> {
    return await this.checked(path, () => this.requests.exists(path), options);
  }

  async children(path: string, options?: CallOptions): Promise<readonly string[]> {
    return (await this.checked(path, () => this.requests.children(path), options)).names;
  }

  async set(path: string, data: Uint8Array, version: number | null, options?: CallOptions): Promise<Stat> {
    this.checkOpen();
    checkOperations([{ type: 'set', path, data, version }]);
    return await this.connector.submit(this.requests.set(path, data, version), options);
  }

  async delete(path: string, version: number | null, options?: CallOptions): Promise<void> {
    this.checkOpen();
    checkOperations([{ type: 'delete', path, version }]);
    await this.connector.submit(this.requests.delete(path, version), options);
  }

  async multi(operations: readonly Operation[], options?: CallOptions): Promise<readonly OperationResult[]> {
    this.checkOpen();
    checkOperations(operations);
    if (operations.length === 0) return [];
    const steps = operations.map((operation, index) => this.grant(operation, index));
    const result = await this.connector.submit(transaction(this.requests, steps), options);
    if (result instanceof Error) throw result;
    return result;
  }

  async access(path: string, options?: CallOptions): Promise<readonly AccessRule[]> {
    return await this.checked(path, () => this.requests.access(path), options);
  }

  async setAccess(path: string, rules: readonly AccessRule[], options?: CallOptions): Promise<void> {
    const make = (): Request<undefined> => this.requests.setAccess(path, granted(path, rules, this.options.users));
    await this.checked(path, make, options);
  }

  async sync(path: string, options?: CallOptions): Promise<void> {
    await this.checked(path, () => this.requests.sync(path), options);
  }

  watchNode(path: string, listener: (node: StoreNode | null) => void): Subscription {
    this.checkOpen();
    checkPath(path);
    return this.tracked.watchNode(path, listener);
  }

  watchChildren(path: string, listener: (names: readonly string[] | null) => void): Subscription {
    this.checkOpen();
    checkPath(path);
    return this.tracked.watchChildren(path, listener);
  }

  /** Ends the session; when the ensemble does not confirm it in time, that is logged, and its nodes stay a while. */
  async close(): Promise<void> {
    await this.end();
  }

  /**
   * Ends the session as `close` does, and says how that went: `unconfirmed` when no server answered in time, so that
   * what is ephemeral stays until the ensemble has missed the session for `timeoutMs`. Never rejects.
   *
   * @param withinMs - milliseconds that it may take
   */
  async end(withinMs: number = ZOOKEEPER_CLOSE_TIMEOUT_MS): Promise<Ending> {
    if (this.current === 'lost') return 'gone';
    if (this.closing === null) {
      this.closing = this.connector.end(withinMs);
      this.over('closed');
    }
    const ending = await this.closing;
    if (ending === 'unconfirmed') {
      const rest = `what is ephemeral in it stays for up to ${this.timeoutMs} ms`;
      this.logger.warn(`no server confirmed the end of session "${this.id}": ${rest}`);
    }
    return ending;
  }

  private suspended(): void {
    this.current = 'suspended';
    this.tell({ type: 'suspended' });
  }

  private reconnected(): void {
    this.current = 'connected';
    this.tracked.reconnected();
    this.tell({ type: 'reconnected' });
  }

  private lost(): void {
    if (this.ended.aborted) return;
    this.over('lost');
  }

  private async checked<T>(path: string, make: () => Request<T>, options: CallOptions | undefined): Promise<T> {
    this.checkOpen();
    checkPath(path);
    return await this.connector.submit(make(), options);
  }

  private grant(operation: Operation, index: number): Granted {
    if (operation.type !== 'create') return operation;
    try {
      return { ...operation, access: this.rules(operation.path, operation.access) };
    } catch (error) {
      throw withOperation(error as MillraceError, index);
    }
  }

  private rules(path: string, own: readonly AccessRule[] | undefined): readonly GrantedRule[] {
    const rules = own ?? this.options.access;
    return rules === null ? OPEN_ACCESS : granted(path, rules, this.options.users);
  }

  protected silence(): void {
    this.tracked.end();
  }
}
