// How the workers of one process are reached by those of others: where they listen, and what both ends of a link must
// know or show. The lead gives every worker the same token; what is asked of a link is proof of it together with the
// secret, so whoever overhears the token cannot use it. Pure.

import { createHmac } from 'node:crypto';
import type { PortRange } from '../../link/tcp/listen.js';
import type { TlsIdentity } from '../../link/tcp/secure.js';
import type { TcpInit } from '../messages.js';

export interface Reach {
  /** The address of this machine on which this process and its workers listen. */
  readonly host: string;
  /** Where workers listen. */
  readonly ports: PortRange;
  /** What all processes know; empty where nobody else can reach them. */
  readonly secret: string;
  readonly tls: TlsIdentity | null;
}

/** What a worker of that process needs for its links. */
export function tcpOf(tcp: TcpInit | null, { host, ports, secret, tls }: Reach): TcpInit | null {
  if (tcp === null) return null;
  const token = createHmac('sha256', secret).update(`millrace links\n${tcp.token}`).digest('hex');
  return { ...tcp, host, ports, tls, token };
}
