// How far a worker may be ahead with what it says of its own accord, which nobody can make it wait for by a promise:
// `console.log`, lines without an end, its log. Both sides count characters in shared memory, and a worker that is too
// far ahead stands still, as a process does at a full pipe. Else one `console.log` a tuple fills the supervisor's heap.
//
//   worker: add ─► above the limit: its thread waits        supervisor: taken ─► wakes it
//
// Invariant: only a thread of its own ever calls `add`; the supervisor's would wait for itself.

import { OUTPUT_CHARACTERS_MAX } from '../limits.js';

export class Backlog {
  readonly memory: SharedArrayBuffer;
  private readonly characters: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.characters = new Int32Array(memory);
  }

  /** The worker said so much more; returns when not too much of all is waiting. */
  add(count: number): void {
    let waiting = Atomics.add(this.characters, 0, count) + count;
    while (waiting > OUTPUT_CHARACTERS_MAX) {
      Atomics.wait(this.characters, 0, waiting);
      waiting = Atomics.load(this.characters, 0);
    }
  }

  /** So much of it is out. */
  taken(count: number): void {
    Atomics.sub(this.characters, 0, count);
    Atomics.notify(this.characters, 0);
  }
}

/** What those lines count as; an empty one takes room as well. */
export function charactersOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}
