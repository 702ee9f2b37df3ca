// The HTTP interface of one host: a Fastify server with the guard in front, the routes behind it, and bounds on all
// that a caller can make it hold. It knows a host only as `HostService`.
//
//   listening ──close()──► closing: no new connections, 503; what is under way may end for a while ──► closed
//
// Invariant: `close` settles within `closeMs`, whatever callers do, and no connection is left. Main thread.

import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RealClock, type Clock } from '../../engine/clock.js';
import { failure } from '../../engine/errors.js';
import { ARTIFACT_BYTES_MAX, httpLimits, type HttpLimits } from '../../engine/limits.js';
import { silentLogger, type Logger } from '../../engine/log.js';
import type { HostService } from '../host/service.js';
import { installedVersion } from '../installation.js';
import { checkRequest, type App } from './app.js';
import { forwardToOwner } from './forward.js';
import { readJsonBodies } from './body.js';
import { refuseSocket, replyFailure } from './failures.js';
import { checkMediaType, guard, JSON_TYPE, shownPath } from './guard.js';
import { formatAddress, listenFailure, resolveListenAddress, type ListenAddress } from './listen.js';
import { addDocumentation } from './openapi.js';
import { addRoutes } from './routes/index.js';
import { PARAM_LENGTH_MAX } from './schemas.js';

export interface ServerOptions {
  readonly service: HostService;
  /** Default: says nothing. */
  readonly logger?: Logger;
  readonly limits?: Partial<HttpLimits>;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A server that may listen once. */
export interface ApiServer {
  /**
   * Listens there, and gives the URL: `http://127.0.0.1:7070`.
   *
   * @throws MILLRACE_API_LISTEN_ADDRESS, MILLRACE_API_PORT_IN_USE, MILLRACE_API_LISTEN_FAILED
   */
  listen(address: ListenAddress): Promise<{ readonly url: string; readonly port: number }>;
  /** Serves a socket that came in another way than to its port. */
  serve(socket: Socket): void;
  /** Ends it within `closeMs`; further calls wait for the same end. */
  close(): Promise<void>;
}

/** Makes the server of a host. Nothing listens yet. */
export function createServer(options: ServerOptions): ApiServer {
  return new Server(options);
}

/** No page may show it in a frame, guess types, keep what it says, or load it from elsewhere. */
const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

class Server implements ApiServer {
  private readonly logger: Logger;
  private readonly limits: HttpLimits;
  private readonly clock: Clock;
  private readonly app: App;
  private readonly underWay = new Set<ServerResponse>();
  /** The last reply of each connection. */
  private readonly replies = new WeakMap<Socket, ServerResponse>();
  /** Sockets that did not come in by its port, of which the server knows nothing when it closes. */
  private readonly served = new Set<Socket>();
  private address: ListenAddress = { host: '', port: 0 };
  private closed: Promise<void> | null = null;
  private isCut: () => void = () => undefined;

  constructor({ service, logger = silentLogger, limits = {}, clock = new RealClock() }: ServerOptions) {
    this.logger = logger;
    this.limits = { ...httpLimits, ...limits };
    this.clock = clock;
    this.app = this.makeApp();
    this.app.setErrorHandler((error, request, reply) => this.fail(error, request, reply));
    this.app.setNotFoundHandler((request) => {
      throw failure('MILLRACE_REQUEST_ROUTE', { path: shownPath(request.raw.url) });
    });
    this.app.setValidatorCompiler(() => () => true);
    this.app.addHook('onRequest', async (request, reply) => this.admit(request, reply));
    this.app.addHook('onSend', async (request, reply) => this.release(request, reply));
    this.app.addHook('preHandler', checkRequest);
    forwardToOwner(this.app, service, this.logger);
    readJsonBodies(this.app);
    addDocumentation(this.app, installedVersion());
    addRoutes(this.app, { service });
  }

  async listen(wanted: ListenAddress): Promise<{ readonly url: string; readonly port: number }> {
    const { host, port } = await resolveListenAddress(wanted);
    this.address = { host, port };
    await this.app.ready();
    // Before the first connection can be made: the guard has to know the port.
    this.app.server.once('listening', () => (this.address = { host, port: this.boundPort() }));
    await this.app.listen({ host, port }).catch((error: unknown) => {
      throw listenFailure({ host, port }, error);
    });
    return { url: `http://${formatAddress(this.address)}`, port: this.address.port };
  }

  serve(socket: Socket): void {
    if (this.closed !== null || this.served.size >= this.limits.connectionsMax) {
      socket.destroy();
      return;
    }
    this.served.add(socket);
    socket.once('close', () => this.served.delete(socket));
    this.app.server.emit('connection', socket);
  }

  async close(): Promise<void> {
    this.closed ??= this.shut();
    await this.closed;
  }

  private async shut(): Promise<void> {
    const cut = this.clock.after(this.limits.closeMs, () => {
      this.app.server.closeAllConnections();
      this.isCut();
    });
    const isClosed = this.app.close();
    if (this.underWay.size === 0) this.app.server.closeAllConnections();
    try {
      await isClosed;
      await this.quiet();
    } finally {
      cut.cancel();
      for (const socket of this.served) socket.destroy();
    }
  }

  /** Nothing is under way any more, or what is has been cut off. */
  private async quiet(): Promise<void> {
    if (this.underWay.size > 0) await new Promise<void>((resolve) => (this.isCut = resolve));
  }

  private boundPort(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  private makeApp(): App {
    const { limits } = this;
    const app: App = fastify({
      logger: false,
      bodyLimit: limits.bodyBytesMax,
      connectionTimeout: limits.stalledMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      http: {
        maxHeaderSize: limits.headerBytesMax,
        headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
        connectionsCheckingInterval: limits.timeoutCheckMs,
        insecureHTTPParser: false,
        // The guard says it in our words.
        requireHostHeader: false,
      },
      forceCloseConnections: 'idle',
      return503OnClosing: false,
      exposeHeadRoutes: true,
      routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
      frameworkErrors: (error, request, reply) => this.fail(error, request, reply),
      clientErrorHandler: (error, socket) => refuseSocket(error, socket, this.replies.get(socket), limits),
    }).withTypeProvider();
    app.server.maxConnections = limits.connectionsMax;
    // Node leaves out what is beyond this number, and with it what the guard has to see; their bytes are bounded.
    app.server.maxHeadersCount = 0;
    return app;
  }

  /** The first thing that is done with a request. */
  private admit(request: FastifyRequest, reply: FastifyReply): void {
    void reply.headers(HEADERS);
    this.watch(request, reply);
    if (this.closed !== null) throw failure('MILLRACE_API_CLOSING', {});
    guard(request.raw, formatAddress(this.address), this.address.port);
    const { mediaTypes = [JSON_TYPE] } = request.routeOptions.config;
    if (!request.is404 && mediaTypes !== null) checkMediaType(request.raw, mediaTypes);
  }

  /** The last thing that is done before a reply is sent. */
  private release({ raw }: FastifyRequest, reply: FastifyReply): void {
    if (!raw.complete) {
      // Whoever still sends would meet a closed connection, and never see why it was refused: let the rest run by.
      void reply.removeHeader('connection');
      let bytes = 0;
      raw.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ARTIFACT_BYTES_MAX) raw.destroy();
      });
    }
    if (this.closed !== null) void reply.header('connection', 'close');
  }

  private watch({ raw }: FastifyRequest, reply: FastifyReply): void {
    this.underWay.add(reply.raw);
    this.replies.set(raw.socket, reply.raw);
    reply.raw.once('close', () => {
      this.underWay.delete(reply.raw);
      if (this.closed === null || this.underWay.size > 0) return;
      this.app.server.closeAllConnections();
      this.isCut();
    });
  }

  private fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    replyFailure(error, request, reply, this.logger, this.limits);
  }
}
