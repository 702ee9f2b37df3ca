// A server that speaks as much of ZooKeeper's protocol as a test tells it to, also what no real one would say. Nothing
// is answered that the test did not answer.

import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import {
  longOf,
  protocolRecord,
  Reader,
  xids,
  type WireRecord,
} from '../../../../coordination/store/zookeeper/codec.js';
import { Frames } from '../../../../coordination/store/zookeeper/frames.js';

export interface FakeRequest {
  readonly xid: number;
  readonly operation: number;
  readonly body: Buffer;
}

/** Who comes in the order of things, also when nobody waits yet. */
class Arrivals<T> {
  private readonly arrived: T[] = [];
  private readonly waiting: ((value: T) => void)[] = [];

  add(value: T): void {
    const next = this.waiting.shift();
    if (next === undefined) this.arrived.push(value);
    else next(value);
  }

  async next(): Promise<T> {
    if (this.arrived.length > 0) return this.arrived.shift()!;
    return await new Promise<T>((resolve) => this.waiting.push(resolve));
  }

  get count(): number {
    return this.arrived.length;
  }
}

/** One connection of a client. */
export class FakeConnection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly requests = new Arrivals<FakeRequest>();
  private readonly greetings = new Arrivals<WireRecord>();
  private greeted = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    const frames = new Frames(4_000_000);
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      frames.push(piece, (body) => {
        if (this.greeted) {
          this.requests.add({ xid: body.readInt32BE(0), operation: body.readInt32BE(4), body: body.subarray(8) });
        } else {
          this.greeted = true;
          this.greetings.add(new Reader(body, 0).protocol('ConnectRequest'));
        }
        return true;
      });
    });
  }

  /** What the client said first. */
  async greeting(): Promise<WireRecord> {
    return await this.greetings.next();
  }

  /** Answers for the session; 0 milliseconds: there is none. */
  greet(timeoutMs: number, id = 1n): void {
    const password = Buffer.alloc(16, 7);
    this.send(protocolRecord('ConnectResponse', 0, timeoutMs, longOf(id), password));
  }

  /** The next request, which must be that one. */
  async request(operation: number): Promise<FakeRequest> {
    const request = await this.requests.next();
    if (request.operation !== operation) throw new Error(`request ${request.operation} instead of ${operation}`);
    return request;
  }

  reply(xid: number, error = 0, payload: WireRecord | null = null, zxid = 1n): void {
    this.send(...[protocolRecord('ReplyHeader', xid, longOf(zxid), error), ...(payload === null ? [] : [payload])]);
  }

  event(type: number, path: string): void {
    const header = protocolRecord('ReplyHeader', xids.notification, longOf(-1n), 0);
    this.send(header, protocolRecord('WatcherEvent', type, 3, path));
  }

  send(...records: readonly WireRecord[]): void {
    this.socket.write(bytesOf(...records));
  }
}

/** Records behind their length. */
export function bytesOf(...records: readonly WireRecord[]): Buffer {
  const parts = records.map((record) => {
    const bytes = Buffer.alloc(record.byteLength());
    record.serialize(bytes, 0);
    return bytes;
  });
  const length = Buffer.alloc(4);
  length.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([length, ...parts]);
}

export class FakeServer {
  readonly connections = new Arrivals<FakeConnection>();
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      this.connections.add(new FakeConnection(socket));
    });
  }

  /** Listens on loopback until the test ends. */
  static async start(t: Test): Promise<FakeServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const fake = new FakeServer(server);
    t.teardown(() => fake.stop());
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next connection of a client. */
  async connection(): Promise<FakeConnection> {
    return await this.connections.next();
  }

  /** The next connection, greeted for that session. */
  async greeted(timeoutMs = 6000, id = 1n): Promise<FakeConnection> {
    const connection = await this.connection();
    await connection.greeting();
    connection.greet(timeoutMs, id);
    return connection;
  }

  stop(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
