// How the workers of one topology are linked: each two of them by one link, over ports where both are threads of this
// process, over TCP where they are not, and over ports that another process makes where both are threads of that one.
// On the main thread, which numbers the links and gives both ends away.

import { randomBytes } from 'node:crypto';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { WirePorts } from '../link/port-wire.js';
import type { TcpAddress } from '../link/tcp/tcp-wire.js';
import type { PeerLink, TcpInit } from './messages.js';
import type { WorkerPlaces } from './pool.js';

/** After its thread has ended, what a control port may take to say so. */
const PORT_CLOSE_TIMEOUT_MS = 1_000;
const TOKEN_BYTES = 32;

/** A port's other end is closed, and all that came before was delivered. */
export function closed(port: MessagePort, ended: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    port.once('close', resolve);
    // A thread that died before it took its end of the port over leaves nobody to close it.
    void ended.then(() => setTimeout(resolve, PORT_CLOSE_TIMEOUT_MS).unref());
  });
}

/** Two ends of a new link. */
export type LinkEnds = Record<'first' | 'second', PeerLink>;

/** The ports of both ends of a link. */
export function portPair(): Record<'first' | 'second', WirePorts> {
  const data = new MessageChannel();
  const control = new MessageChannel();
  return {
    first: { data: data.port1, control: control.port1 },
    second: { data: data.port2, control: control.port2 },
  };
}

/** The ports that go along with the ends of links. */
export function portsOf(links: readonly PeerLink[]): MessagePort[] {
  return links.flatMap((link) => (link.kind === 'ports' ? [link.data, link.control] : []));
}

export class Mesh {
  private readonly places: WorkerPlaces;
  private readonly token = randomBytes(TOKEN_BYTES).toString('hex');
  private readonly addresses = new Map<number, TcpAddress>();
  /** The link of now between two workers. */
  private readonly links = new Map<string, number>();
  private nextLink = 1;

  constructor(places: WorkerPlaces) {
    this.places = places;
  }

  /** For each worker its ends of the links to every other one. */
  all(workers: number): PeerLink[][] {
    const mesh: PeerLink[][] = Array.from({ length: workers }, () => []);
    for (let a = 0; a < workers; a++) {
      for (let b = a + 1; b < workers; b++) {
        const { first, second } = this.pair(b, a);
        mesh[b]!.push(first);
        mesh[a]!.push(second);
      }
    }
    return mesh;
  }

  /** A new link between two workers, in place of the one before: the end of the first leads to the second, and back. */
  pair(first: number, second: number): LinkEnds {
    const link = this.nextLink++;
    this.links.set(keyOf(first, second), link);
    const kind = this.places.linkKind?.(first, second) ?? 'ports';
    if (kind === 'ports') {
      const ports = portPair();
      return {
        first: { kind, link, worker: second, ...ports.first },
        second: { kind, link, worker: first, ...ports.second },
      };
    }
    return {
      first: { kind, link, worker: second, connects: true },
      second: { kind, link, worker: first, connects: false },
    };
  }

  /** That link is the one of now between the two. */
  isCurrent(link: number, first: number, second: number): boolean {
    return this.links.get(keyOf(first, second)) === link;
  }

  /** What a worker needs for its TCP links; null when it has none. */
  tcpFor(worker: number, peers: readonly PeerLink[]): TcpInit | null {
    this.addresses.delete(worker);
    if (this.places.usesTcp !== true && !peers.some((peer) => peer.kind === 'tcp')) return null;
    // Where it listens is for its own process to say.
    return { host: '127.0.0.1', ports: null, tls: null, token: this.token, addresses: [...this.addresses] };
  }

  /** A worker listens there. */
  listening(worker: number, address: TcpAddress): void {
    this.addresses.set(worker, address);
  }
}

function keyOf(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
