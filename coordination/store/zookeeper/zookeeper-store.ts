// The store on a ZooKeeper ensemble. Sessions come from here; the path of the connection string, the chroot, is made
// when it is not there. One session a process is enough, and nothing heavy belongs in its thread: who does not ping in
// time loses it. The host's main thread.

import { RealClock, type Clock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import {
  STORE_CALL_TIMEOUT_MS,
  ZOOKEEPER_CLOSE_TIMEOUT_MS,
  ZOOKEEPER_SESSION_TIMEOUT_MAX_MS,
  ZOOKEEPER_SESSION_TIMEOUT_MS,
} from '../../../engine/limits.js';
import { silentLogger, type Logger } from '../../../engine/log.js';
import { entropySeed, Random } from '../../../engine/random.js';
import { checkRules, usersOf } from '../access.js';
import type { AccessRule, ConnectOptions, Credentials, Store } from '../contract.js';
import { parseConnectString, type ConnectString } from './connect-string.js';
import { Connector, type ConnectorListener, type ConnectorOptions, type Ending } from './connector.js';
import { dialler, type Dialler, type ZookeeperTls } from './dial.js';
import { ZookeeperSession } from './zookeeper-session.js';

export interface ZookeeperStoreOptions {
  /**
   * The servers, and the path that stands for the root: `zk1:2181,zk2:2181,[2001:db8::3]:2181/prod`. Without a port,
   * 2181.
   */
  readonly servers: string;
  /** Milliseconds of silence after which a session ends. Default `ZOOKEEPER_SESSION_TIMEOUT_MS`. */
  readonly sessionTimeoutMs?: number;
  /** For whom all sessions speak. Default: nobody. */
  readonly credentials?: readonly Credentials[];
  /** The rules of nodes that are created without any, the chroot among them. Default: everybody everything. */
  readonly access?: readonly AccessRule[];
  /** Speaks TLS; `{}` with the authorities that Node knows. Default: not. */
  readonly tls?: ZookeeperTls;
  readonly clock?: Clock;
  /** Spreads clients over servers, and their tries over time. */
  readonly random?: Random;
  readonly logger?: Logger;
}

/** Follows nothing: for ending a session of somebody else. */
const deaf: ConnectorListener = {
  suspended: () => undefined,
  reconnected: () => undefined,
  lost: () => undefined,
  event: () => undefined,
  watches: () => [],
};

export class ZookeeperStore implements Store {
  /** The servers and the chroot, as they were read. */
  readonly address: ConnectString;
  private readonly options: ZookeeperStoreOptions;
  private readonly dialler: Dialler;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly logger: Logger;

  /**
   * Checks what it is given; connects nowhere yet.
   *
   * @throws MILLRACE_ZOOKEEPER_CONNECT_STRING, MILLRACE_ZOOKEEPER_OPTION, MILLRACE_STORE_CREDENTIALS,
   * MILLRACE_STORE_ACCESS
   */
  constructor(options: ZookeeperStoreOptions) {
    this.options = options;
    this.address = parseConnectString(options.servers);
    this.dialler = dialler(options.tls ?? null);
    this.clock = options.clock ?? new RealClock();
    this.random = options.random ?? new Random(entropySeed());
    this.logger = options.logger ?? silentLogger;
    const { sessionTimeoutMs: asked = ZOOKEEPER_SESSION_TIMEOUT_MS } = options;
    if (!Number.isInteger(asked) || asked < 1 || asked > ZOOKEEPER_SESSION_TIMEOUT_MAX_MS) {
      const reason = `it is whole milliseconds from 1 to ${ZOOKEEPER_SESSION_TIMEOUT_MAX_MS}`;
      throw failure('MILLRACE_ZOOKEEPER_OPTION', { option: 'sessionTimeoutMs', value: String(asked), reason });
    }
    usersOf(options.credentials ?? []);
    if (options.access !== undefined) checkRules('/', options.access);
  }

  async connect(options: ConnectOptions = {}): Promise<ZookeeperSession> {
    const { timeoutMs = STORE_CALL_TIMEOUT_MS, signal } = options;
    const credentials = [...(this.options.credentials ?? []), ...(options.credentials ?? [])];
    const users = usersOf(credentials);
    const connector = this.connectorOptions(credentials);
    const { access = null } = this.options;
    const { chroot } = this.address;
    const session = await ZookeeperSession.open({ connector, chroot, users, access }, timeoutMs, signal);
    // What was negotiated down would surprise with early losses.
    if (session.timeoutMs < connector.sessionTimeoutMs) {
      const got = `${session.timeoutMs} ms of silence instead of ${connector.sessionTimeoutMs} ms`;
      this.logger.warn(`ZooKeeper gives session "${session.id}" ${got}: see its maxSessionTimeout`);
    }
    return session;
  }

  /**
   * Ends a session of somebody else, whose owner is dead: what is ephemeral in it is gone at once, not after its time.
   *
   * @param id - its `id`
   * @param password - its `password`
   * @returns `gone` when the ensemble does not know that session with that password, `unconfirmed` when no server
   * answered in time
   */
  async endSession(id: string, password: string, withinMs: number = ZOOKEEPER_CLOSE_TIMEOUT_MS): Promise<Ending> {
    // Zero is what asks for a new one.
    if (!/^0x[0-9a-f]{1,16}$/.test(id) || BigInt(id) === 0n) {
      throw failure('MILLRACE_ZOOKEEPER_OPTION', {
        option: 'id',
        value: `"${id}"`,
        reason: 'it is no id of a session',
      });
    }
    const key = { id: BigInt.asIntN(64, BigInt(id)), password: Buffer.from(password, 'hex') };
    return await new Connector(this.connectorOptions([]), deaf, key).end(withinMs);
  }

  private connectorOptions(credentials: readonly Credentials[]): ConnectorOptions {
    return {
      servers: this.address.servers,
      dialler: this.dialler,
      sessionTimeoutMs: this.options.sessionTimeoutMs ?? ZOOKEEPER_SESSION_TIMEOUT_MS,
      credentials,
      clock: this.clock,
      random: this.random,
      logger: this.logger,
    };
  }
}
