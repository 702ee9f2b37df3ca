// Reads which servers there are: `zk1:2181,zk2:2181,[2001:db8::3]:2181/prod`. The path at the end, the chroot, stands
// for the root of the store. What is wrong is told by its part. Pure, any thread.

import { isIPv6 } from 'node:net';
import { failure, reasonOf } from '../../../engine/errors.js';
import { ZOOKEEPER_SERVERS_MAX } from '../../../engine/limits.js';
import { checkPath } from '../node-path.js';

export interface ServerAddress {
  /** A name or an address, that of IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  /** Each once, in the order in which they were given. */
  readonly servers: readonly ServerAddress[];
  /** Empty, or a path. */
  readonly chroot: string;
}

/** What ZooKeeper listens on when nobody says otherwise. */
const DEFAULT_PORT = 2181;

const NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;

/**
 * Reads a connection string.
 *
 * @throws MILLRACE_ZOOKEEPER_CONNECT_STRING naming the part that is wrong
 */
export function parseConnectString(text: string): ConnectString {
  const wrong = (part: string, reason: string): Error =>
    failure('MILLRACE_ZOOKEEPER_CONNECT_STRING', { servers: text.slice(0, 500), part: part.slice(0, 100), reason });
  const slash = text.indexOf('/');
  const chroot = slash < 0 ? '' : text.slice(slash).trim();
  if (chroot.includes(',')) throw wrong(chroot, 'a path stands once, behind the last server');
  if (chroot.length > 1) {
    try {
      checkPath(chroot);
    } catch (error) {
      throw wrong(chroot, reasonOf(error));
    }
  }
  const servers = new Map<string, ServerAddress>();
  for (const part of (slash < 0 ? text : text.slice(0, slash)).split(',')) {
    const read = serverOf(part.trim());
    if (typeof read === 'string') throw wrong(part.trim(), read);
    servers.set(serverName(read).toLowerCase(), read);
    if (servers.size > ZOOKEEPER_SERVERS_MAX) throw wrong(part, `there are more than ${ZOOKEEPER_SERVERS_MAX} servers`);
  }
  return { servers: [...servers.values()], chroot: chroot === '/' ? '' : chroot };
}

/** A server as it is written. */
export function serverName({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The server, or what is wrong with it. */
function serverOf(part: string): ServerAddress | string {
  if (part === '') return 'there is no server';
  if (part.startsWith('[')) {
    const end = part.indexOf(']');
    const host = part.slice(1, end);
    if (end < 0) return 'the bracket is not closed';
    if (!isIPv6(host)) return `"${host}" is no IPv6 address`;
    const rest = part.slice(end + 1);
    if (rest !== '' && !rest.startsWith(':')) return 'behind the bracket comes ":" and the port';
    return withPort(host, rest === '' ? null : rest.slice(1));
  }
  if (isIPv6(part) || part.split(':').length > 2) return 'an IPv6 address is written in brackets';
  const [host = '', port = null] = part.split(':');
  if (!NAME.test(host)) return `"${host}" is no name of a host`;
  return withPort(host, port);
}

function withPort(host: string, port: string | null): ServerAddress | string {
  if (port === null) return { host, port: DEFAULT_PORT };
  const number = Number(port);
  if (!/^\d{1,5}$/.test(port) || number < 1 || number > 65_535) return `"${port}" is no port from 1 to 65535`;
  return { host, port: number };
}
