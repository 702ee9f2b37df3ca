// The time of a simulated world: one queue of events, in the order of their moments, and for each process a clock that
// can be stopped (SIGSTOP: what is due waits, and time goes on) or ended (SIGKILL: nothing of it ever runs again).
// Everything that a process does begins with an event of its clock, so a stopped one does nothing at all.
//
//   after(ms) ─► [ heap by (moment, order) ] ─ due ─► runs; of a stopped process: waits; of a dead one: is dropped
//
// Between two events all promises settle, so the order of events is the only order there is.

import type { Clock, Timer } from '../../engine/clock.js';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly owner: ProcessClock | null;
  call: (() => void) | null;
}

export class WorldTime implements Clock {
  /** Events so far. */
  events = 0;
  private nowMs: number;
  private nextOrder = 0;
  private readonly heap: Entry[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    return this.add(delayMs, call, null);
  }

  add(delayMs: number, call: () => void, owner: ProcessClock | null): Timer {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const entry: Entry = { atMs, order: this.nextOrder++, owner, call };
    this.push(entry);
    return { cancel: () => (entry.call = null) };
  }

  push(entry: Entry): void {
    const { heap } = this;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Runs what is due until that moment, and lets promises settle after each event; ends early when asked to. */
  async advance(ms: number, isOver: () => boolean): Promise<void> {
    const untilMs = this.nowMs + ms;
    await turned();
    for (let entry = this.heap[0]; entry !== undefined && entry.atMs <= untilMs; entry = this.heap[0]) {
      this.pop();
      const { owner, call } = entry;
      if (call === null || owner?.isDead === true) continue;
      if (owner?.hold(entry) === true) continue;
      this.nowMs = Math.max(this.nowMs, entry.atMs);
      this.events++;
      entry.call = null;
      call();
      await settled();
      if (isOver()) return;
    }
    this.nowMs = untilMs;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

/** The time of one process. */
export class ProcessClock implements Clock {
  isDead = false;
  isStopped = false;
  private readonly world: WorldTime;
  private held: Entry[] = [];

  constructor(world: WorldTime) {
    this.world = world;
  }

  now(): number {
    return this.world.now();
  }

  after(delayMs: number, call: () => void): Timer {
    return this.world.add(delayMs, call, this);
  }

  /** Keeps an event until the process goes on; false when it runs. */
  hold(entry: Entry): boolean {
    if (this.isStopped) this.held.push(entry);
    return this.isStopped;
  }

  stop(): void {
    this.isStopped = true;
  }

  goOn(): void {
    this.isStopped = false;
    for (const entry of this.held.splice(0)) this.world.push(entry);
  }

  die(): void {
    this.isDead = true;
    this.held = [];
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** Resolves when nothing is left to do that waits for no time: all promises settle before the next tick. */
async function settled(): Promise<void> {
  await new Promise<void>((resolve) => process.nextTick(resolve));
}

/** The same, and the loop has turned: rejections that nobody handled are told then. */
export async function turned(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
