// The progress of a spout over one partition: which of the tuples that it emitted are not acked yet, by their offsets,
// and so the offset below which everything is acked (`low`). That one number is what a spout keeps by
// `context.checkpoint`. Invariant: `low` never goes back, and every offset below it was acked or never opened. What is
// acked in the middle is dropped when the arrays are full, so memory follows what is open and not what went by. Pure,
// any thread.

const CAPACITY_MIN = 64;

/**
 * Tells the offset below which everything is acked.
 *
 * ```ts
 * offsets.open(line.offset, line.nextOffset); // before the emit, in ascending order
 * offsets.ack(line.offset); // in ack(id); nothing in fail(id): it stays open until its replay is acked
 * context.checkpoint(partition, { offset: offsets.low });
 * ```
 */
export class AckedOffsets {
  private offsets = new Float64Array(CAPACITY_MIN);
  private acked = new Uint8Array(CAPACITY_MIN);
  private head = 0;
  private tail = 0;
  private openCount = 0;
  private next: number;

  /** @param start - where the partition starts, or what was kept as its progress. Default 0. */
  constructor(start = 0) {
    this.next = start;
  }

  /** The offset below which everything is acked. */
  get low(): number {
    return this.head < this.tail ? (this.offsets[this.head] ?? this.next) : this.next;
  }

  /** How many offsets are open. */
  get pending(): number {
    return this.openCount;
  }

  /**
   * Opens an offset: its tuple is about to be emitted.
   *
   * @param next - the first offset after it. Default `offset + 1`.
   * @throws RangeError when it is below one that was opened before
   */
  open(offset: number, next = offset + 1): void {
    if (!(offset >= this.next) || !(next > offset)) {
      throw new RangeError(
        `offset ${offset} (next ${next}) does not ascend: the one expected now is ${this.next} or above`,
      );
    }
    if (this.tail === this.offsets.length) this.makeRoom();
    this.offsets[this.tail] = offset;
    this.acked[this.tail] = 0;
    this.tail++;
    this.openCount++;
    this.next = next;
  }

  /** Closes an offset: its tree is fully processed. False when it was not open. */
  ack(offset: number): boolean {
    const at = this.offsets[this.head] === offset ? this.head : this.find(offset);
    if (at === -1 || at >= this.tail || this.acked[at] !== 0) return false;
    this.acked[at] = 1;
    this.openCount--;
    while (this.head < this.tail && this.acked[this.head] !== 0) this.head++;
    if (this.head === this.tail) this.head = this.tail = 0;
    return true;
  }

  private find(offset: number): number {
    let low = this.head;
    let high = this.tail - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const value = this.offsets[middle] ?? 0;
      if (value === offset) return middle;
      if (value < offset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Drops what is acked; when more than half is still open, takes twice the room, so that this stays rare. */
  private makeRoom(): void {
    let kept = 0;
    const room = this.openCount * 2 > this.offsets.length ? this.offsets.length * 2 : this.offsets.length;
    const offsets = room === this.offsets.length ? this.offsets : new Float64Array(room);
    for (let at = this.head; at < this.tail; at++) {
      if (this.acked[at] === 0) offsets[kept++] = this.offsets[at] ?? 0;
    }
    this.offsets = offsets;
    if (room === this.acked.length) this.acked.fill(0);
    else this.acked = new Uint8Array(room);
    this.head = 0;
    this.tail = kept;
  }
}
