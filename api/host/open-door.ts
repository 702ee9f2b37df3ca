// Where a host of a cluster is reached by the others that it runs topologies with: checked, and opened before it
// registers. What is not on loopback needs a secret or certificates. Main thread.

import { isIP, type Socket } from 'node:net';
import type { Clock } from '../../engine/clock.js';
import { failure } from '../../engine/errors.js';
import { SECRET_LENGTH_MIN } from '../../engine/limits.js';
import { Door } from '../../engine/worker/remote/door.js';
import type { Reach } from '../../engine/worker/remote/reach.js';
import { isLoopback } from '../loopback.js';
import { checkCertificates } from './certificates.js';
import type { LinkOptions } from './options.js';

/** A door that is open, and how its host's workers are reached. */
export interface OpenedDoor {
  readonly door: Door;
  readonly reach: Reach;
  /** For others, `address:port`. */
  readonly address: string;
}

/**
 * Opens it.
 *
 * @param asked - takes sockets of other hosts that speak HTTP
 * @param refused - told who does not belong here, and why
 * @throws MILLRACE_HOST_OPTION, MILLRACE_HOST_CERTIFICATE, MILLRACE_PROCESSES_LISTEN
 */
export async function openDoor(
  links: LinkOptions,
  clock: Clock,
  asked: (socket: Socket) => void,
  refused: (address: string, reason: string) => void = () => undefined,
): Promise<OpenedDoor> {
  const { address: host = '127.0.0.1', ports = null, secret = '', tls = null } = links;
  if (isIP(host) === 0) throw option('links.address', host, 'an IP address of this machine');
  if (ports !== null && !isRange(ports)) throw option('links.ports', ports.join('-'), 'two ports, the first not above');
  if (secret !== '' && secret.length < SECRET_LENGTH_MIN) {
    throw option('links.secret', `${secret.length} characters`, `at least ${SECRET_LENGTH_MIN}`);
  }
  if (!isLoopback(host) && secret === '' && tls === null) {
    throw option('links.address', host, 'a loopback address, or a secret or certificates beside it');
  }
  if (tls !== null) checkCertificates(tls, Date.now());
  const reach: Reach = { host, ports, secret, tls };
  const door = new Door({ ...reach, clock, asked, refused });
  const bound = await door.listen();
  return { door, reach, address: isIP(host) === 6 ? `[${host}]:${bound.port}` : `${host}:${bound.port}` };
}

function isRange([first, last]: readonly [number, number]): boolean {
  return [first, last].every((port) => Number.isInteger(port) && port > 0 && port <= 65_535) && first <= last;
}

function option(name: string, given: string, expected: string): Error {
  return failure('MILLRACE_HOST_OPTION', { option: name, given, expected });
}
