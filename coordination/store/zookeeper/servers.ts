// Which server is tried next, and when: all of them in a random order, so that the clients of a cluster spread, one
// after the other; after a round that brought nothing, and after connections that did not last, with a pause that
// grows. Pure, the thread of the session.

import {
  ZOOKEEPER_DIAL_PAUSE_MAX_MS,
  ZOOKEEPER_DIAL_PAUSE_MIN_MS,
  ZOOKEEPER_GREETING_FIRST_MS,
  ZOOKEEPER_GREETING_MAX_MS,
  ZOOKEEPER_GREETING_MIN_MS,
} from '../../../engine/limits.js';
import type { Random } from '../../../engine/random.js';
import type { ServerAddress } from './connect-string.js';

/** One try. */
export interface Dial {
  readonly server: ServerAddress;
  /** To wait before it. */
  readonly pauseMs: number;
  /** It has this long until the server has answered for the session. */
  readonly greetingMs: number;
}

export class Servers {
  private readonly order: ServerAddress[];
  private readonly random: Random;
  private at = 0;
  /** Tries since a connection last lasted. */
  private failed = 0;

  constructor(servers: readonly ServerAddress[], random: Random) {
    this.random = random;
    this.order = [...servers];
    for (let left = this.order.length - 1; left > 0; left--) {
      const other = random.nextBelow(left + 1);
      [this.order[left], this.order[other]] = [this.order[other]!, this.order[left]!];
    }
  }

  /**
   * The next one.
   *
   * @param sessionTimeoutMs - of a session that exists, which must not run out over pauses and servers that are silent
   */
  next(sessionTimeoutMs: number | null): Dial {
    const server = this.order[this.at]!;
    this.at = (this.at + 1) % this.order.length;
    const rounds = Math.floor(this.failed / this.order.length);
    this.failed++;
    const timeoutMs = sessionTimeoutMs ?? Infinity;
    const longest = Math.min(ZOOKEEPER_DIAL_PAUSE_MAX_MS, timeoutMs / 8);
    const pauseMs = rounds === 0 ? 0 : Math.min(ZOOKEEPER_DIAL_PAUSE_MIN_MS * 2 ** (rounds - 1), longest);
    // When a silent server is given up, a third of the time is left for finding one that is not.
    const share = timeoutMs / (2 * this.order.length);
    const first = Math.max(ZOOKEEPER_GREETING_MIN_MS, Math.min(share, ZOOKEEPER_GREETING_FIRST_MS));
    return {
      server,
      pauseMs: pauseMs * (0.5 + this.random.nextFloat() / 2),
      greetingMs: Math.min(first * 2 ** rounds, ZOOKEEPER_GREETING_MAX_MS),
    };
  }

  /** The last connection lasted: the next try is the first of a round. */
  lasted(): void {
    this.failed = 0;
  }
}
