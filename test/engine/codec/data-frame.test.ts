// Frames with tuples and markers: they arrive as they were written, and nothing else gets through.

import { Root } from '../../../engine/ack/root.js';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { AckTarget } from '../../../engine/ack/ack-target.js';
import { readColumns, readRows, rowOf } from '../../../engine/codec/columns.js';
import {
  IN_COLUMNS,
  readDataFrame,
  SEGMENT_END,
  SEGMENT_INTS,
  SEGMENT_TEXTS,
  SEGMENT_TRACKED,
  SEGMENT_UNTRACKED,
} from '../../../engine/codec/data-frame.js';
import { DataFrameWriter } from '../../../engine/codec/data-frame-writer.js';
import { Outbox } from '../../../engine/codec/outbox.js';
import { pack } from '../../../engine/codec/pack.js';
import { ReceivedTexts } from '../../../engine/codec/text-dictionary.js';
import { isMillraceError } from '../../../engine/errors.js';
import { FRAME_BYTES_MAX } from '../../../engine/limits.js';

const nothing = (): void => undefined;
const ledgers: readonly AckTarget[] = [0, 1, 2].map((n) => ({
  spoutTask: 100 + n,
  incarnation: n,
  dead: false,
  ack: nothing,
  fail: nothing,
  touch: nothing,
}));

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const sequence = fc.oneof(
  fc.nat(1000),
  fc.integer({ min: 2 ** 32 - 5, max: 2 ** 32 + 5 }),
  fc.integer({ min: 2 ** 33, max: 2 ** 33 + 2 ** 31 }),
  fc.integer({ min: 2 ** 53 - 1000, max: 2 ** 53 - 1 }),
);
/** What the columns of a stream hold: mostly values of one kind. */
const column = fc.constantFrom<fc.Arbitrary<unknown>>(
  fc.constantFrom('the', 'cow', 'jumped'),
  fc.string({ maxLength: 100 }),
  fc.integer(),
  fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  fc.boolean(),
  fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
);
const track = fc.option(fc.record({ ledger: fc.nat(2), sequence, hi: int32, lo: int32 }), { freq: 3 });
const tuplesOf = (columns: readonly fc.Arbitrary<unknown>[]) =>
  fc.array(fc.record({ values: fc.tuple(...columns), track }), { minLength: 1, maxLength: 40 });
const taskNumber = fc.nat(9999);
const tuples = fc.record({
  kind: fc.constant('tuples' as const),
  source: taskNumber,
  target: taskNumber,
  stream: fc.nat(255),
  tuples: fc.array(column, { maxLength: 4 }).chain(tuplesOf),
  skipped: fc.nat(3),
  bytes: fc.nat(2 ** 31 - 1),
});
const end = fc.record({
  kind: fc.constant('end' as const),
  source: taskNumber,
  target: taskNumber,
  revision: fc.nat(),
});
const segments = fc.array(fc.oneof({ weight: 3, arbitrary: tuples }, { weight: 1, arbitrary: end }), {
  minLength: 1,
  maxLength: 12,
});
type Segments = typeof segments extends fc.Arbitrary<infer S> ? S : never;

function write(writer: DataFrameWriter, all: Segments): Uint8Array {
  for (const each of all) {
    if (each.kind === 'end') {
      writer.addEnd(each.source, each.target, each.revision);
      continue;
    }
    const outbox = new Outbox();
    const pad = (): void => {
      for (let i = 0; i < each.skipped; i++) outbox.push(['not this'], 7, new Root(ledgers[0]!, 9, 9), 9, 9, 9);
    };
    // The outbox has sent tuples in front and waiting ones behind.
    pad();
    for (const { values, track } of each.tuples) {
      if (track === null) {
        outbox.push(values, each.stream, null, 0, 0, 1);
        continue;
      }
      const { ledger, sequence, hi, lo } = track;
      const root = new Root(ledgers[ledger]!, Math.floor(sequence / 2 ** 32), sequence | 0);
      outbox.push(values, each.stream, root, hi, lo, 1);
    }
    pad();
    outbox.drop(each.skipped);
    writer.addTuples(each.source, each.target, each.stream, outbox, each.tuples.length, each.bytes);
  }
  return writer.finish();
}

/** The texts of a frame go into the dictionary first. */
function readTexts(frame: ReturnType<typeof readDataFrame>, texts: ReceivedTexts): void {
  let payloadAt = 0;
  for (let at = 0; at < frame.segments.length; at += SEGMENT_INTS) {
    const [, , kind, generation, count, first, bytes] = frame.segments.subarray(at, at + SEGMENT_INTS);
    if (kind === SEGMENT_END) continue;
    const payload = frame.payload.subarray(payloadAt, (payloadAt += bytes!));
    if (kind === SEGMENT_TEXTS) texts.add(generation!, first!, count!, payload);
  }
}

function readRowsOf(payload: Uint8Array, count: number, { texts }: ReceivedTexts): readonly (readonly unknown[])[] {
  const columns = readColumns(payload, count, texts);
  return Array.from({ length: count }, (_, row) => rowOf(columns, row));
}

/** What a frame says, in the form in which the segments were made. A changed frame may name other ledgers. */
function read(bytes: Uint8Array, texts = new ReceivedTexts(), changed = false): unknown[] {
  const frame = readDataFrame(bytes);
  const found: unknown[] = [];
  let payloadAt = 0;
  let track = 0;
  readTexts(frame, texts);
  for (let at = 0; at < frame.segments.length; at += SEGMENT_INTS) {
    const [source, target, kind, a, count, size, bytes] = frame.segments.subarray(at, at + SEGMENT_INTS);
    if (kind === SEGMENT_END) {
      found.push({ kind: 'end', source, target, revision: a });
      continue;
    }
    const payload = frame.payload.subarray(payloadAt, (payloadAt += bytes!));
    if (kind === SEGMENT_TEXTS) continue;
    const tracking = kind! & ~IN_COLUMNS;
    if (tracking !== SEGMENT_TRACKED && tracking !== SEGMENT_UNTRACKED) throw new Error(`a segment of kind ${kind}`);
    const rows = tracking === kind ? readRows(payload, count!) : readRowsOf(payload, count!, texts);
    if (rows.length !== count) throw new Error('another number of rows');
    const list = rows.map((values) => {
      if (tracking === SEGMENT_UNTRACKED) return { values, track: null };
      const [ledger, offset, hi, lo] = frame.tracks.subarray(track, (track += 4));
      if (ledger! < 0) return { values, track: null };
      const [spoutTask, incarnation, baseHi, baseLo] = frame.ledgers.subarray(ledger! * 4, ledger! * 4 + 4);
      if (!changed && spoutTask !== 100 + incarnation!) throw new Error('a ledger is mixed up');
      const sequence = baseHi! * 2 ** 32 + (baseLo! >>> 0) + (offset! >>> 0);
      return { values, track: { ledger: incarnation, sequence, hi, lo } };
    });
    found.push({ kind: 'tuples', source, target, stream: a, tuples: list, bytes: size });
  }
  return found;
}

const withoutSkipped = (all: Segments): unknown[] =>
  all.map((each) => (each.kind === 'end' ? { ...each } : { ...each, skipped: undefined }));

function equal(found: readonly unknown[], wanted: readonly unknown[]): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(found)), JSON.parse(JSON.stringify(wanted)));
}

t.test('any segments arrive as they were written; a writer is used again', async (t) => {
  const property = fc.property(fc.array(segments, { minLength: 1, maxLength: 4 }), (frames) => {
    const writer = new DataFrameWriter();
    const texts = new ReceivedTexts();
    for (const [number, all] of frames.entries()) {
      const bytes = write(writer, all);
      if (!writer.empty) throw new Error('not empty after finish');
      if (new Int32Array(bytes.buffer, 0, 6)[5] !== number) throw new Error('frames are not counted');
      if (!equal(read(bytes, texts), withoutSkipped(all))) throw new Error('another frame came out');
    }
  });
  fc.assert(property, { numRuns: 200 });
  t.pass('200 runs');
});

t.test('roots that come close to each other share one ledger entry', async (t) => {
  const writer = new DataFrameWriter();
  const all = Array.from({ length: 2000 }, (_, i) => ({
    values: [i],
    track: { ledger: 0, sequence: 2 ** 33 + ((i * 7919) % 2000), hi: i, lo: 1 },
  }));
  const frame = readDataFrame(
    write(writer, [{ kind: 'tuples', source: 1, target: 2, stream: 0, tuples: all, skipped: 0, bytes: 1 }]),
  );
  t.equal(frame.ledgers.length, 4);
});

/** Reads bytes that may be anything: they are refused, or well-formed. */
function readAnything(bytes: Uint8Array): 'refused' | 'read' {
  try {
    read(bytes, new ReceivedTexts(), true);
    return 'read';
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    if (error.code !== 'MILLRACE_FRAME_INVALID') throw error;
    return 'refused';
  }
}

t.test('cut short, extended or changed, a frame is refused or well-formed, and nothing else happens', async (t) => {
  const change = fc.oneof(
    fc.record({ do: fc.constant('cut' as const), share: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
    fc.record({ do: fc.constant('extend' as const), by: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
    fc.record({ do: fc.constant('flip' as const), bits: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }) }),
    fc.record({
      do: fc.constant('int' as const),
      at: fc.nat(),
      value: fc.constantFrom(0, -1, 1, 7, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 2 ** 24, 0x0fffffff),
    }),
  );
  const outcomes = { refused: 0, read: 0 };
  const property = fc.property(segments, change, (all, each) => {
    let bytes = write(new DataFrameWriter(), all);
    if (each.do === 'cut') {
      bytes = bytes.slice(0, Math.floor(bytes.length * each.share));
    } else if (each.do === 'extend') {
      const longer = new Uint8Array(bytes.length + each.by.length);
      longer.set(bytes);
      longer.set(each.by, bytes.length);
      bytes = longer;
    } else if (each.do === 'flip') {
      for (const bit of each.bits) bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
    } else {
      new DataView(bytes.buffer).setInt32((each.at % (bytes.length >> 2)) * 4, each.value, true);
    }
    const outcome = readAnything(bytes);
    if (outcome === 'read' && (each.do === 'cut' || each.do === 'extend')) throw new Error(`${each.do} and read`);
    outcomes[outcome]++;
  });
  fc.assert(property, { numRuns: 2000 });
  t.ok(outcomes.refused > 500);
});

t.test('random bytes are refused', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readAnything(bytes.slice()) === 'refused'),
    { numRuns: 500 },
  );
  const header = (...ints: number[]): Uint8Array => new Uint8Array(Int32Array.of(0x4d520301, ...ints).buffer);
  fc.assert(
    fc.property(fc.array(int32, { maxLength: 60 }), (ints) =>
      ['read', 'refused'].includes(readAnything(header(...ints))),
    ),
    { numRuns: 500 },
  );
  t.pass('1000 runs');
});

/** A frame with that payload and one segment that claims so many rows. */
function frameOf(payload: Uint8Array, rows: number): Uint8Array {
  const bytes = new Uint8Array(13 * 4 + payload.length);
  new Int32Array(bytes.buffer, 0, 13).set([
    0x4d520301,
    1,
    0,
    0,
    payload.length,
    0,
    0,
    1,
    SEGMENT_UNTRACKED,
    0,
    rows,
    9,
    payload.length,
  ]);
  bytes.set(payload, 52);
  return bytes;
}

t.test('a short frame that claims huge counts is refused without taking memory for them', async (t) => {
  t.equal(readAnything(frameOf(pack([['x']]), 1)), 'read', 'the frame itself is right');
  const huge = [0x7f, 0xff, 0xff, 0xff];
  const some = [0x00, 0x7f, 0xff, 0xff];
  const arrays = (count: readonly number[], depth: number): number[] =>
    Array.from({ length: depth }, () => [0xdd, ...count]).flat();
  const payloads: Record<string, readonly number[]> = {
    'an array': arrays(huge, 1),
    'arrays in arrays': arrays(some, 1000),
    'a map': [0xdf, ...huge],
    'maps in arrays': [0x91, 0x91, 0xdf, ...some],
    text: [0x91, 0x91, 0xdb, ...huge],
    'binary data': [0x91, 0x91, 0xc6, ...huge],
    'an extension': [0x91, 0x91, 0xc9, ...huge, 0x42],
    'arrays one in the other, too deep for the stack': Array<number>(200_000).fill(0x91),
    nothing: [],
  };
  for (const [name, payload] of Object.entries(payloads)) {
    const before = process.memoryUsage();
    t.equal(readAnything(frameOf(Uint8Array.from(payload), 1)), 'refused', name);
    const after = process.memoryUsage();
    t.ok(
      after.heapTotal + after.external - before.heapTotal - before.external < 64 * 1024 * 1024,
      `${name}: little memory`,
    );
  }
  for (const ints of [
    [2 ** 31 - 1, 0, 0],
    [0, 2 ** 31 - 1, 0],
    [0, 0, 2 ** 31 - 1],
    [-1, 0, 0],
    [0, 1, -1],
  ]) {
    const bytes = frameOf(pack([['x']]), 1);
    new Int32Array(bytes.buffer, 4, 3).set(ints);
    t.equal(readAnything(bytes), 'refused');
  }
});

t.test('what is well-formed msgpack but no rows of values is refused', async (t) => {
  for (const payload of [1, 'x', null, {}, [1], ['x'], [{}], [[1], [2]], []]) {
    t.equal(readAnything(frameOf(pack(payload), 1)), 'refused', JSON.stringify(payload));
  }
  t.equal(readAnything(frameOf(pack([['x']]), 2)), 'refused', 'fewer rows than the segment says');
  t.equal(readAnything(frameOf(pack([]), 0)), 'refused', 'an empty segment: its bytes would never be given back');
  for (const [at, what] of [
    [9, 'stream'],
    [11, 'size'],
  ] as const) {
    const bytes = frameOf(pack([['x']]), 1);
    new Int32Array(bytes.buffer, 0, 13)[at] = -1;
    t.equal(readAnything(bytes), 'refused', `a negative ${what}`);
  }
});

t.test('a frame above the limit, or one that is not aligned, is refused before it is looked at', async (t) => {
  t.equal(readAnything(new Uint8Array(FRAME_BYTES_MAX + 4)), 'refused');
  const bytes = new Uint8Array(100);
  t.equal(readAnything(bytes.subarray(1)), 'refused');
  t.equal(readAnything(new Uint8Array(0)), 'refused');
});

t.test('a frame of another protocol version is refused', async (t) => {
  const bytes = frameOf(pack([['x']]), 1);
  bytes[1] = 1;
  t.equal(readAnything(bytes), 'refused');
});
