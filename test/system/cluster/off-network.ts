// Loaded by host processes before anything else, into each of their threads: while there is a file that says so, what
// they have with other hosts is cut. Their sessions with ZooKeeper are not touched; those go through proxies.
//
//   `refused`: sockets to others are destroyed, and new ones at once, as by a firewall that says no
//   `lost`:    what is sent either way vanishes, also ends, as when a cable is pulled. When the file is gone, sockets
//              that lost something are destroyed, for nobody can go on with them.

import { readFileSync } from 'node:fs';
import { Server, Socket } from 'node:net';

type Network = 'whole' | 'refused' | 'lost';

const LOOK_MS = 20;
const file = process.env['MILLRACE_TEST_NETWORK'] ?? '';
const storePorts = new Set((process.env['MILLRACE_TEST_STORE_PORTS'] ?? '').split(',').map(Number));
/** Sockets with other hosts. */
const others = new Set<Socket>();
const robbed = new Set<Socket>();
let network: Network = 'whole';

const { connect, push, _write, _writev } = Socket.prototype as unknown as {
  readonly connect: (...args: unknown[]) => Socket;
  readonly push: (chunk: unknown, ...rest: readonly unknown[]) => boolean;
  readonly _write: (chunk: unknown, encoding: string, done: () => void) => void;
  readonly _writev: (chunks: unknown, done: () => void) => void;
};

function know(socket: Socket): void {
  others.add(socket);
  socket.once('close', () => {
    others.delete(socket);
    robbed.delete(socket);
  });
}

function isLost(socket: Socket): boolean {
  if (network !== 'lost' || !others.has(socket)) return false;
  robbed.add(socket);
  return true;
}

Object.assign(Socket.prototype, {
  connect(this: Socket, ...args: unknown[]): Socket {
    const given: unknown = Array.isArray(args[0]) ? args[0][0] : args[0];
    const port = Number((given as { readonly port?: unknown } | null)?.port ?? Number.NaN);
    if (Number.isNaN(port) || storePorts.has(port)) return connect.apply(this, args);
    know(this);
    if (network === 'refused') return this.destroy(new Error('refused by the test'));
    // It is never answered: whoever waits for it gives up.
    if (network === 'lost') return this;
    return connect.apply(this, args);
  },
  push(this: Socket, chunk: unknown, ...rest: readonly unknown[]): boolean {
    return isLost(this) || push.call(this, chunk, ...rest);
  },
  _write(this: Socket, chunk: unknown, encoding: string, done: () => void): void {
    if (isLost(this)) done();
    else _write.call(this, chunk, encoding, done);
  },
  _writev(this: Socket, chunks: unknown, done: () => void): void {
    if (isLost(this)) done();
    else _writev.call(this, chunks, done);
  },
});

const emit = Server.prototype.emit as (event: string | symbol, ...args: readonly unknown[]) => boolean;
Object.assign(Server.prototype, {
  emit(this: Server, event: string | symbol, ...args: readonly unknown[]): boolean {
    if (event !== 'connection') return emit.call(this, event, ...args);
    const socket = args[0] as Socket;
    know(socket);
    if (network === 'refused') {
      socket.destroy();
      return true;
    }
    return emit.call(this, event, ...args);
  },
});

setInterval(() => {
  const before = network;
  network = read();
  if (before === network) return;
  if (network === 'refused') for (const socket of others) socket.destroy();
  if (network === 'whole') for (const socket of robbed) socket.destroy();
}, LOOK_MS).unref();

function read(): Network {
  try {
    return readFileSync(file, 'utf8') as Network;
  } catch {
    return 'whole';
  }
}
