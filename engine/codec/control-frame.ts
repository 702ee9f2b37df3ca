// Frames that carry acks and credit from one worker to another, apart from data, so that they never wait behind it. All
// integers are 32-bit little-endian.
//
//   frame    = magic|version|kind  load  section*                        load = 1: its thread has no time to spare
//   section  = 1 spoutTask incarnation count (rootHi rootLo hi lo)*     acks, XORed into the trees of that ledger
//            | 2 spoutTask incarnation count (rootHi rootLo)* reason* bytes reasons      trees that failed, and why
//            | 3 spoutTask incarnation count (rootHi rootLo)*           trees that made progress
//            | 4 sourceTask targetTask tuples bytes                     credit that comes back to a channel
//   reason   = which of the reasons, from 0
//   reasons  = a list of [code, message, component, task] as msgpack, filled up to a whole int

import type { TreeFailure } from '../component/spout.js';
import { FRAME_BYTES_MAX } from '../limits.js';
import { ACK_ROW_INTS, type RemoteLedger } from '../ack/remote-ledger.js';
import { isFailureRow } from '../ack/tree-failure.js';
import { PROTOCOL_VERSION } from './data-frame.js';
import { invalidFrame } from './invalid-frame.js';
import { pack, unpack } from './pack.js';

const KIND_CONTROL = 2;
const HEADER = 0x4d520000 | (PROTOCOL_VERSION << 8) | KIND_CONTROL;
const HEADER_INTS = 2;
const ACKS = 1;
const FAILS = 2;
const TOUCHES = 3;
const CREDIT = 4;
export const ROOT_INTS = 2;

/** What a control frame tells, called section by section; `rows` is only valid during the call. */
export interface ControlHandler {
  /** Whether the thread of the other end has had no time to spare for a while. */
  loaded(saturated: boolean): void;
  /** Rows of rootHi, rootLo, hi and lo. */
  acked(spoutTask: number, incarnation: number, rows: Int32Array): void;
  /** Rows of rootHi and rootLo, and for each why it failed. */
  failed(spoutTask: number, incarnation: number, rows: Int32Array, failures: readonly TreeFailure[]): void;
  /** Rows of rootHi and rootLo. */
  touched(spoutTask: number, incarnation: number, rows: Int32Array): void;
  credited(sourceTask: number, targetTask: number, tuples: number, bytes: number): void;
}

/** Rows of one section at most: acks of a million trees in one turn travel in several frames. */
const SECTION_ROWS_MAX = 65_536;
/** Ints of one frame at most; the largest section fits. */
const FRAME_INTS_MAX = FRAME_BYTES_MAX / 4;

/** Gathers sections and makes frames of them, mostly one; reused by its link. */
export class ControlFrameWriter {
  /** The thread of this end has no time to spare: every frame says so. */
  saturated = false;
  private readonly send: (frame: Uint8Array<ArrayBuffer>) => void;
  private ints = new Int32Array(1024);
  private length = HEADER_INTS;

  /** @param send - takes a frame that is full before `finish` is called */
  constructor(send: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.send = send;
  }

  get empty(): boolean {
    return this.length === HEADER_INTS;
  }

  addLedger(ledger: RemoteLedger): void {
    // First of all: a tuple that failed inside the call that emitted it left no edge behind, so that the ack of its
    // parent, which comes later, may bring the tree to zero.
    if (ledger.failed.length > 0) this.addFails(ledger);
    for (let row = 0; row < ledger.rowCount; row += SECTION_ROWS_MAX) {
      const count = Math.min(SECTION_ROWS_MAX, ledger.rowCount - row);
      this.start(ACKS, ledger, count, ACK_ROW_INTS);
      this.ints.set(ledger.rows.subarray(row * ACK_ROW_INTS, (row + count) * ACK_ROW_INTS), this.length);
      this.length += count * ACK_ROW_INTS;
    }
    this.addTouches(ledger);
  }

  addCredit(sourceTask: number, targetTask: number, tuples: number, bytes: number): void {
    this.reserve(5);
    this.put(CREDIT);
    this.put(sourceTask);
    this.put(targetTask);
    this.put(tuples);
    this.put(bytes);
  }

  /** The frame, in memory of its own; the writer is empty again. */
  finish(): Uint8Array<ArrayBuffer> {
    const frame = new Int32Array(this.length);
    frame.set(this.ints.subarray(0, this.length));
    frame[0] = HEADER;
    frame[1] = this.saturated ? 1 : 0;
    this.length = HEADER_INTS;
    return new Uint8Array(frame.buffer);
  }

  private addFails(ledger: RemoteLedger): void {
    const { failed, failedFor } = ledger;
    // A copy: what is packed is only good until the next time.
    const reasons = pack(
      ledger.reasons.map(({ code, message, component, task }) => [code, message, component, task]),
    ).slice();
    const reasonInts = Math.ceil(reasons.length / 4);
    for (let row = 0; row < failedFor.length; row += SECTION_ROWS_MAX) {
      const end = Math.min(failedFor.length, row + SECTION_ROWS_MAX);
      this.start(FAILS, ledger, end - row, ROOT_INTS + 1, 1 + reasonInts);
      for (let half = row * ROOT_INTS; half < end * ROOT_INTS; half++) this.put(failed[half]!);
      for (let each = row; each < end; each++) this.put(failedFor[each]!);
      this.put(reasons.length);
      const filled = new Int32Array(reasonInts);
      new Uint8Array(filled.buffer).set(reasons);
      this.ints.set(filled, this.length);
      this.length += reasonInts;
    }
  }

  private addTouches(ledger: RemoteLedger): void {
    const roots = ledger.touched;
    for (let at = 0; at < roots.length; at += SECTION_ROWS_MAX * ROOT_INTS) {
      const end = Math.min(roots.length, at + SECTION_ROWS_MAX * ROOT_INTS);
      this.start(TOUCHES, ledger, (end - at) / ROOT_INTS, ROOT_INTS);
      for (let half = at; half < end; half++) this.put(roots[half]!);
    }
  }

  private start(kind: number, ledger: RemoteLedger, count: number, rowInts: number, moreInts = 0): void {
    this.reserve(4 + count * rowInts + moreInts);
    this.put(kind);
    this.put(ledger.spoutTask);
    this.put(ledger.incarnation);
    this.put(count);
  }

  private put(value: number): void {
    this.ints[this.length++] = value;
  }

  private reserve(count: number): void {
    if (this.length + count > FRAME_INTS_MAX) this.send(this.finish());
    if (this.length + count <= this.ints.length) return;
    const ints = new Int32Array(Math.max(this.ints.length * 2, this.length + count));
    ints.set(this.ints.subarray(0, this.length));
    this.ints = ints;
  }
}

/**
 * Tells a handler what stands in a control frame.
 *
 * @throws MILLRACE_FRAME_INVALID
 */
export function readControlFrame(frame: Uint8Array, handler: ControlHandler): void {
  if (frame.byteLength > FRAME_BYTES_MAX) throw invalidFrame(`${frame.byteLength} bytes, above ${FRAME_BYTES_MAX}`);
  if (frame.byteLength % 4 !== 0 || frame.byteOffset % 4 !== 0) throw invalidFrame('cut short');
  const ints = new Int32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2);
  if (ints[0] !== HEADER) throw invalidFrame('not a control frame of this protocol version');
  if (ints[1] !== 0 && ints[1] !== 1) throw invalidFrame('its load is neither 0 nor 1');
  handler.loaded(ints[1] === 1);
  let at = HEADER_INTS;
  while (at < ints.length) at = readSection(ints, at, handler);
}

function readSection(ints: Int32Array, start: number, handler: ControlHandler): number {
  const kind = ints[start]!;
  const a = ints[start + 1]!;
  const b = ints[start + 2]!;
  const c = ints[start + 3]!;
  let at = start + 4;
  if (kind === CREDIT) {
    if (at >= ints.length || c < 0 || ints[at]! < 0) throw invalidFrame('a credit section is cut short or negative');
    handler.credited(a, b, c, ints[at]!);
    return at + 1;
  }
  const rowInts = kind === ACKS ? ACK_ROW_INTS : ROOT_INTS;
  if (kind < ACKS || kind > TOUCHES) throw invalidFrame(`an unknown section kind ${kind}`);
  if (!(c >= 0) || at + c * rowInts > ints.length) throw invalidFrame('a section is longer than the frame');
  const rows = ints.subarray(at, (at += c * rowInts));
  if (kind === ACKS) handler.acked(a, b, rows);
  else if (kind === TOUCHES) handler.touched(a, b, rows);
  else return readFails(ints, at, a, b, rows, handler);
  return at;
}

/** The rest of a section of failed trees: why they failed. */
function readFails(
  ints: Int32Array,
  start: number,
  spoutTask: number,
  incarnation: number,
  rows: Int32Array,
  handler: ControlHandler,
): number {
  const count = rows.length / ROOT_INTS;
  const bytesAt = start + count;
  const bytes = bytesAt < ints.length ? ints[bytesAt]! : -1;
  const end = bytesAt + 1 + Math.ceil(bytes / 4);
  if (bytes < 0 || end > ints.length) throw invalidFrame('a section of failed trees is cut short');
  const reasons = readReasons(new Uint8Array(ints.buffer, ints.byteOffset + (bytesAt + 1) * 4, bytes));
  const failures: TreeFailure[] = [];
  for (let at = start; at < bytesAt; at++) {
    const reason = ints[at]!;
    const failure = reasons[reason];
    if (failure === undefined) throw invalidFrame('a failed tree has an unknown reason');
    failures.push(failure);
  }
  handler.failed(spoutTask, incarnation, rows, failures);
  return end;
}

function readReasons(bytes: Uint8Array): TreeFailure[] {
  let rows: unknown;
  try {
    rows = unpack(bytes);
  } catch {
    rows = null;
  }
  if (!Array.isArray(rows)) throw invalidFrame('reasons of failed trees are no list');
  return rows.map((row: unknown) => {
    if (!isFailureRow(row)) throw invalidFrame('a reason of failed trees is none');
    const [code, message, component, task] = row;
    return { cause: 'failed', code, message, component, task };
  });
}
