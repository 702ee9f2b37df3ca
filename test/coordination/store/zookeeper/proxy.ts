// A network that misbehaves as a test tells it to, between a client and one server: it delays, holds, swallows, cuts,
// tears and repeats what goes through, in one direction or in both.
//
//   client ── up ──► proxy ── up ──► server
//          ◄─ down ──       ◄─ down ──

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

export type Direction = 'up' | 'down';

/** What happens to bytes in one direction. */
export interface Rule {
  /** Bytes wait: until the rule changes, and then go on. A stalled network. */
  readonly hold?: boolean;
  /** Bytes vanish, and ends of connections with them: a black hole. */
  readonly swallow?: boolean;
  /** Each chunk goes on so much later, in its order. */
  readonly delayMs?: number;
  /** Chunks are torn into pieces of so many bytes, each of which is read on its own. */
  readonly pieceBytes?: number;
  /** After so many bytes more the connection is cut, in the middle of whatever. */
  readonly cutAfterBytes?: number;
  /** Each chunk goes on twice. */
  readonly repeat?: boolean;
}

export class Proxy {
  readonly port: number;
  /** Connections that clients have made. */
  connections = 0;
  /** Bytes that came from clients, and from the server. */
  readonly bytes = { up: 0, down: 0 };
  /** New connections are closed at once. */
  refuses = false;
  private readonly server: Server;
  private readonly targetPort: number;
  private readonly rules: Record<Direction, Rule> = { up: {}, down: {} };
  private readonly open = new Set<Socket>();
  private readonly changes: (() => void)[] = [];

  private constructor(server: Server, targetPort: number) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    this.targetPort = targetPort;
    server.on('connection', (client) => this.accept(client));
  }

  /** Listens on loopback, in front of that port of it, until the test ends. */
  static async before(t: Pick<Test, 'teardown'>, targetPort: number): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new Proxy(server, targetPort);
    t.teardown(() => {
      server.close();
      proxy.cut();
    });
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Sets what happens from now on, also on the connections that there are; what is left out passes. */
  rule(direction: Direction | 'both', rule: Rule): void {
    if (direction !== 'down') this.rules.up = rule;
    if (direction !== 'up') this.rules.down = rule;
    for (const changed of this.changes.splice(0)) changed();
  }

  /** Everything passes again. */
  heal(): void {
    this.refuses = false;
    this.rule('both', {});
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  private accept(client: Socket): void {
    this.connections++;
    client.on('error', () => undefined);
    if (this.refuses) {
      client.destroy();
      return;
    }
    const server = connect({ port: this.targetPort, host: '127.0.0.1' });
    server.on('error', () => undefined);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.open.add(socket);
      socket.once('close', () => this.open.delete(socket));
    }
    this.carry('up', client, server);
    this.carry('down', server, client);
  }

  private carry(direction: Direction, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    const next = (step: () => Promise<void>): void => {
      last = last.then(step, step);
    };
    from.on('data', (chunk: Buffer) => {
      this.bytes[direction] += chunk.length;
      next(() => this.pass(direction, chunk, from, to));
    });
    from.on('close', () => {
      next(async () => {
        await this.held(direction);
        if (this.rules[direction].swallow !== true) to.destroy();
      });
    });
  }

  private async pass(direction: Direction, chunk: Buffer, from: Socket, to: Socket): Promise<void> {
    await this.held(direction);
    const { swallow, delayMs, pieceBytes, cutAfterBytes, repeat } = this.rules[direction];
    if (swallow === true) return;
    if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (cutAfterBytes !== undefined && chunk.length > cutAfterBytes) {
      this.rules[direction] = {};
      await write(to, chunk.subarray(0, cutAfterBytes));
      to.end();
      from.destroy();
      return;
    }
    if (cutAfterBytes !== undefined) this.rules[direction] = { cutAfterBytes: cutAfterBytes - chunk.length };
    const size = pieceBytes ?? chunk.length;
    for (let at = 0; at < chunk.length; at += size)
      await write(to, chunk.subarray(at, at + size), pieceBytes !== undefined);
    if (repeat === true) await write(to, chunk);
  }

  private async held(direction: Direction): Promise<void> {
    while (this.rules[direction].hold === true) await new Promise<void>((resolve) => this.changes.push(resolve));
  }
}

/** Writes it; alone means that the reader has had a turn for it before the next one. */
async function write(to: Socket, bytes: Buffer, alone = false): Promise<void> {
  if (to.destroyed || to.writableEnded) return;
  await new Promise<void>((resolve) => to.write(bytes, () => resolve()));
  if (alone) await new Promise<void>((resolve) => setImmediate(resolve));
}
