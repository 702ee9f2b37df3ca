// The values of a batch, column by column, as msgpack: what is alike stands together and takes no tag of its own.
//
//   batch  = [column*]                   one column for each field
//   column = Uint16Array                 texts, by their numbers in the link's dictionary (text-dictionary.ts)
//          | Int32Array | Float64Array   numbers
//          | [value*]                    anything else
//
// A column that repeats few of its texts is written as it is, and tried again after some batches. One writer a link;
// its arrays are used again for each column, so the result is copied before the next one. Runs on the worker's thread,
// once for each batch; its loops run once for each value and allocate nothing.

import type { Values } from '../component/tuple.js';
import { invalidFrame, unpackList } from './invalid-frame.js';
import { pack } from './pack.js';
import { NO_NUMBER, type TextDictionary } from './text-dictionary.js';

/** Texts of a column that are looked at before it is judged by how many of them are new. */
const JUDGED_TEXTS = 512;
/** Batches that a column is written as it is, when more than half of its texts were new. */
const PLAIN_BATCHES = 64;

/** What was found out about a column of a channel. */
export class ColumnHabit {
  texts = 0;
  fresh = 0;
  /** Batches for which it is not tried. */
  plain = 0;

  saw(texts: number, fresh: number): void {
    this.texts += texts;
    this.fresh += fresh;
    if (this.texts < JUDGED_TEXTS) return;
    if (this.fresh * 2 > this.texts) this.plain = PLAIN_BATCHES;
    this.texts = 0;
    this.fresh = 0;
  }
}

/** Rows of one stream: those from `first` on, `count` of them. */
export interface Rows {
  readonly values: readonly (Values | null)[];
  readonly first: number;
  readonly count: number;
}

export class ColumnsWriter {
  private readonly texts: TextDictionary;
  private numbers = new Uint16Array(0);
  private integers = new Int32Array(0);
  private doubles = new Float64Array(0);

  constructor(texts: TextDictionary) {
    this.texts = texts;
  }

  /** One column, packed; valid until the next one is. */
  pack(rows: Rows, column: number, habit: ColumnHabit): Uint8Array {
    if (rows.count > this.numbers.length) this.grow(rows.count);
    const sample = rows.values[rows.first]![column];
    if (typeof sample === 'number') {
      if (this.fillIntegers(rows, column)) return pack(this.integers.subarray(0, rows.count));
      if (this.fillDoubles(rows, column)) return pack(this.doubles.subarray(0, rows.count));
    } else if (typeof sample === 'string') {
      if (habit.plain > 0) habit.plain--;
      else if (this.fillTexts(rows, column, habit)) return pack(this.numbers.subarray(0, rows.count));
    }
    const plain: unknown[] = [];
    for (let i = 0; i < rows.count; i++) plain.push(rows.values[rows.first + i]![column]);
    return pack(plain);
  }

  private fillTexts({ values, first, count }: Rows, column: number, habit: ColumnHabit): boolean {
    const { numbers, texts } = this;
    const known = texts.fresh.length;
    for (let i = 0; i < count; i++) {
      const text = values[first + i]![column];
      const number = typeof text === 'string' ? texts.numberOf(text) : NO_NUMBER;
      if (number === NO_NUMBER) {
        // What one long text, or something that is no text, does to a column counts as new.
        habit.saw(count, count);
        return false;
      }
      numbers[i] = number;
    }
    habit.saw(count, texts.fresh.length - known);
    return true;
  }

  private fillIntegers({ values, first, count }: Rows, column: number): boolean {
    const { integers } = this;
    for (let i = 0; i < count; i++) {
      const value = values[first + i]![column];
      const integer = (value as number) | 0;
      if (integer !== value) return false;
      integers[i] = integer;
    }
    return true;
  }

  private fillDoubles({ values, first, count }: Rows, column: number): boolean {
    const { doubles } = this;
    for (let i = 0; i < count; i++) {
      const value = values[first + i]![column];
      if (typeof value !== 'number') return false;
      doubles[i] = value;
    }
    return true;
  }

  private grow(count: number): void {
    const capacity = Math.max(count, this.numbers.length * 2);
    this.numbers = new Uint16Array(capacity);
    this.integers = new Int32Array(capacity);
    this.doubles = new Float64Array(capacity);
  }
}

/** The bytes that announce a list of so many values in msgpack, at most 65,535. */
export function listHeader(length: number): Uint8Array {
  return length < 16 ? Uint8Array.of(0x90 | length) : Uint8Array.of(0xdc, length >> 8, length & 0xff);
}

const TEXTS = 0;
const INTEGERS = 1;
const DOUBLES = 2;
const NO_NUMBERS = new Uint16Array(0);
const NO_INTEGERS = new Int32Array(0);
const NO_DOUBLES = new Float64Array(0);
const NO_VALUES: readonly never[] = [];

/** A column that was unpacked. One class for all kinds, so that code which takes values of it stays monomorphic. */
export class Column {
  private readonly kind: number;
  private readonly numbers: Uint16Array;
  private readonly integers: Int32Array;
  private readonly doubles: Float64Array;
  private readonly plain: readonly unknown[];
  private readonly texts: readonly string[];

  /**
   * @param packed - what stands in the payload
   * @param count - its rows
   * @throws MILLRACE_FRAME_INVALID when it is no column of so many rows
   */
  constructor(packed: unknown, count: number, texts: readonly string[]) {
    this.numbers = packed instanceof Uint16Array ? packed : NO_NUMBERS;
    this.integers = packed instanceof Int32Array ? packed : NO_INTEGERS;
    this.doubles = packed instanceof Float64Array ? packed : NO_DOUBLES;
    this.plain = Array.isArray(packed) ? (packed as readonly unknown[]) : NO_VALUES;
    this.texts = texts;
    const kinds = [this.numbers, this.integers, this.doubles, this.plain];
    this.kind = kinds.findIndex(({ length }) => length === count);
    if (this.kind < 0) throw invalidFrame('a column has another number of rows than its segment says');
    for (let i = 0; i < this.numbers.length; i++) {
      if (this.numbers[i]! >= texts.length) throw invalidFrame('a text is not in the dictionary');
    }
  }

  /** The same without the dictionary: it has the texts that it names. */
  withoutDictionary(): Column {
    if (this.kind !== TEXTS) return this;
    return new Column(
      Array.from(this.numbers, (number) => this.texts[number]!),
      this.numbers.length,
      NO_VALUES,
    );
  }

  at(row: number): unknown {
    switch (this.kind) {
      case TEXTS:
        return this.texts[this.numbers[row]!];
      case INTEGERS:
        return this.integers[row];
      case DOUBLES:
        return this.doubles[row];
      default:
        return this.plain[row];
    }
  }
}

/**
 * Unpacks the columns of a batch, at least one.
 *
 * @param texts - the dictionary of its link
 * @throws MILLRACE_FRAME_INVALID when they are no columns of so many rows
 */
export function readColumns(payload: Uint8Array, count: number, texts: readonly string[]): readonly Column[] {
  const columns = unpackList(payload, 'its payload');
  if (columns.length === 0) throw invalidFrame('a batch has no columns');
  return columns.map((column) => new Column(column, count, texts));
}

/** The values of one row. Lists of a fixed length are made fastest, and look like what user code emits. */
export function rowOf(columns: readonly Column[], row: number): Values {
  switch (columns.length) {
    case 1:
      return [columns[0]!.at(row)];
    case 2:
      return [columns[0]!.at(row), columns[1]!.at(row)];
    case 3:
      return [columns[0]!.at(row), columns[1]!.at(row), columns[2]!.at(row)];
    default:
      return longRowOf(columns, row);
  }
}

function longRowOf(columns: readonly Column[], row: number): Values {
  const values: unknown[] = [];
  for (let i = 0; i < columns.length; i++) values.push(columns[i]!.at(row));
  return values;
}

/**
 * Unpacks the rows of a batch that came row by row.
 *
 * @throws MILLRACE_FRAME_INVALID when they are no rows, or not that many
 */
export function readRows(payload: Uint8Array, count: number): readonly Values[] {
  const rows = unpackList(payload, 'its payload');
  for (let i = 0; i < rows.length; i++) {
    if (!Array.isArray(rows[i])) throw invalidFrame('its payload is not rows of values');
  }
  if (rows.length !== count) throw invalidFrame('a segment has another number of rows than it says');
  return rows as readonly Values[];
}
