// Tuples of one channel that wait to be written to a frame, in columns: what waits here outlives garbage collections,
// so it is kept as numbers in one typed array and not as an object a tuple. Runs on the worker's thread; a push
// allocates nothing but when the columns grow.
//
//   ints  = edgeHi | edgeLo | stream | bytes   a row        values[i], roots[i]       rows first … end - 1 wait

import type { Root } from '../ack/root.js';
import type { Values } from '../component/tuple.js';
import { ColumnHabit } from './columns.js';

/** Of a row in `ints`. */
const OUTBOX_INTS = 4;
const CAPACITY_FIRST = 64;

export class Outbox {
  /** The oldest that waits. */
  first = 0;
  /** Behind the newest. */
  end = 0;
  values: (Values | null)[] = new Array<Values | null>(CAPACITY_FIRST).fill(null);
  roots: (Root | null)[] = new Array<Root | null>(CAPACITY_FIRST).fill(null);
  private ints = new Int32Array(CAPACITY_FIRST * OUTBOX_INTS);
  private readonly habits: ColumnHabit[][] = [];

  get waiting(): number {
    return this.end - this.first;
  }

  push(values: Values, stream: number, root: Root | null, edgeHi: number, edgeLo: number, bytes: number): void {
    if (this.end === this.values.length) this.makeRoom();
    const row = this.end++;
    this.values[row] = values;
    this.roots[row] = root;
    const at = row * OUTBOX_INTS;
    this.ints[at] = edgeHi;
    this.ints[at + 1] = edgeLo;
    this.ints[at + 2] = stream;
    this.ints[at + 3] = bytes;
  }

  edgeHiAt(row: number): number {
    return this.ints[row * OUTBOX_INTS]!;
  }

  edgeLoAt(row: number): number {
    return this.ints[row * OUTBOX_INTS + 1]!;
  }

  streamAt(row: number): number {
    return this.ints[row * OUTBOX_INTS + 2]!;
  }

  bytesAt(row: number): number {
    return this.ints[row * OUTBOX_INTS + 3]!;
  }

  /** What was found out about the columns of that stream. */
  habitsOf(stream: number, columns: number): readonly ColumnHabit[] {
    const known = (this.habits[stream] ??= []);
    while (known.length < columns) known.push(new ColumnHabit());
    return known;
  }

  /** The oldest ones are written. */
  drop(count: number): void {
    const end = this.first + count;
    for (let row = this.first; row < end; row++) {
      this.values[row] = null;
      this.roots[row] = null;
    }
    this.first = end;
    if (end === this.end) {
      this.first = 0;
      this.end = 0;
    }
  }

  /** Moves what waits to the front, into arrays twice as large if that frees less than half. */
  private makeRoom(): void {
    const { first, end, values, roots, ints } = this;
    const waiting = end - first;
    const capacity = waiting > values.length / 2 ? values.length * 2 : values.length;
    this.values = new Array<Values | null>(capacity).fill(null);
    this.roots = new Array<Root | null>(capacity).fill(null);
    this.ints = new Int32Array(capacity * OUTBOX_INTS);
    for (let i = 0; i < waiting; i++) {
      this.values[i] = values[first + i]!;
      this.roots[i] = roots[first + i]!;
    }
    this.ints.set(ints.subarray(first * OUTBOX_INTS, end * OUTBOX_INTS));
    this.first = 0;
    this.end = waiting;
  }
}
