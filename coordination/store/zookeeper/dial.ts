// Sockets to servers, plain or with TLS. Invariant: what is handed out is only dialled; nothing is sent before the
// other side has proven, where that was asked for, who it is. The thread of the session.

import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { failure, reasonOf } from '../../../engine/errors.js';
import type { ServerAddress } from './connect-string.js';

/** How to speak to servers that listen with TLS. */
export interface ZookeeperTls {
  /** Whom to trust, PEM. Default: the authorities that Node knows. */
  readonly ca?: string | Buffer;
  /** Our own certificate, PEM, where servers ask for one. */
  readonly cert?: string | Buffer;
  /** Its key, PEM. */
  readonly key?: string | Buffer;
  /** Our certificate and its key together, PKCS12 (`.p12`), in place of `cert` and `key`. */
  readonly pfx?: Buffer;
  /** What opens the key. */
  readonly passphrase?: string;
  /** The name that the certificate of a server has to bear. Default: the name that it is reached by. */
  readonly servername?: string;
}

/** A socket under way, and the event that says that it can be written to. */
export interface Dialled {
  readonly socket: Socket;
  readonly ready: 'connect' | 'secureConnect';
}

export type Dialler = (server: ServerAddress) => Dialled;

/**
 * How servers are reached; the keys are read once, here.
 *
 * @throws MILLRACE_ZOOKEEPER_OPTION when the certificates or the key cannot be read
 */
export function dialler(tls: ZookeeperTls | null): Dialler {
  if (tls === null) return ({ host, port }) => ({ socket: connect({ host, port }), ready: 'connect' });
  const secureContext = contextOf(tls);
  return ({ host, port }) => {
    // Only a name can be asked for, never an address.
    const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
    const name = servername === undefined ? {} : { servername };
    return { socket: connectTls({ host, port, secureContext, ...name }), ready: 'secureConnect' };
  };
}

function contextOf({ ca, cert, key, pfx, passphrase }: ZookeeperTls): SecureContext {
  try {
    return createSecureContext({ ca, cert, key, pfx, passphrase });
  } catch (error) {
    const details = { option: 'tls', value: 'what it is', reason: reasonOf(error) };
    throw failure('MILLRACE_ZOOKEEPER_OPTION', details, { cause: error });
  }
}
