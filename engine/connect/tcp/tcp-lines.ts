// The spout `tcp-lines`: a server to which others send lines. Each task has a port of its own. It takes a line from a
// connection only when it may emit it, one connection after the other, so a slow topology holds the senders back
// through TCP and nothing piles up here. Invariants: lines that are out are bounded in number and bytes, what a
// connection holds by one chunk and one line; a line is done, given up, or lost with its process, and each of these is
// told or counted. On the worker's thread.
//
//   socket ─► connection ─ready─► nextTuple ─emit─┬─ack──► settled: "ok n" where answers are wanted
//                                   ▲             └─fail─► answers wanted: "failed n"
//                                   └── replay ◄────────── else again, after 100 ms, 200 ms, … `retries` times

import { createServer, type Server, type Socket } from 'node:net';
import type { SpoutContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import { Replay } from '../../component/replay.js';
import { Spout, type FailCause, type NextTuple, type TreeFailure } from '../../component/spout.js';
import { failure, reasonOf } from '../../errors.js';
import {
  LINE_BYTES_MAX,
  RETRIES_MAX,
  TCP_BUFFER_BYTES_MAX,
  TCP_CONNECTIONS,
  TCP_CONNECTIONS_MAX,
  TCP_LINGER_MS,
  TCP_PENDING,
  TCP_PENDING_BYTES_MAX,
  TCP_PENDING_MAX,
  TCP_RETRIES,
  TUPLE_BYTES_MAX,
} from '../../limits.js';
import { Settings } from '../settings.js';
import { addressOf, Connection, type ConnectionOptions, type ConnectionOwner } from './connection.js';

/** What `lineBytesMax` can be raised to: the line must fit into a tuple. */
export const TCP_LINE_BYTES_CEILING = TUPLE_BYTES_MAX - 4096;

const PORT_MAX = 65_535;
/** How often connections are looked at for having nothing to do. */
const SWEEP_MS = 100;
/** One line in the log for each kind of refusal in this time; the counters know them all. */
const WARN_EVERY_MS = 1000;

/** A line that is out. */
interface OpenLine {
  readonly connection: Connection;
  readonly line: string;
  readonly bytes: number;
  readonly number: number;
  failures: number;
}

/** Emits the lines that peers send. */
export class TcpLines extends Spout {
  static readonly outputs = ['line', 'peer'] as const;

  private readonly settings: Settings;
  private readonly host: string;
  private readonly port: number;
  private readonly connectionsMax: number;
  private readonly pendingMax: number;
  private readonly idleMs: number | null;
  private readonly retries: number;
  /** What is given up comes on a stream of its own, if the settings ask for it. */
  private readonly deadLetters: boolean;
  private readonly options: ConnectionOptions;
  private readonly connections = new Set<Connection>();
  /** Connections with lines to take, in the order in which they take turns. */
  private readonly readyConnections = new Set<Connection>();
  private readonly warnedMs = new Map<string, number>();
  private context!: SpoutContext;
  private replay = new Replay<OpenLine>(() => 0);
  private server: Server | null = null;
  private pending = 0;
  private pendingBytes = 0;
  private bufferedBytes = 0;
  private sweptMs = 0;

  private readonly owner: ConnectionOwner = {
    now: () => this.context.now(),
    ready: (connection) => {
      this.readyConnections.add(connection);
      this.context.wake();
    },
    buffered: (connection, bytes) => {
      this.bufferedBytes += bytes;
      if (bytes < 0 || this.bufferedBytes <= TCP_BUFFER_BYTES_MAX) return;
      const why = `lines that have not ended take more than ${TCP_BUFFER_BYTES_MAX} bytes over all connections`;
      this.owner.refused(connection, 'connectionsCut', why);
      connection.leave();
    },
    refused: (connection, counter, why) => {
      this.count(counter);
      this.warn(counter, `closed the connection of ${connection.peer}: ${why}`);
    },
    torn: (connection) => {
      this.count('linesTorn');
      this.warn('linesTorn', `dropped what ${connection.peer} left of a line without its end`);
    },
    closed: (connection) => {
      this.connections.delete(connection);
      this.readyConnections.delete(connection);
      this.context.metrics.gauge('connections').set(this.connections.size);
    },
  };

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    const settings = new Settings('tcp-lines', config);
    this.settings = settings;
    this.host = config['host'] === undefined ? '127.0.0.1' : settings.text('host');
    this.port = settings.whole('port', -1, 0, PORT_MAX);
    this.connectionsMax = settings.whole('connectionsMax', TCP_CONNECTIONS, 1, TCP_CONNECTIONS_MAX);
    this.pendingMax = settings.whole('pendingMax', TCP_PENDING, 1, TCP_PENDING_MAX);
    this.idleMs = settings.duration('idleTimeout');
    this.retries = settings.whole('retries', TCP_RETRIES, 0, RETRIES_MAX);
    this.deadLetters = (config['retries'] ?? null) !== null;
    const lineBytesMax = settings.whole('lineBytesMax', LINE_BYTES_MAX, 1, TCP_LINE_BYTES_CEILING);
    this.options = { lineBytesMax, ack: settings.flag('ack', false) };
  }

  /** @throws MILLRACE_TCP_PORT_IN_USE, MILLRACE_TCP_LISTEN */
  override async open(context: SpoutContext): Promise<void> {
    this.context = context;
    this.replay = new Replay(() => context.now(), { retries: this.deadLetters ? this.retries : null });
    this.sweptMs = context.now();
    const { index, parallelism } = context;
    if (this.port > 0 && this.port + parallelism - 1 > PORT_MAX) {
      const what = `must leave room for a port for each of ${parallelism} tasks below ${PORT_MAX + 1}`;
      throw this.settings.wrong('port', what);
    }
    const port = this.port === 0 ? 0 : this.port + index;
    const server = createServer({ allowHalfOpen: true }, (socket) => this.accept(socket));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(this.cannotListen(port, error)));
      server.listen(port, this.host, resolve);
    });
    server.removeAllListeners('error');
    // Such as no file left for a further connection: those that are there go on.
    server.on('error', (error) => this.warn('accept', `cannot take a connection: ${reasonOf(error)}`));
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address : { address: this.host, port };
    context.metrics.gauge('port').set(bound.port);
    context.logger.info(`listens on ${addressOf(bound.address, bound.port)}`);
  }

  override nextTuple(emit: Emit<[line: string, peer: string]>): NextTuple {
    this.sweep();
    const { replay } = this;
    if (replay.waiting > 0 && replay.emitDue(emit, ({ line, connection }) => [line, connection.peer])) return undefined;
    if (this.isFull()) return undefined;
    for (const connection of this.readyConnections) {
      this.readyConnections.delete(connection);
      const taken = connection.take();
      if (taken === null) continue;
      // It goes to the end of the queue, so that connections take turns.
      this.readyConnections.add(connection);
      const line: OpenLine = { connection, ...taken, failures: 0 };
      this.pending++;
      this.pendingBytes += line.bytes;
      emit([line.line, connection.peer], { id: line });
      return undefined;
    }
    return undefined;
  }

  override ack(id: unknown): void {
    const line = id as OpenLine;
    this.replay.ack(line);
    this.settle(line, true);
  }

  override fail(id: unknown, _cause?: FailCause, failure?: TreeFailure): void {
    const line = id as OpenLine;
    line.failures++;
    if (this.deadLetters && !this.options.ack) {
      if (this.replay.fail(line, failure)) this.givenUp(line);
      return;
    }
    if (!this.options.ack && line.failures <= this.retries) {
      this.replay.fail(line, failure);
      return;
    }
    this.replay.ack(line);
    if (!this.options.ack) this.givenUp(line);
    this.settle(line, false);
  }

  private givenUp(line: OpenLine): void {
    this.count('linesGivenUp');
    this.warn('givenUp', `gave up line ${line.number} of ${line.connection.peer} after ${line.failures} failures`);
  }

  /** Stops listening and ends every connection. */
  override async close(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of this.connections) connection.end();
    const linger = setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
    }, TCP_LINGER_MS);
    await closed;
    clearTimeout(linger);
  }

  private accept(socket: Socket): void {
    if (this.connections.size >= this.connectionsMax || this.server === null) {
      this.count('connectionsRefused');
      this.warn(
        'refused',
        `refused a connection: there are ${this.connections.size}, and may be ${this.connectionsMax}`,
      );
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.connections.add(new Connection(socket, this.owner, this.options));
    this.context.metrics.gauge('connections').set(this.connections.size);
  }

  private isFull(): boolean {
    return this.pending >= this.pendingMax || this.pendingBytes >= TCP_PENDING_BYTES_MAX;
  }

  private settle(line: OpenLine, ok: boolean): void {
    const wasFull = this.isFull();
    this.pending--;
    this.pendingBytes -= line.bytes;
    line.connection.settle(line.number, ok);
    if (wasFull) this.context.wake();
  }

  /** Looks for connections that are idle, or whose peer does not let go. */
  private sweep(): void {
    const nowMs = this.context.now();
    if (nowMs - this.sweptMs < SWEEP_MS) return;
    this.sweptMs = nowMs;
    for (const connection of this.connections) {
      if (connection.lingers(TCP_LINGER_MS)) connection.destroy();
      if (this.idleMs === null || !connection.idleFor(this.idleMs)) continue;
      this.owner.refused(connection, 'connectionsIdle', `nothing came for ${this.idleMs} ms`);
      connection.leave();
    }
  }

  private cannotListen(port: number, error: NodeJS.ErrnoException): Error {
    const details = { component: this.context.component, host: this.host, port };
    if (error.code === 'EADDRINUSE') return failure('MILLRACE_TCP_PORT_IN_USE', details, { cause: error, fatal: true });
    return failure('MILLRACE_TCP_LISTEN', { ...details, reason: reasonOf(error) }, { cause: error, fatal: true });
  }

  private count(name: string): void {
    this.context.metrics.counter(name).add();
  }

  private warn(kind: string, message: string): void {
    const nowMs = this.context.now();
    if (nowMs - (this.warnedMs.get(kind) ?? -Infinity) < WARN_EVERY_MS) return;
    this.warnedMs.set(kind, nowMs);
    this.context.logger.warn(message);
  }
}
