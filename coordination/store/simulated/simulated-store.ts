// A store on virtual time whose network and servers do what the test, or chance, says: for simulations of a whole
// cluster in one process. A leader and some servers that follow it, kept in memory; clients have names, so that one of
// them can be cut off. The same seed and the same calls give the same run, event by event.
//
//   client "a" ── connection ──► server 0 ─┐
//   client "b" ── connection ──► server 1 ─┼─► leader: one order of all changes
//   client "b" ── connection ──► server 2 ─┘
//        └ partition(names)          └ cutServer(i)   └ stop()

import type { Clock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import {
  EMBEDDED_STORE_BYTES_MAX,
  SIMULATED_SERVERS_MAX,
  SIMULATED_SESSION_TIMEOUT_MS,
} from '../../../engine/limits.js';
import { silentLogger, type Logger } from '../../../engine/log.js';
import { Random } from '../../../engine/random.js';
import { granted, usersOf } from '../access.js';
import { callTimeMs, withoutTime } from '../call-time.js';
import type { AccessRule, ConnectOptions, Credentials, Session, Store } from '../contract.js';
import type { Client, Connection, Network } from './connection.js';
import { Chance, NO_FAULTS, type SimulatedFaults } from './faults.js';
import { Leader, type Change } from './leader.js';
import { Server } from './server.js';
import { SimulatedSession } from './session.js';

export interface SimulatedStoreOptions {
  /** Its time: who has the clock moves it on. */
  readonly clock: Clock;
  /** Everything that happens by chance follows from it. */
  readonly seed: number;
  /** What happens by chance. Default: nothing, and everything at once. */
  readonly faults?: Partial<SimulatedFaults>;
  /** From 1 to `SIMULATED_SERVERS_MAX`. Default 3. */
  readonly servers?: number;
  /** Milliseconds of silence after which a session is over. Default `SIMULATED_SESSION_TIMEOUT_MS`. */
  readonly sessionTimeoutMs?: number;
  readonly logger?: Logger;
  /** What it may take of memory, for each server. Default `EMBEDDED_STORE_BYTES_MAX`. */
  readonly treeBytesMax?: number;
  /** For whom every session speaks, beside what it brings itself. Default: nobody. */
  readonly credentials?: readonly Credentials[];
  /** Who may do what with nodes that are created without rules. Default: everybody everything. */
  readonly access?: readonly AccessRule[];
  /** Told of each change at the moment when it counts, in the order of all changes. Default: nobody. */
  readonly changed?: (change: Change) => void;
}

export class SimulatedStore implements Store {
  private readonly options: SimulatedStoreOptions;
  private readonly chance: Chance;
  private readonly leader: Leader;
  private readonly servers: Server[] = [];
  private readonly network: Network;
  private readonly connections = new Set<Connection>();
  private readonly blocked = new Set<string>();
  private readonly sessions = new Set<SimulatedSession>();
  private closed = false;

  constructor(options: SimulatedStoreOptions) {
    const { clock, seed, servers = 3, treeBytesMax = EMBEDDED_STORE_BYTES_MAX, access = null } = options;
    if (access !== null) granted('/', access, [...usersOf(options.credentials ?? []), { user: 'any', digest: '' }]);
    this.options = options;
    this.chance = new Chance(new Random(seed), { ...NO_FAULTS, ...options.faults });
    this.leader = new Leader({
      clock,
      treeBytesMax,
      access,
      decided: (change) => {
        options.changed?.(change);
        for (const server of this.servers) server.come(change);
      },
      ended: (sessionId) => this.breakWhere((connection) => connection.session === sessionId),
    });
    for (let index = 0; index < Math.min(Math.max(1, servers), SIMULATED_SERVERS_MAX); index++) {
      const letGo = (): void => this.breakWhere((connection) => connection.server === server);
      const server: Server = new Server(this.leader, clock, this.chance, letGo);
      this.servers.push(server);
    }
    this.network = {
      clock,
      chance: this.chance,
      servers: this.servers,
      connections: this.connections,
      blocked: (client) => this.blocked.has(client),
    };
  }

  /** A session of a client without a name. */
  async connect(options?: ConnectOptions): Promise<Session> {
    return await this.open({ name: '', clock: this.options.clock }, options);
  }

  /**
   * The store as the client of that name reaches it.
   *
   * @param clock - the time of that client; stopped, the client stands still as a process does after SIGSTOP, and what
   * comes for it waits. It has to run as that of the store does. Default: that of the store
   */
  client(name: string, clock: Clock = this.options.clock): Store {
    return { connect: async (options) => await this.open({ name, clock }, options) };
  }

  /** What happens by chance at present. */
  get faults(): SimulatedFaults {
    return this.chance.faults;
  }

  /** Changes what happens by chance, from now on. */
  setFaults(faults: Partial<SimulatedFaults>): void {
    this.chance.faults = { ...this.chance.faults, ...faults };
  }

  /** Nothing of these clients gets through any more, and nobody tells them. */
  partition(...clients: readonly string[]): void {
    for (const client of clients) this.blocked.add(client);
  }

  /** They may reach the store again; a connection on which something was dropped stays dead. */
  heal(...clients: readonly string[]): void {
    for (const client of clients) this.blocked.delete(client);
  }

  /** Breaks the connections of a client, or of all. */
  disconnect(client?: string): void {
    this.breakWhere((connection) => client === undefined || connection.client.name === client);
  }

  /** A server hears nothing of the others: it shows old things for a while, then lets its clients go. */
  cutServer(index: number): void {
    this.servers[index % this.servers.length]!.cut();
  }

  joinServer(index: number): void {
    this.servers[index % this.servers.length]!.join();
  }

  /** All servers are away. Sessions live on, and have their whole timeout again after `start`. */
  stop(): void {
    this.leader.stop();
    this.disconnect();
  }

  start(): void {
    this.leader.start();
  }

  /** Ends that session as if it had been silent for too long. */
  async expire(sessionId: string): Promise<void> {
    this.leader.end(sessionId);
  }

  /** Everything is healed, and nothing goes wrong any more. */
  calm(): void {
    this.setFaults(NO_FAULTS);
    this.heal(...this.blocked);
    for (const server of this.servers) server.join();
    this.start();
  }

  /** Closes all sessions; nothing is kept. */
  async close(): Promise<void> {
    this.closed = true;
    this.leader.stop();
    for (const session of [...this.sessions]) session.abandon();
  }

  private async open(client: Client, options: ConnectOptions = {}): Promise<Session> {
    const { signal, credentials = [] } = options;
    const timeoutMs = callTimeMs(options);
    const { logger = silentLogger, sessionTimeoutMs = SIMULATED_SESSION_TIMEOUT_MS } = this.options;
    signal?.throwIfAborted();
    const refused = withoutTime('a new session', options);
    if (refused !== null) throw refused;
    const users = usersOf([...(this.options.credentials ?? []), ...credentials]);
    const what = 'a new session';
    if (this.closed) throw failure('MILLRACE_STORE_UNAVAILABLE', { what, reason: 'the store is closed' });
    let closed: () => void = () => undefined;
    const parts = {
      network: this.network,
      client,
      users,
      timeoutMs: sessionTimeoutMs,
      logger,
      forget: (session: SimulatedSession) => {
        this.sessions.delete(session);
        closed();
      },
    };
    return await new Promise<Session>((resolve, reject) => {
      const end = (then: () => void): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        then();
      };
      const giveUp = (error: Error): void =>
        end(() => {
          reject(error);
          session.abandon();
        });
      closed = () => end(() => reject(failure('MILLRACE_STORE_UNAVAILABLE', { what, reason: 'the store is closed' })));
      const abort = (): void => giveUp(signal?.reason as Error);
      const reason = `no server took it within ${timeoutMs} ms`;
      const late = (): void => giveUp(failure('MILLRACE_STORE_UNAVAILABLE', { what, reason }));
      const timer = client.clock.after(timeoutMs, late);
      signal?.addEventListener('abort', abort);
      const session = new SimulatedSession(parts, (opened) => end(() => resolve(opened)));
      this.sessions.add(session);
    });
  }

  private breakWhere(which: (connection: Connection) => boolean): void {
    for (const connection of [...this.connections]) if (which(connection)) connection.break();
  }
}
