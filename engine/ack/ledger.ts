// The ack tracker of one spout task, in its worker's thread. A tree is the XOR of the edge ids of its tuples: each id
// goes in once when the tuple is sent and once when it is acked, so the XOR is zero when, and but for one chance in
// 2^64 only when, every tuple of the tree is done (Storm's acker, github.com/apache/storm, docs "Guaranteeing message
// processing").
//
// Sequence numbers are dense, so an open tree is a slot of a ring and costs 25 bytes and no allocation:
//
//        base                                   next
//         v                                      v
//   | . | O | . | . | O | O | . | O | O | O | O |   |     O open, . closed; slot = sequence & mask
//         \_ first open one; a tree that stays open while the whole ring goes by moves to the sparse table
//
// Most trees are done when their emit returns. So a tree that is being opened is kept in fields, and gets its slot only
// if something of it is still open then:
//
//   begin ─► opening (next - 1, its slot is free) ─ack, fail─► opening ─opened─┬─► nothing is open: ended
//                                                                             └─► its slot
//
// Invariants: base <= every open sequence in the ring < next; the slot at base is open unless base == next or base is
// being opened; a tree is acked or failed exactly once; while it is being opened it may reach zero without ending. Keep
// out of the hot path (begin, opened, ack): closures, Map lookups, anything that allocates.

import type { Histogram } from '../metrics/histogram.js';
import type { TreeFailure } from '../component/spout.js';
import { LOST, timeoutFailure, UNDELIVERED } from './tree-failure.js';
import { rootHiOf, rootLoOf, sequenceOf, type AckTarget } from './ack-target.js';

const FREE = 0;
const OPEN = 1;

/**
 * A timeout is counted in up to this many ticks of a millisecond and more. Progress is timed by the last tick, which
 * may be nearly two ticks old, so two are added: a tree fails at most 3/32 of its timeout late (3 ms when it is short),
 * never early.
 */
const TICKS_PER_TIMEOUT = 32;
const TICKS_ADDED = 2;
const CAPACITY_FIRST = 1024;
/** Complete latency is measured for each tree at first, and for one in 64 once there are many. */
const SAMPLED_FIRST = 4096;
const SAMPLE_SHIFT = 6;
const SAMPLE_MASK = (1 << SAMPLE_SHIFT) - 1;

/** Places for ended trees that are kept for the next ones. */
const ENDED_KEPT_MAX = 4096;

/** Is told how trees ended. */
export interface EndedReceiver {
  /** @param failure - null when the tree was acked */
  treeEnded(id: unknown, failure: TreeFailure | null): void;
}

interface SparseRoot {
  hi: number;
  lo: number;
  readonly id: unknown;
  deadlineTick: number;
  readonly openedMs: number;
}

export interface LedgerOptions {
  readonly spoutTask: number;
  readonly incarnation: number;
  /** Milliseconds without progress after which a tree fails, or null for never. */
  readonly timeoutMs: number | null;
  /** Most trees open at once; `full` says when they are reached. */
  readonly openRootsMax: number;
  readonly sparseRootsMax: number;
  readonly now: () => number;
  /** Takes the time from emit to the end of acked trees, in milliseconds. */
  readonly latency: Histogram;
}

export class Ledger implements AckTarget {
  readonly spoutTask: number;
  readonly incarnation: number;
  readonly dead = false;
  /** Trees that are open now. */
  open = 0;
  /** Acks and fails that named no open tree: late ones, and those of trees that had failed. */
  stale = 0;
  /** Trees that ended since `takeEnded` was last called. */
  ended = 0;
  /** The name of the tree that `begin` opened last. */
  rootHi = 0;
  rootLo = 0;
  /** The length of a tick in milliseconds, or null without a timeout: how often `expire` should be called. */
  readonly tickMs: number | null;

  private readonly openRootsMax: number;
  private readonly sparseRootsMax: number;
  private readonly now: () => number;
  private readonly latency: Histogram;
  private readonly sparse = new Map<number, SparseRoot>();
  private capacity: number;
  private mask: number;
  private base = 0;
  private next = 0;
  private readonly timeoutTicks: number;
  private tick = 0;
  /** The deadline of what makes progress now. */
  private deadlineTick = 0;
  private state: Uint8Array;
  private xorHi: Int32Array;
  private xorLo: Int32Array;
  private deadline: Uint32Array;
  private openedMs: Float64Array;
  private readonly firstOpenedMs = new Float64Array(SAMPLED_FIRST);
  private ids: unknown[];
  // Emptied by setting `ended` to 0: shrinking an array costs more than a tree does.
  private endedIds: unknown[] = [];
  /** How each of them ended: null when it was acked. */
  private endedFailures: (TreeFailure | null)[] = [];
  /** A tree is being opened: the last one that was begun. */
  private isOpening = false;
  private openingId: unknown = undefined;
  private openingHi = 0;
  private openingLo = 0;
  /** Why it failed; null when it has not. */
  private openingFailure: TreeFailure | null = null;
  private readonly timeout: TreeFailure;

  constructor(options: LedgerOptions) {
    this.spoutTask = options.spoutTask;
    this.incarnation = options.incarnation;
    this.openRootsMax = options.openRootsMax;
    this.sparseRootsMax = options.sparseRootsMax;
    this.now = options.now;
    this.latency = options.latency;
    this.tickMs = options.timeoutMs === null ? null : Math.max(1, options.timeoutMs / TICKS_PER_TIMEOUT);
    this.timeout = timeoutFailure(options.timeoutMs ?? 0);
    this.timeoutTicks = Math.ceil((options.timeoutMs ?? 0) / (this.tickMs ?? 1)) + TICKS_ADDED;
    this.deadlineTick = this.timeoutTicks;
    this.capacity = CAPACITY_FIRST;
    this.mask = CAPACITY_FIRST - 1;
    this.state = new Uint8Array(CAPACITY_FIRST);
    this.xorHi = new Int32Array(CAPACITY_FIRST);
    this.xorLo = new Int32Array(CAPACITY_FIRST);
    this.deadline = new Uint32Array(CAPACITY_FIRST);
    this.openedMs = new Float64Array(CAPACITY_FIRST >> SAMPLE_SHIFT);
    this.ids = new Array<unknown>(CAPACITY_FIRST).fill(undefined);
  }

  /** No further tree may be opened now. */
  get full(): boolean {
    return this.open >= this.openRootsMax || (this.next - this.base === this.capacity && this.pinned);
  }

  /**
   * An open tree pins the whole ring, the sparse table has no room for it, and the ring is as large as it may become.
   */
  private get pinned(): boolean {
    return this.sparse.size >= this.sparseRootsMax && this.capacity >= 2 * this.openRootsMax;
  }

  /** Opens a tree, named by `rootHi` and `rootLo`; call `opened` when its emit has returned. */
  begin(id: unknown): void {
    if (this.next - this.base === this.capacity) this.makeRoom();
    const sequence = this.next++;
    const lo = rootLoOf(sequence);
    this.isOpening = true;
    this.openingId = id;
    this.openingHi = 0;
    this.openingLo = 0;
    if (sequence < SAMPLED_FIRST || (lo & SAMPLE_MASK) === 0) this.stamp(sequence, lo & this.mask);
    this.open++;
    this.rootHi = rootHiOf(sequence);
    this.rootLo = lo;
  }

  /** The emit of the tree that was begun last has returned; takes the edges that it left open. */
  opened(hi: number, lo: number): void {
    const { rootLo, openingId, openingFailure } = this;
    const slot = rootLo & this.mask;
    const leftHi = this.openingHi ^ hi;
    const leftLo = this.openingLo ^ lo;
    this.isOpening = false;
    if ((leftHi | leftLo) !== 0 && openingFailure === null) {
      this.state[slot] = OPEN;
      this.xorHi[slot] = leftHi;
      this.xorLo[slot] = leftLo;
      this.deadline[slot] = this.deadlineTick;
      this.ids[slot] = openingId;
      return;
    }
    const sequence = this.next - 1;
    const isSampled = sequence < SAMPLED_FIRST || (rootLo & SAMPLE_MASK) === 0;
    this.openingFailure = null;
    this.open--;
    this.addEnded(openingId, openingFailure);
    if (openingFailure === null && isSampled) this.measure(sequence, slot);
    if (sequence === this.base) this.base = this.next;
  }

  ack(rootHi: number, rootLo: number, hi: number, lo: number): void {
    const sequence = sequenceOf(rootHi, rootLo);
    const slot = rootLo & this.mask;
    if (sequence < this.base || sequence >= this.next || this.state[slot] === FREE) {
      this.ackSparse(sequence, hi, lo);
      return;
    }
    this.deadline[slot] = this.deadlineTick;
    if (((this.xorHi[slot]! ^= hi) | (this.xorLo[slot]! ^= lo)) === 0) this.end(sequence, slot, null);
  }

  fail(rootHi: number, rootLo: number, failure = UNDELIVERED): void {
    const sequence = sequenceOf(rootHi, rootLo);
    const slot = rootLo & this.mask;
    if (sequence < this.base || sequence >= this.next || this.state[slot] === FREE) {
      const root = this.sparse.get(sequence);
      if (this.isOpened(sequence)) this.openingFailure ??= failure;
      else if (root === undefined) this.stale++;
      else this.endSparse(sequence, root, failure);
    } else {
      this.end(sequence, slot, failure);
    }
  }

  touch(rootHi: number, rootLo: number): void {
    const sequence = sequenceOf(rootHi, rootLo);
    const slot = rootLo & this.mask;
    if (sequence >= this.base && sequence < this.next && this.state[slot] !== FREE) {
      this.deadline[slot] = this.deadlineTick;
    } else {
      const root = this.sparse.get(sequence);
      if (root !== undefined) root.deadlineTick = this.deadlineTick;
      else if (!this.isOpened(sequence)) this.stale++;
    }
  }

  /** Whether that is the tree which is being opened: it has no slot. */
  private isOpened(sequence: number): boolean {
    return this.isOpening && sequence === this.next - 1;
  }

  /** Fails every open tree: some of its tuples may be lost. Not to be called inside an emit. */
  failAll(): void {
    for (const [sequence, root] of this.sparse) this.endSparse(sequence, root, LOST);
    for (let sequence = this.base; sequence < this.next; sequence++) {
      const slot = sequence & this.mask;
      if (this.state[slot] === OPEN) this.end(sequence, slot, LOST);
    }
  }

  /** Tells the time, so that deadlines of trees opened from now on count from it. */
  setTime(nowMs: number): void {
    if (this.tickMs === null) return;
    this.tick = Math.floor(nowMs / this.tickMs);
    this.deadlineTick = this.tick + this.timeoutTicks;
  }

  /**
   * Fails every tree whose deadline is over: one pass over the open part of the ring, about a millisecond for a million
   * trees, 32 times a timeout. That is cheaper than a list of trees a deadline, which each ack would have to move.
   */
  expire(nowMs: number): void {
    if (this.tickMs === null) return;
    this.setTime(nowMs);
    for (const [sequence, root] of this.sparse) {
      if (root.deadlineTick <= this.tick) this.endSparse(sequence, root, this.timeout);
    }
    for (let sequence = this.base; sequence < this.next; sequence++) {
      const slot = sequence & this.mask;
      if (this.deadline[slot]! <= this.tick && this.state[slot] === OPEN) this.end(sequence, slot, this.timeout);
    }
  }

  /** An id that counts as the end of a tree: of one that ended here, or of an emit that is not tracked. */
  addEnded(id: unknown, failure: TreeFailure | null): void {
    const at = this.ended++;
    if (at < this.endedIds.length) {
      this.endedIds[at] = id;
      this.endedFailures[at] = failure;
    } else {
      this.endedIds.push(id);
      this.endedFailures.push(failure);
    }
  }

  /** Tells a receiver of each tree that ended, with its id, in the order in which they ended. */
  takeEnded(receiver: EndedReceiver): void {
    for (let i = 0; i < this.ended; i++) {
      const id = this.endedIds[i];
      const failure = this.endedFailures[i]!;
      this.endedIds[i] = undefined;
      this.endedFailures[i] = null;
      receiver.treeEnded(id, failure);
    }
    this.ended = 0;
    if (this.endedIds.length > ENDED_KEPT_MAX) {
      this.endedIds = [];
      this.endedFailures = [];
    }
  }

  private end(sequence: number, slot: number, failure: TreeFailure | null): void {
    this.state[slot] = FREE;
    this.open--;
    this.addEnded(this.ids[slot], failure);
    this.ids[slot] = undefined;
    if (failure === null && (sequence < SAMPLED_FIRST || (sequence & SAMPLE_MASK) === 0)) this.measure(sequence, slot);
    if (sequence === this.base) this.moveBase();
  }

  /** The slot at base is free: base goes to the next open tree, or to the one that is being opened. */
  private moveBase(): void {
    const { state, mask } = this;
    const end = this.isOpening ? this.next - 1 : this.next;
    let base = this.base + 1;
    while (base < end && state[base & mask] === FREE) base++;
    this.base = base;
  }

  /** At first each tree has a time of its own, in a table that the sampled ones take over later. */
  private stamp(sequence: number, slot: number): void {
    if (sequence < SAMPLED_FIRST) this.firstOpenedMs[sequence] = this.now();
    else this.openedMs[slot >> SAMPLE_SHIFT] = this.now();
  }

  private openedAt(sequence: number, slot: number): number {
    if (sequence < SAMPLED_FIRST) return this.firstOpenedMs[sequence]!;
    return (sequence & SAMPLE_MASK) === 0 ? this.openedMs[slot >> SAMPLE_SHIFT]! : Number.NaN;
  }

  private measure(sequence: number, slot: number): void {
    this.latency.record(this.now() - this.openedAt(sequence, slot));
  }

  private ackSparse(sequence: number, hi: number, lo: number): void {
    const root = this.sparse.get(sequence);
    if (this.isOpened(sequence)) {
      this.openingHi ^= hi;
      this.openingLo ^= lo;
    } else if (root === undefined) {
      this.stale++;
    } else {
      root.deadlineTick = this.deadlineTick;
      root.hi ^= hi;
      root.lo ^= lo;
      if ((root.hi | root.lo) === 0) this.endSparse(sequence, root, null);
    }
  }

  private endSparse(sequence: number, root: SparseRoot, failure: TreeFailure | null): void {
    this.sparse.delete(sequence);
    this.open--;
    this.addEnded(root.id, failure);
    if (failure === null && !Number.isNaN(root.openedMs)) this.latency.record(this.now() - root.openedMs);
  }

  /** The ring is full. Mostly open: it doubles. Mostly closed: what pins it moves to the sparse table. */
  private makeRoom(): void {
    const openInRing = this.open - this.sparse.size;
    if (openInRing > this.capacity >> 1 || this.sparse.size >= this.sparseRootsMax) {
      this.grow();
      return;
    }
    while (this.next - this.base > this.capacity >> 1 && this.sparse.size < this.sparseRootsMax) {
      this.moveToSparse(this.base);
    }
    if (this.next - this.base === this.capacity) this.grow();
  }

  private moveToSparse(sequence: number): void {
    const slot = sequence & this.mask;
    this.sparse.set(sequence, {
      hi: this.xorHi[slot]!,
      lo: this.xorLo[slot]!,
      id: this.ids[slot],
      deadlineTick: this.deadline[slot]!,
      openedMs: this.openedAt(sequence, slot),
    });
    this.state[slot] = FREE;
    this.ids[slot] = undefined;
    this.moveBase();
  }

  private grow(): void {
    const { base, next, mask, state, xorHi, xorLo, deadline, openedMs, ids } = this;
    const capacity = this.capacity * 2;
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.state = new Uint8Array(capacity);
    this.xorHi = new Int32Array(capacity);
    this.xorLo = new Int32Array(capacity);
    this.deadline = new Uint32Array(capacity);
    this.openedMs = new Float64Array(capacity >> SAMPLE_SHIFT);
    this.ids = new Array<unknown>(capacity).fill(undefined);
    for (let sequence = base; sequence < next; sequence++) {
      const from = sequence & mask;
      const to = sequence & this.mask;
      this.state[to] = state[from]!;
      this.xorHi[to] = xorHi[from]!;
      this.xorLo[to] = xorLo[from]!;
      this.deadline[to] = deadline[from]!;
      this.openedMs[to >> SAMPLE_SHIFT] = openedMs[from >> SAMPLE_SHIFT]!;
      this.ids[to] = ids[from];
    }
  }
}
