// What a spout emitted and could not send yet, in order: there was no room in its ledger, or it was switched off in the
// middle of a call. First in, first out; what was sent is let go. On the worker's thread.

import type { Values } from '../component/tuple.js';
import { UNSENT_DROPPED_AT } from '../limits.js';
import type { Output } from './output.js';

export interface Unsent {
  readonly output: Output;
  readonly values: Values;
  readonly id: unknown;
  readonly bytes: number;
}

export class UnsentQueue {
  /** What waits, as estimated. */
  bytes = 0;
  private entries: (Unsent | null)[] = [];
  private first = 0;
  private readonly emptied: (() => void)[] = [];

  /** How many wait. */
  get waiting(): number {
    return this.entries.length - this.first;
  }

  /** The oldest of them, or null. */
  get oldest(): Unsent | null {
    return this.waiting === 0 ? null : this.entries[this.first]!;
  }

  push(output: Output, values: Values, id: unknown, bytes: number): void {
    this.entries.push({ output, values, id, bytes });
    this.bytes += bytes;
  }

  /** The oldest; call only while one waits. */
  shift(): Unsent {
    const entry = this.entries[this.first]!;
    this.entries[this.first++] = null;
    this.bytes -= entry.bytes;
    if (this.first === this.entries.length) {
      this.entries = [];
      this.first = 0;
      for (const tell of this.emptied.splice(0)) tell();
    } else if (this.first >= UNSENT_DROPPED_AT && this.first > this.waiting) {
      this.entries.splice(0, this.first);
      this.first = 0;
    }
    return entry;
  }

  /** Resolves when nothing waits. */
  empty(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.emptied.push(resolve));
  }
}
