// Where a host may listen, until there are roles: on this machine only. Reads addresses as people write them, and turns
// what the system says about them into errors of the catalogue. Main thread.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { failure, reasonOf, type MillraceError } from '../../engine/errors.js';
import { isLoopback } from '../loopback.js';

/** Where to listen. Port 0 is a free one. */
export interface ListenAddress {
  /** A loopback address, or `localhost`. */
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
const LOCALHOST = 'localhost';
const WRITTEN = /^(?:\[(?<six>[^\]]*)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/;

/** `127.0.0.1:7070`, `[::1]:7070`. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `127.0.0.1:7070`, `[::1]:0` or `localhost:7070`.
 *
 * @throws MILLRACE_API_LISTEN_ADDRESS
 */
export function parseListenAddress(text: string): ListenAddress {
  const groups = WRITTEN.exec(text)?.groups;
  const host = groups?.['six'] ?? groups?.['host'] ?? '';
  const port = Number(groups?.['port']);
  if (groups === undefined || host === '') throw refused(text, 'it is not an address and a port');
  checkAddress({ host, port });
  return { host, port };
}

/**
 * The loopback address to bind: `localhost` is looked up.
 *
 * @throws MILLRACE_API_LISTEN_ADDRESS
 */
export async function resolveListenAddress(wanted: ListenAddress): Promise<ListenAddress> {
  checkAddress(wanted);
  const { host, port } = wanted;
  if (host !== LOCALHOST) return { host, port };
  const found = await lookup(host).catch((error: unknown) => {
    throw refused(formatAddress(wanted), reasonOf(error));
  });
  if (!isLoopback(found.address)) throw refused(formatAddress(wanted), `it stands for ${found.address} here`);
  return { host: found.address, port };
}

/** The error for what the system said when the address was to be bound. */
export function listenFailure(address: ListenAddress, thrown: unknown): MillraceError {
  const { code } = thrown as NodeJS.ErrnoException;
  const shown = formatAddress(address);
  if (code === 'EADDRINUSE') {
    return failure('MILLRACE_API_PORT_IN_USE', { address: shown, port: address.port }, { cause: thrown });
  }
  return failure('MILLRACE_API_LISTEN_FAILED', { address: shown, reason: reasonOf(thrown) }, { cause: thrown });
}

function checkAddress(address: ListenAddress): void {
  const { host, port } = address;
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX) {
    throw refused(formatAddress(address), `a port is a whole number from 0 to ${PORT_MAX}`);
  }
  if (host === LOCALHOST || isLoopback(host)) return;
  throw refused(
    formatAddress(address),
    isIP(host) === 0 ? `"${host}" is not a loopback address` : `${host} can be reached from other machines`,
  );
}

function refused(address: string, reason: string): MillraceError {
  return failure('MILLRACE_API_LISTEN_ADDRESS', { address, reason });
}
