// Ports for servers on loopback: those that were asked for, or free ones. Free ones are drawn from below the range that
// systems give to outgoing connections, so that none of these takes a port between the look and its server. Main
// thread.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { reasonOf } from '../../engine/errors.js';
import { ENSEMBLE_HOST, type EnsembleServer } from './configuration.js';

/** The ports of one server have these distances when the first one was asked for. */
const DISTANCE = { client: 0, quorum: 100, election: 200, secure: 300 } as const;

const FREE_MIN = 12_000;
const FREE_MAX = 31_000;
const PORT_MAX = 65_535;

/** The highest first port that so many servers can be given. */
export function firstPortMax(count: number): number {
  return PORT_MAX - DISTANCE.secure - count + 1;
}

/** Servers whose clients connect to that port and those after it. */
export function serversAt(port: number, count: number, secure: boolean): EnsembleServer[] {
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    clientPort: port + index + DISTANCE.client,
    quorumPort: port + index + DISTANCE.quorum,
    electionPort: port + index + DISTANCE.election,
    securePort: secure ? port + index + DISTANCE.secure : null,
  }));
}

/** Servers on ports that are free at the moment. */
export async function serversOnFreePorts(count: number, secure: boolean): Promise<EnsembleServer[]> {
  const taken = new Set<number>();
  const next = async (): Promise<number> => await freePort(taken);
  const servers: EnsembleServer[] = [];
  for (let id = 1; id <= count; id++) {
    const [clientPort, quorumPort, electionPort] = [await next(), await next(), await next()];
    servers.push({ id, clientPort, quorumPort, electionPort, securePort: secure ? await next() : null });
  }
  return servers;
}

/** A port that is free at the moment and none of these, to which it is added. */
export async function freePort(taken: Set<number>): Promise<number> {
  for (;;) {
    const port = randomInt(FREE_MIN, FREE_MAX);
    if (taken.has(port) || (await whyTaken(port)) !== null) continue;
    taken.add(port);
    return port;
  }
}

/** The ports of a server. */
export function portsOf({ clientPort, quorumPort, electionPort, securePort }: EnsembleServer): readonly number[] {
  return [clientPort, quorumPort, electionPort, ...(securePort === null ? [] : [securePort])];
}

/** Why nobody can listen on that port now, or null. */
export async function whyTaken(port: number): Promise<string | null> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', (error) => resolve(reasonOf(error)));
    server.listen({ port, host: ENSEMBLE_HOST, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
