// Failed tuples of a spout task that wait to be emitted again: the first failure waits 100 ms, each further one of the
// same tuple twice as long, up to 30 s, for as often as it fails. A tuple that can never succeed therefore costs
// little, and a target that is down is not hammered. Invariant: `full` is true before more than `failedMax` tuples are
// remembered beyond those already under way, so a spout that brings nothing new while it is full stays bounded. Pure,
// any thread.
//
// The wait depends on the number of failures alone, so tuples with equally many are due in the order in which they
// failed: one first-in first-out queue for each number is enough, and no heap.

import { REPLAYS_MAX, REPLAY_WAIT_MAX_MS, REPLAY_WAIT_MIN_MS } from '../limits.js';

/** What {@link Replay} may be told. */
export interface ReplayOptions {
  /** The wait after the first failure. Default 100 ms. */
  readonly waitMinMs?: number;
  /** The longest wait. Default 30 s. */
  readonly waitMaxMs?: number;
  /** Tuples that failed and are not acked, at which `full` says so. Default 65,536. */
  readonly failedMax?: number;
}

interface Waiting<Id> {
  readonly id: Id;
  readonly dueMs: number;
}

interface Queue<Id> {
  readonly waitMs: number;
  readonly entries: Waiting<Id>[];
  head: number;
}

/**
 * Which failed tuples are due to be emitted again. Ids are compared by value for primitives, by identity for objects.
 *
 * @typeParam Id - what the spout emits its tuples with
 */
export class Replay<Id> {
  private readonly queues: Queue<Id>[] = [];
  /** Failures so far of every tuple that failed and is not acked yet; negative while it waits. */
  private readonly failures = new Map<Id, number>();
  private readonly now: () => number;
  private readonly failedMax: number;
  private waitingCount = 0;

  /** @param now - the time in milliseconds: `() => context.now()` */
  constructor(now: () => number, options: ReplayOptions = {}) {
    this.now = now;
    this.failedMax = options.failedMax ?? REPLAYS_MAX;
    const waitMaxMs = options.waitMaxMs ?? REPLAY_WAIT_MAX_MS;
    for (let waitMs = Math.max(1, options.waitMinMs ?? REPLAY_WAIT_MIN_MS); ; waitMs *= 2) {
      this.queues.push({ waitMs: Math.min(waitMs, waitMaxMs), entries: [], head: 0 });
      if (waitMs >= waitMaxMs) break;
    }
  }

  /** How many tuples wait for their replay. */
  get waiting(): number {
    return this.waitingCount;
  }

  /** So many tuples failed and are not acked that the spout should bring nothing new. */
  get full(): boolean {
    return this.failures.size >= this.failedMax;
  }

  /** That tuple failed: it is due again after its wait. Does nothing when it waits already. */
  fail(id: Id): void {
    const before = this.failures.get(id) ?? 0;
    if (before < 0) return;
    const queue = this.queues[Math.min(before, this.queues.length - 1)];
    if (queue === undefined) return;
    this.failures.set(id, -(before + 1));
    queue.entries.push({ id, dueMs: this.now() + queue.waitMs });
    this.waitingCount++;
  }

  /** That tuple is processed: what it failed before is forgotten. */
  ack(id: Id): void {
    if (this.failures.size === 0) return;
    if ((this.failures.get(id) ?? 0) < 0) this.waitingCount--;
    this.failures.delete(id);
  }

  /** Takes one tuple whose wait is over, or undefined when there is none now. */
  next(): Id | undefined {
    if (this.waitingCount === 0) return undefined;
    const nowMs = this.now();
    for (const queue of this.queues) {
      for (let entry = queue.entries[queue.head]; entry !== undefined && entry.dueMs <= nowMs;) {
        this.drop(queue);
        const failures = this.failures.get(entry.id) ?? 0;
        if (failures < 0) {
          this.waitingCount--;
          this.failures.set(entry.id, -failures);
          return entry.id;
        }
        // Acked while it waited: nothing to emit.
        entry = queue.entries[queue.head];
      }
    }
    return undefined;
  }

  private drop(queue: Queue<Id>): void {
    queue.head++;
    if (queue.head === queue.entries.length) {
      queue.entries.length = queue.head = 0;
    } else if (queue.head >= 1024 && queue.head * 2 >= queue.entries.length) {
      queue.entries.splice(0, queue.head);
      queue.head = 0;
    }
  }
}
