// Who knocked at the door of this host and does not belong to its cluster: with another secret, certificates of another
// authority, or another protocol. They are told apart by their address and why they were refused, and counted; a new
// one is logged once. Main thread.

import { STRANGERS_KEPT } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';

export interface Stranger {
  /** Its IP address. */
  readonly address: string;
  readonly reason: string;
  /** How often it came. */
  readonly count: number;
  /** When it came last, in milliseconds since the epoch. */
  readonly atMs: number;
}

export class Strangers {
  private readonly logger: Pick<Logger, 'warn'>;
  private readonly wallMs: () => number;
  /** The one that came last is the last one. */
  private readonly known = new Map<string, Stranger>();

  constructor(logger: Pick<Logger, 'warn'>, wallMs: () => number) {
    this.logger = logger;
    this.wallMs = wallMs;
  }

  add(address: string, reason: string): void {
    const key = `${address} ${reason}`;
    const before = this.known.get(key);
    this.known.delete(key);
    this.known.set(key, { address, reason, count: (before?.count ?? 0) + 1, atMs: this.wallMs() });
    if (before === undefined)
      this.logger.warn(`somebody at ${address} was refused at the door of this host: ${reason}`);
    const [oldest] = this.known.keys();
    if (this.known.size > STRANGERS_KEPT) this.known.delete(oldest!);
  }

  /** The newest first. */
  list(): readonly Stranger[] {
    return [...this.known.values()].reverse();
  }
}
