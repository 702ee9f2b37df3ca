// Sockets between processes, in the clear or over TLS with certificates on both sides. Who holds a certificate of the
// given authority belongs to the cluster: hosts find each other by addresses of their store, so certificates need not
// name them. Any thread.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { TLS_STRANGERS_MAX } from '../../limits.js';
import type { TcpAddress } from './tcp-wire.js';

/** What a process proves itself with, as PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  /** Who must have signed the certificate of the other end. */
  readonly ca: string;
}

/**
 * A server whose sockets have shown their certificate, where there is one to be shown.
 *
 * @param refused - told the address of each that said something and yet had none to show. Default: nobody is
 */
export function listener(
  tls: TlsIdentity | null,
  handshakeMs: number,
  admit: (socket: Socket) => void,
  refused: (address: string) => void = () => undefined,
): Server {
  if (tls === null) return createServer({ noDelay: true }, admit);
  const options = {
    ...tls,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    noDelay: true,
  } as const;
  const server = createTlsServer({ ...options, handshakeTimeout: handshakeMs }, admit);
  // A stranger, whose socket is closed by then.
  server.on('tlsClientError', () => undefined);
  boundStrangers(server, refused);
  return server;
}

/** Sockets that have not shown a certificate are few: the oldest one makes room. */
function boundStrangers(server: Server, refused: (address: string) => void): void {
  const strangers = new Map<string, Socket>();
  const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress ?? ''} ${remotePort ?? 0}`;
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    const [oldest] = strangers.values();
    if (oldest !== undefined && strangers.size >= TLS_STRANGERS_MAX) oldest.destroy();
    strangers.set(name, socket);
    const address = socket.remoteAddress ?? '';
    socket.once('close', () => {
      if (strangers.delete(name) && socket.bytesRead > 0) refused(address);
    });
  });
  server.on('secureConnection', (socket: Socket) => strangers.delete(nameOf(socket)));
}

/** A socket to that address; what is written before it is open waits. What goes wrong is its `error`. */
export function dial(tls: TlsIdentity | null, { host, port }: TcpAddress): Socket {
  if (tls === null) return connect({ host, port, noDelay: true });
  const socket = connectTls({ ...tls, host, port, minVersion: 'TLSv1.3', checkServerIdentity: () => undefined });
  return socket.setNoDelay(true);
}
