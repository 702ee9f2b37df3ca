// Hosts whose workers do not reach each other, while the lead reaches both: a link between them is lost, made anew, and
// lost again. One of the two is as good as away then, and it is the one that more of the others do not reach. On the
// main thread of the lead.

import { UNLINKED_AGAIN_MS } from '../../limits.js';

/** Two hosts. */
interface Pair {
  readonly hosts: readonly [string, string];
  /** When a link between them was lost last. */
  lostAtMs: number;
}

export class Unlinked {
  private readonly pairs = new Map<string, Pair>();

  /**
   * A link between workers of two hosts was lost.
   *
   * @returns the host that is better left, when this has gone on for a while; null else
   */
  lost(one: string, other: string, nowMs: number): string | null {
    this.forget(nowMs);
    const hosts = one < other ? ([one, other] as const) : ([other, one] as const);
    const key = hosts.join(' ');
    const known = this.pairs.get(key);
    if (known === undefined) {
      this.pairs.set(key, { hosts, lostAtMs: nowMs });
      return null;
    }
    known.lostAtMs = nowMs;
    const [first, second] = hosts;
    const suspect = this.countOf(first) > this.countOf(second) ? first : second;
    for (const [each, { hosts: ends }] of this.pairs) if (ends.includes(suspect)) this.pairs.delete(each);
    return suspect;
  }

  private countOf(host: string): number {
    return [...this.pairs.values()].filter(({ hosts }) => hosts.includes(host)).length;
  }

  /** What was lost once and has held since. */
  private forget(nowMs: number): void {
    for (const [key, { lostAtMs }] of this.pairs) if (nowMs - lostAtMs > UNLINKED_AGAIN_MS) this.pairs.delete(key);
  }
}
