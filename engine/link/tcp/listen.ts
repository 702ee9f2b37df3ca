// Listening on one port of a range, or on a free one: what a firewall lets through is a range of ports, and the workers
// of a host share it. Any thread.

import type { Server } from 'node:net';

/** Ports that may be used, the first and the last; null: any free one. */
export type PortRange = readonly [first: number, last: number] | null;

/**
 * Has a server listen on the first port of the range that nobody has.
 *
 * @returns the port
 * @throws why it cannot listen; with a range, why not on its last port
 */
export async function listenOn(server: Server, host: string, ports: PortRange): Promise<number> {
  const [first, last] = ports ?? [0, 0];
  for (let port = first; ; port++) {
    try {
      return await listenOnce(server, host, port);
    } catch (error) {
      if (port >= last || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

async function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    const refused = (error: Error): void => {
      server.off('listening', listening);
      reject(error);
    };
    const listening = (): void => {
      server.off('error', refused);
      // That one connection cannot be taken ends nothing.
      server.on('error', () => undefined);
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
    };
    server.once('error', refused);
    server.once('listening', listening);
    server.listen(port, host);
  });
}
