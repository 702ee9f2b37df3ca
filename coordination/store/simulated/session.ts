// One session of a simulated store, at the client: its calls, its watches, and what becomes of it. What it has under
// way when its connection breaks has failed, and writes may have been carried out; what is called without a connection
// fails at once. It never says by itself that it is lost.
//
//   connected ──broken, silent for 2/3 of its timeout, a call out of time──► suspended ──dial──► connected again
//                                                                               └── "over" ──► lost

import type { Timer } from '../../../engine/clock.js';
import { failure, type MillraceError } from '../../../engine/errors.js';
import { STORE_CALL_TIMEOUT_MS, STORE_CALLS_MAX, STORE_WATCHES_MAX } from '../../../engine/limits.js';
import type { Logger } from '../../../engine/log.js';
import { checkRules, type StoreUser } from '../access.js';
import { callTimeMs, withoutTime } from '../call-time.js';
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
import { readAccess, readChildren, readNode, readStat } from '../embedded/reads.js';
import { changeAccess, transact } from '../embedded/transaction.js';
import type { Tree } from '../embedded/tree.js';
import { checkPath } from '../node-path.js';
import { checkOperations } from '../operations.js';
import { SessionLife } from '../session-life.js';
import type { Answer, Client, Connection, Network, Request, Welcome } from './connection.js';
import { Dialer } from './dialer.js';
import { childrenWatch, nodeWatch, type ClientWatch } from './watch.js';

/** What a session is made of. */
export interface SessionParts {
  readonly network: Network;
  readonly client: Client;
  readonly users: readonly StoreUser[];
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly forget: (session: SimulatedSession) => void;
}

export class SimulatedSession extends SessionLife implements Session {
  readonly timeoutMs: number;
  private readonly parts: SessionParts;
  private readonly calls = new Map<number, () => void>();
  private readonly watches = new Set<ClientWatch>();
  private readonly dialer: Dialer;
  private readonly opened: (session: SimulatedSession) => void;
  private name: string | null = null;
  private connection: Connection | null = null;
  private nextCall = 1;
  private seen = 0;
  private sentAtMs = 0;
  private heardAtMs = 0;
  private beat: Timer | null = null;
  private leaving: Timer | null = null;
  /** Why what is under way fails. */
  private reason = '';
  /** Set by `close`: resolves it. */
  private gone: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;

  /** @param opened - called when a server took it */
  constructor(parts: SessionParts, opened: (session: SimulatedSession) => void) {
    super(parts.logger);
    this.parts = parts;
    this.opened = opened;
    this.timeoutMs = parts.timeoutMs;
    const { users, timeoutMs } = parts;
    this.dialer = new Dialer(parts.network, parts.client, {
      hello: () => ({ id: this.name, users, timeoutMs, seen: this.seen }),
      connected: (connection, welcome) => this.connected(connection, welcome),
      broken: () => this.suspend(),
      heard: (revision) => {
        this.seen = Math.max(this.seen, revision);
        this.heardAtMs = parts.client.clock.now();
      },
    });
    this.dialer.dial();
  }

  get id(): string {
    return this.name ?? '';
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
    return await this.read(`get "${path}"`, path, options, (tree) => readNode(tree, this.parts.users, path));
  }

  async exists(path: string, options?: CallOptions): Promise<Stat | null> {
    return await this.read(`exists "${path}"`, path, options, (tree) => readStat(tree, path));
  }

  async children(path: string, options?: CallOptions): Promise<readonly string[]> {
    return await this.read(`children "${path}"`, path, options, (tree) => readChildren(tree, this.parts.users, path));
  }

  async set(path: string, data: Uint8Array, version: number | null, options?: CallOptions): Promise<Stat> {
    const [result] = await this.write(`set "${path}"`, [{ type: 'set', path, data, version }], options);
    return (result as Extract<OperationResult, { readonly type: 'set' }>).stat;
  }

  async delete(path: string, version: number | null, options?: CallOptions): Promise<void> {
    await this.write(`delete "${path}"`, [{ type: 'delete', path, version }], options);
  }

  async multi(operations: readonly Operation[], options?: CallOptions): Promise<readonly OperationResult[]> {
    return await this.write(`a transaction of ${operations.length} operations`, operations, options);
  }

  async access(path: string, options?: CallOptions): Promise<readonly AccessRule[]> {
    return await this.read(`access "${path}"`, path, options, (tree) => readAccess(tree, this.parts.users, path));
  }

  async setAccess(path: string, rules: readonly AccessRule[], options?: CallOptions): Promise<void> {
    this.checkOpen();
    checkPath(path);
    checkRules(path, rules);
    const kept = structuredClone(rules);
    const write = { type: 'write', write: changeAccess.bind(null, path, kept) } as const;
    await this.call(`setAccess "${path}"`, write, options);
  }

  async sync(path: string, options?: CallOptions): Promise<void> {
    this.checkOpen();
    checkPath(path);
    await this.call(`sync "${path}"`, { type: 'sync' }, options);
  }

  watchNode(path: string, listener: (node: StoreNode | null) => void): Subscription {
    return this.watch(nodeWatch(path, this.parts.users, listener, this.parts.logger));
  }

  watchChildren(path: string, listener: (names: readonly string[] | null) => void): Subscription {
    return this.watch(childrenWatch(path, this.parts.users, listener, this.parts.logger));
  }

  async close(): Promise<void> {
    if (this.gone === null && this.current !== 'lost' && this.current !== 'closed') {
      let resolve: () => void = () => undefined;
      this.gone = { promise: new Promise<void>((done) => (resolve = done)), resolve };
      this.over('closed');
      // Who cannot reach the store leaves the end of the session to its timeout.
      this.leaving = this.parts.client.clock.after(STORE_CALL_TIMEOUT_MS, () => this.left());
      if (this.connection !== null) this.askForEnd(this.connection);
    }
    await this.gone?.promise;
  }

  /** Its store is closed. */
  abandon(): void {
    if (!this.ended.aborted) this.over('closed');
    this.fail('its store was closed');
    this.left();
  }

  private connected(connection: Connection, welcome: Welcome): void {
    if (welcome === null) {
      connection.drop();
      if (this.gone === null) this.over('lost');
      this.left();
      return;
    }
    this.connection = connection;
    this.sentAtMs = this.parts.client.clock.now();
    this.keepBeating();
    if (this.gone !== null) {
      this.askForEnd(connection);
    } else if (this.name === null) {
      this.name = welcome.id;
      this.opened(this);
    } else {
      this.current = 'connected';
      for (const watch of this.watches) watch.begin(connection);
      this.tell({ type: 'reconnected' });
    }
  }

  private suspend(): void {
    this.connection?.drop();
    this.connection = null;
    this.beat?.cancel();
    if (!this.ended.aborted) this.current = 'suspended';
    this.fail('its connection broke');
    this.dialer.dial();
    if (!this.ended.aborted) this.tell({ type: 'suspended' });
  }

  /** Pings when it said nothing for long, and gives a connection up that says nothing. */
  private keepBeating(): void {
    const { clock } = this.parts.client;
    this.beat?.cancel();
    this.beat = clock.after(this.timeoutMs / 8, () => {
      const nowMs = clock.now();
      if (nowMs - this.heardAtMs >= (this.timeoutMs * 2) / 3) {
        this.suspend();
        return;
      }
      if (nowMs - this.sentAtMs >= this.timeoutMs / 4) {
        this.sentAtMs = nowMs;
        this.connection?.request({ type: 'read', read: () => undefined }, () => undefined);
      }
      this.keepBeating();
    });
  }

  private askForEnd(connection: Connection): void {
    connection.request({ type: 'end' }, () => this.left());
  }

  /** Nothing of it is left to do. */
  private left(): void {
    this.beat?.cancel();
    this.leaving?.cancel();
    this.dialer.stop();
    this.connection?.drop();
    this.connection = null;
    this.fail('its session is over');
    this.parts.forget(this);
    this.gone?.resolve();
  }

  protected silence(): void {
    for (const watch of this.watches) watch.close();
    this.watches.clear();
  }

  /** Fails everything that is under way. */
  private fail(reason: string): void {
    this.reason = reason;
    for (const fail of [...this.calls.values()]) fail();
  }

  private async write(
    what: string,
    operations: readonly Operation[],
    options: CallOptions | undefined,
  ): Promise<readonly OperationResult[]> {
    this.checkOpen();
    checkOperations(operations);
    // What goes over a network is what it was when it was sent.
    const sent = structuredClone(operations);
    const answer = await this.call(what, { type: 'write', write: transact.bind(null, sent) }, options);
    return answer.type === 'write' ? answer.applied.results : [];
  }

  private async read<T>(
    what: string,
    path: string,
    options: CallOptions | undefined,
    read: (tree: Tree) => T,
  ): Promise<T> {
    this.checkOpen();
    checkPath(path);
    const answer = await this.call(what, { type: 'read', read }, options);
    return (answer as { readonly value: T }).value;
  }

  private call(what: string, request: Request, options: CallOptions = {}): Promise<Answer> {
    const { signal } = options;
    const timeoutMs = callTimeMs(options);
    const { chance } = this.parts.network;
    const { clock } = this.parts.client;
    const { connection } = this;
    const unavailable = (reason: string): MillraceError => failure('MILLRACE_STORE_UNAVAILABLE', { what, reason });
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const noTime = withoutTime(what, options);
      if (noTime !== null) return reject(noTime);
      if (connection === null) return reject(unavailable('it is not connected'));
      if (this.calls.size >= STORE_CALLS_MAX) {
        return reject(failure('MILLRACE_STORE_TOO_MANY', { count: this.calls.size, what: 'calls' }));
      }
      const number = this.nextCall++;
      const end = (then: () => void): void => {
        if (!this.calls.delete(number)) return;
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        then();
      };
      const abort = (): void => end(() => reject(signal?.reason as Error));
      const failed = (reason: string): Error =>
        request.type === 'write' ? failure('MILLRACE_STORE_UNCERTAIN', { what, reason }) : unavailable(reason);
      const late = (): void =>
        end(() => {
          reject(failed(`it took longer than ${timeoutMs} ms`));
          // A server that does not answer may be cut off from the others: another one is tried.
          if (this.connection === connection) this.suspend();
        });
      const refused = chance.happens('refusedShare');
      const refuse = (): void => end(() => reject(unavailable('it was refused')));
      const refuseMs = Math.min(timeoutMs, chance.ms('delayMs'));
      const timer = refused ? clock.after(refuseMs, refuse) : clock.after(timeoutMs, late);
      this.calls.set(number, () => end(() => reject(refused ? unavailable(this.reason) : failed(this.reason))));
      signal?.addEventListener('abort', abort);
      if (refused) return;
      this.sentAtMs = clock.now();
      connection.request(request, (answer) =>
        end(() => (answer.type === 'failed' ? reject(answer.error) : resolve(answer))),
      );
      if (chance.happens('brokenShare')) clock.after(3 * chance.ms('delayMs'), () => connection.break());
    });
  }

  private watch(watch: ClientWatch): Subscription {
    this.checkOpen();
    checkPath(watch.path);
    if (this.watches.size >= STORE_WATCHES_MAX) {
      throw failure('MILLRACE_STORE_TOO_MANY', { count: this.watches.size, what: 'watches' });
    }
    this.watches.add(watch);
    if (this.connection !== null) watch.begin(this.connection);
    return {
      close: () => {
        this.watches.delete(watch);
        watch.close();
      },
    };
  }
}
