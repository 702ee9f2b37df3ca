// Things that wait, each the longer the more often it did. How long depends on that number alone, so things that waited
// equally often are due in the order in which they came: one first-in first-out queue for each number is enough, and no
// heap. Pure, any thread.

const COMPACTED_AT = 1024;

interface Queue<T> {
  readonly waitMs: number;
  readonly entries: { readonly item: T; readonly dueMs: number }[];
  head: number;
}

export class BackOff<T> {
  private readonly queues: readonly Queue<T>[];

  /** @param waitsMs - how long the first wait is, the second, …; the last one is that of all further ones */
  constructor(waitsMs: readonly number[]) {
    this.queues = waitsMs.map((waitMs) => ({ waitMs, entries: [], head: 0 }));
  }

  /** @param times - how often it has waited before */
  add(item: T, times: number, nowMs: number): void {
    const queue = this.queues[Math.min(times, this.queues.length - 1)]!;
    queue.entries.push({ item, dueMs: nowMs + queue.waitMs });
  }

  /** Takes one whose wait is over and that still waits; drops those that do not. */
  next(nowMs: number, waits: (item: T) => boolean): T | undefined {
    for (const queue of this.queues) {
      for (let entry = queue.entries[queue.head]; entry !== undefined && entry.dueMs <= nowMs;) {
        this.drop(queue);
        if (waits(entry.item)) return entry.item;
        entry = queue.entries[queue.head];
      }
    }
    return undefined;
  }

  private drop(queue: Queue<T>): void {
    queue.head++;
    if (queue.head === queue.entries.length) {
      queue.entries.length = queue.head = 0;
    } else if (queue.head >= COMPACTED_AT && queue.head * 2 >= queue.entries.length) {
      queue.entries.splice(0, queue.head);
      queue.head = 0;
    }
  }
}

/** Waits that double, from one to another. */
export function doubling(minMs: number, maxMs: number): number[] {
  const waitsMs: number[] = [];
  for (let waitMs = Math.max(1, minMs); ; waitMs *= 2) {
    waitsMs.push(Math.min(waitMs, maxMs));
    if (waitMs >= maxMs) return waitsMs;
  }
}
