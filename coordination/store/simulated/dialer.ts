// Looks for a server that takes a session: one after the other, from one that chance picks, with growing pauses. It
// never gives up by itself: whoever waits has a deadline.

import type { Timer } from '../../../engine/clock.js';
import { SIMULATED_DIAL_MS, STORE_RETRY_MIN_MS } from '../../../engine/limits.js';
import { Connection, type Client, type Hello, type Network, type Welcome } from './connection.js';

/** What a session hears of its connection. */
export interface DialListener {
  readonly hello: () => Hello;
  readonly connected: (connection: Connection, welcome: Welcome) => void;
  /** A connection that had been made is broken. */
  readonly broken: (connection: Connection) => void;
  /** Something came from the server, which has that revision. */
  readonly heard: (revision: number) => void;
}

export class Dialer {
  private readonly network: Network;
  private readonly client: Client;
  private readonly listener: DialListener;
  private timer: Timer | null = null;
  private trying: Connection | null = null;
  private next: number;
  private pauseMs = STORE_RETRY_MIN_MS;

  constructor(network: Network, client: Client, listener: DialListener) {
    this.network = network;
    this.client = client;
    this.listener = listener;
    this.next = network.chance.below(network.servers.length);
  }

  /** Goes on until a server takes the session, or says that it is over. */
  dial(): void {
    const { network, client, listener } = this;
    const server = network.servers[this.next++ % network.servers.length]!;
    let made = false;
    const connection: Connection = new Connection(network, client, server, {
      broken: () => (made ? listener.broken(connection) : this.failed()),
      heard: (revision) => listener.heard(revision),
    });
    this.trying = connection;
    this.timer = client.clock.after(SIMULATED_DIAL_MS, () => this.failed());
    connection.hello(listener.hello(), (welcome) => {
      made = true;
      this.stopTrying();
      this.pauseMs = STORE_RETRY_MIN_MS;
      listener.connected(connection, welcome);
    });
  }

  stop(): void {
    this.trying?.drop();
    this.stopTrying();
  }

  private failed(): void {
    this.stop();
    this.timer = this.client.clock.after(this.pauseMs, () => this.dial());
    this.pauseMs = Math.min(this.pauseMs * 2, SIMULATED_DIAL_MS);
  }

  private stopTrying(): void {
    this.timer?.cancel();
    this.trying = null;
  }
}
