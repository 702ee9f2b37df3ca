// What keeps a task from taking input: the mailboxes and channels that are full, and for how long any of them was. Told
// in its row of counters, so that whoever looks sees who blocks whom. On the worker's thread.
//
//   nothing full ─ first one ─► a stall begins ─ … others come and go … ─ last one has room ─► it is over

import type { Clock } from '../clock.js';
import { BLOCKED_BY, LAST_BLOCKED_BY, STALLED_MS, STALLED_SINCE, STALLS } from '../metrics/counters.js';

/** What has no room: the mailbox of a task, or the channel to it. */
export interface FullTarget {
  /** The number of that task. */
  readonly targetTask: number;
}

export class Stalls {
  private readonly clock: Clock;
  private readonly words: Float64Array;
  private readonly row: number;
  private readonly full: FullTarget[] = [];

  /** @param row - where the task's row of counters starts */
  constructor(clock: Clock, words: Float64Array, row: number) {
    this.clock = clock;
    this.words = words;
    this.row = row;
  }

  /** That one is full. False when that was known. */
  add(target: FullTarget): boolean {
    if (this.full.includes(target)) return false;
    const { words, row } = this;
    if (this.full.push(target) === 1) {
      words[row + STALLS]!++;
      words[row + STALLED_SINCE] = this.clock.now();
    }
    this.tell();
    return true;
  }

  /** That one has room. True when it was the last that was full. */
  remove(target: FullTarget): boolean {
    const at = this.full.indexOf(target);
    if (at < 0) return false;
    this.full.splice(at, 1);
    if (this.full.length > 0) {
      this.tell();
      return false;
    }
    const { words, row } = this;
    words[row + BLOCKED_BY] = 0;
    words[row + STALLED_MS]! += this.clock.now() - words[row + STALLED_SINCE]!;
    return true;
  }

  private tell(): void {
    this.words[this.row + BLOCKED_BY] = this.full[0]!.targetTask + 1;
    this.words[this.row + LAST_BLOCKED_BY] = this.full.at(-1)!.targetTask + 1;
  }
}
