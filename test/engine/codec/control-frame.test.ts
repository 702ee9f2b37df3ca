// Frames with acks and credit: they say what was gathered, and nothing else gets through.

import fc from 'fast-check';
import t from 'tap';
import { RemoteLedger } from '../../../engine/ack/remote-ledger.js';
import { UNDELIVERED } from '../../../engine/ack/tree-failure.js';
import { ControlFrameWriter, readControlFrame, type ControlHandler } from '../../../engine/codec/control-frame.js';
import type { TreeFailure } from '../../../engine/component/spout.js';
import { isMillraceError } from '../../../engine/errors.js';
import { FAILURES_TOLD_MAX, FRAME_BYTES_MAX } from '../../../engine/limits.js';

function shown({ cause, code, message, component, task }: TreeFailure): string {
  return JSON.stringify([cause, code, message, component, task]);
}

/** Writes down what a frame says. */
class Heard implements ControlHandler {
  readonly all: string[] = [];
  acked = (task: number, incarnation: number, rows: Int32Array): void =>
    this.hearRows('ack', task, incarnation, rows, 4);
  failed = (task: number, incarnation: number, rows: Int32Array, failures: readonly TreeFailure[]): void =>
    failures.forEach((failure, row) =>
      this.all.push(`fail ${task} ${incarnation} ${rows[row * 2]} ${rows[row * 2 + 1]} ${shown(failure)}`),
    );
  touched = (task: number, incarnation: number, rows: Int32Array): void =>
    this.hearRows('touch', task, incarnation, rows, 2);
  credited = (...row: number[]): void => this.hear('credit', row);
  loaded = (saturated: boolean): void => {
    if (saturated) this.all.push('saturated');
  };

  private hearRows(what: string, task: number, incarnation: number, rows: Int32Array, ints: number): void {
    for (let at = 0; at < rows.length; at += ints)
      this.hear(what, [task, incarnation, ...rows.subarray(at, at + ints)]);
  }

  private hear(what: string, row: readonly number[]): void {
    this.all.push(`${what} ${row.join(' ')}`);
  }
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const rootHi = fc.integer({ min: 0, max: 2 ** 21 - 1 });
const treeFailure = fc.oneof(
  fc.constant(UNDELIVERED),
  fc.record({
    cause: fc.constant('failed' as const),
    code: fc.constantFrom('MILLRACE_TASK_THREW', 'MILLRACE_TASK_FAILED_TUPLE'),
    message: fc.string({ unit: 'grapheme', maxLength: 60 }),
    component: fc.constantFrom('a', 'b-c'),
    task: fc.nat(9),
  }),
);
const ledger = fc.record({
  spoutTask: fc.nat(9999),
  incarnation: fc.nat(1000),
  // Each root once, so that nothing is merged and the order stays.
  acks: fc.uniqueArray(fc.tuple(rootHi, int32, int32, fc.integer({ min: 1, max: 2 ** 31 - 1 })), {
    selector: (row) => row[1],
    maxLength: 400,
  }),
  fails: fc.array(fc.tuple(rootHi, int32, treeFailure), { maxLength: 40 }),
  touches: fc.array(fc.tuple(rootHi, int32), { maxLength: 40 }),
});
const credit = fc.tuple(fc.nat(9999), fc.nat(9999), fc.nat(), fc.nat());
const contents = fc.record({
  ledgers: fc.array(ledger, { maxLength: 4 }),
  credits: fc.array(credit, { maxLength: 10 }),
});
type Contents = typeof contents extends fc.Arbitrary<infer S> ? S : never;

function write(writer: ControlFrameWriter, { ledgers, credits }: Contents): string[] {
  const wanted: string[] = [];
  for (const { spoutTask, incarnation, acks, fails, touches } of ledgers) {
    const remote = new RemoteLedger(spoutTask, incarnation, { markDirty: () => undefined });
    const name = `${spoutTask} ${incarnation}`;
    // What failed is told first: an ack that came later must not end its tree before.
    for (const [hi, lo, failure] of fails) {
      remote.fail(hi, lo, failure);
      wanted.push(`fail ${name} ${hi} ${lo} ${shown(failure)}`);
    }
    for (const row of acks) {
      remote.ack(...row);
      wanted.push(`ack ${name} ${row.join(' ')}`);
    }
    for (const root of touches) {
      remote.touch(...root);
      wanted.push(`touch ${name} ${root.join(' ')}`);
    }
    writer.addLedger(remote);
  }
  for (const row of credits) {
    writer.addCredit(...row);
    wanted.push(`credit ${row.join(' ')}`);
  }
  return wanted;
}

function read(frame: Uint8Array): string[] {
  const heard = new Heard();
  readControlFrame(frame, heard);
  return heard.all;
}

function unexpected(): never {
  throw new Error('one frame was enough');
}

t.test('any contents arrive as they were written; a writer is used again', async (t) => {
  const property = fc.property(fc.array(contents, { minLength: 1, maxLength: 3 }), (frames) => {
    const writer = new ControlFrameWriter(unexpected);
    for (const each of frames) {
      const wanted = write(writer, each);
      if (writer.empty !== (wanted.length === 0)) throw new Error('empty is wrong');
      const found = read(writer.finish());
      if (found.join('\n') !== wanted.join('\n')) throw new Error('something else arrived');
      if (!writer.empty) throw new Error('not empty after finish');
    }
  });
  fc.assert(property, { numRuns: 100 });
  t.pass('100 runs');
});

t.test('what is more than a frame may hold is spread over several', async (t) => {
  const frames: Uint8Array[] = [];
  const writer = new ControlFrameWriter((frame) => frames.push(frame));
  const remote = new RemoteLedger(1, 2, { markDirty: () => undefined });
  const roots = 600_000;
  for (let root = 0; root < roots; root++) remote.ack(0, root, 1, 1);
  for (let root = 0; root < roots; root++) remote.touch(0, root);
  writer.addLedger(remote);
  for (let channel = 0; channel < roots; channel++) writer.addCredit(channel, 1, 2, 3);
  frames.push(writer.finish());
  const counts = { ack: 0, touch: 0, credit: 0 };
  const inOrder = (rows: Int32Array, ints: number, from: number): number => {
    for (let at = 0; at < rows.length; at += ints) if (rows[at + 1] !== from + at / ints) t.fail('out of order');
    return rows.length / ints;
  };
  const handler: ControlHandler = {
    loaded: () => undefined,
    acked: (_task, _incarnation, rows) => (counts.ack += inOrder(rows, 4, counts.ack)),
    failed: () => t.fail('nothing failed'),
    touched: (_task, _incarnation, rows) => (counts.touch += inOrder(rows, 2, counts.touch)),
    credited: (source) => (source === counts.credit ? counts.credit++ : t.fail('out of order')),
  };
  for (const frame of frames) {
    t.ok(frame.byteLength <= FRAME_BYTES_MAX);
    readControlFrame(frame, handler);
  }
  t.strictSame(counts, { ack: roots, touch: roots, credit: roots });
});

/** Reads bytes that may be anything. */
function readAnything(bytes: Uint8Array): 'refused' | 'read' {
  try {
    const { length } = read(bytes);
    if (length > bytes.length / 8) throw new Error('more was said than stands in the frame');
    return 'read';
  } catch (error) {
    if (!isMillraceError(error) || error.code !== 'MILLRACE_FRAME_INVALID') throw error;
    return 'refused';
  }
}

t.test('changed, cut or random bytes are refused or well-formed', async (t) => {
  const value = fc.oneof(int32, fc.constantFrom(0, -1, 1, 2, 3, 4, 2 ** 31 - 1, 2 ** 28));
  const property = fc.property(
    contents,
    fc.array(fc.tuple(fc.nat(), value), { maxLength: 4 }),
    fc.option(fc.nat()),
    (each, changes, cut) => {
      const writer = new ControlFrameWriter(unexpected);
      write(writer, each);
      let bytes: Uint8Array = writer.finish();
      const ints = new Int32Array(bytes.buffer);
      for (const [at, int] of changes) ints[at % ints.length] = int;
      if (cut !== null) bytes = bytes.slice(0, cut % bytes.length);
      readAnything(bytes);
    },
  );
  fc.assert(property, { numRuns: 1000 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), (ints) => {
      readAnything(new Uint8Array(Int32Array.of(0x4d520302, ...ints).buffer));
    }),
    { numRuns: 1000 },
  );
  t.pass('2000 runs');
});

t.test('what cannot be a control frame is refused', async (t) => {
  const frame = (...ints: number[]): Uint8Array => new Uint8Array(Int32Array.of(...ints).buffer);
  const header = 0x4d520302;
  const refused: Record<string, Uint8Array> = {
    nothing: new Uint8Array(0),
    'a data frame': frame(0x4d520301),
    'another version': frame(0x4d520102),
    'no load': frame(header),
    'a load that is none': frame(header, 2),
    'an unknown section': frame(header, 0, 9, 0, 0, 0),
    'a huge count': frame(header, 0, 1, 0, 0, 2 ** 31 - 1),
    'a negative count': frame(header, 0, 2, 0, 0, -1),
    'a section without its head': frame(header, 0, 1, 0),
    'a section without its kind': frame(header, 0, 0),
    'negative credit': frame(header, 0, 4, 0, 0, -1, 5),
    'negative bytes': frame(header, 0, 4, 0, 0, 1, -5),
    'credit cut short': frame(header, 0, 4, 0, 0, 1),
    'not whole integers': frame(header, 0, 4, 0, 0, 1, 5).subarray(0, 26),
    'not aligned': frame(header, 0, 4, 0, 0, 1, 5, 0).subarray(2),
    'too large': new Uint8Array(FRAME_BYTES_MAX + 4),
  };
  for (const [name, bytes] of Object.entries(refused)) t.equal(readAnything(bytes), 'refused', name);
  t.equal(readAnything(frame(header, 0)), 'read', 'an empty one says nothing but its load');
});

t.test('each frame says whether the thread of its end has time', async (t) => {
  const writer = new ControlFrameWriter(() => undefined);
  const heard = (): boolean[] => {
    const said: boolean[] = [];
    writer.addCredit(1, 2, 3, 4);
    readControlFrame(writer.finish(), Object.assign(new Heard(), { loaded: (is: boolean) => said.push(is) }));
    return said;
  };
  t.strictSame(heard(), [false]);
  writer.saturated = true;
  t.strictSame(heard(), [true]);
});

t.test('of too many different failures the component is told, and no more; all of them fit', async (t) => {
  const frames: Uint8Array[] = [];
  const writer = new ControlFrameWriter((frame) => frames.push(frame));
  const remote = new RemoteLedger(1, 2, { markDirty: () => undefined });
  const count = 100_000;
  const failureOf = (n: number): TreeFailure => ({
    cause: 'failed',
    code: 'MILLRACE_TASK_THREW',
    message: n < 1000 ? `record ${n} is bad` : 'all are bad',
    component: `bolt ${n % 3}`,
    task: n % 3,
  });
  for (let n = 0; n < count; n++) remote.fail(0, n, failureOf(n));
  writer.addLedger(remote);
  frames.push(writer.finish());
  let seen = 0;
  const others = new Set<string>();
  for (const frame of frames) {
    t.ok(frame.byteLength <= FRAME_BYTES_MAX);
    readControlFrame(frame, {
      loaded: () => undefined,
      acked: () => t.fail('nothing was acked'),
      touched: () => t.fail('nothing was touched'),
      credited: () => t.fail('no credit'),
      failed: (_task, _incarnation, rows, failures) => {
        for (const [row, failure] of failures.entries()) {
          const n = seen++;
          if (rows[row * 2 + 1] !== n || failure.component !== `bolt ${n % 3}`) throw new Error(`tree ${n}`);
          if (n < FAILURES_TOLD_MAX && failure.message !== `record ${n} is bad`) throw new Error(failure.message);
          if (n >= FAILURES_TOLD_MAX) others.add(failure.message);
        }
      },
    });
  }
  t.equal(seen, count);
  t.equal(others.size, 1);
  t.match([...others][0], /too many/);
});

t.test('reasons that are none, and cut ones, are refused', async (t) => {
  const writer = new ControlFrameWriter(unexpected);
  const remote = new RemoteLedger(1, 2, { markDirty: () => undefined });
  remote.fail(0, 1, { cause: 'failed', code: 'A', message: 'b', component: 'c', task: 4 });
  writer.addLedger(remote);
  const frame = writer.finish();
  const changed = (at: number, value: number): Uint8Array => {
    const copy = frame.slice();
    new DataView(copy.buffer).setInt32(at * 4, value, true);
    return copy;
  };
  t.equal(read(frame).length, 1);
  // Header, load, kind, task, incarnation, count, root, reason, bytes of the reasons.
  for (const each of [changed(8, 1), changed(8, -1), changed(9, 1), changed(9, -1), changed(9, 1000), changed(10, 0)]) {
    t.throws(() => read(each), { code: 'MILLRACE_FRAME_INVALID' });
  }
});
