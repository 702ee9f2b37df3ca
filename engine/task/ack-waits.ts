// How long a spout task could open no tree, because as many are open as it may have. Told in its row of counters. On
// the worker's thread.

import { ACK_WAIT_SINCE, ACK_WAITED_MS, ACK_WAITS, WAITING_FOR_ACKS } from '../metrics/counters.js';

export class AckWaits {
  private readonly words: Float64Array;
  private readonly row: number;

  /** @param row - where the task's row of counters starts */
  constructor(words: Float64Array, row: number) {
    this.words = words;
    this.row = row;
  }

  /** Whether it waits, now. */
  note(waits: boolean, nowMs: number): void {
    const { words, row } = this;
    if (waits === (words[row + WAITING_FOR_ACKS] === 1)) return;
    words[row + WAITING_FOR_ACKS] = waits ? 1 : 0;
    if (waits) {
      words[row + ACK_WAITS]!++;
      words[row + ACK_WAIT_SINCE] = nowMs;
    } else {
      words[row + ACK_WAITED_MS]! += nowMs - words[row + ACK_WAIT_SINCE]!;
    }
  }
}
