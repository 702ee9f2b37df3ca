// Puts what a data frame brought into the mailboxes of this worker: one TaskTuple for each row, its root and edge from
// the track that belongs to it. Tuples of one tree stand next to each other more often than not and then share their
// root. Runs on the worker's thread, once for each tuple that crosses: nothing but the tuple is made for it.

import { rootHiOf, rootLoOf, type AckTarget } from '../ack/ack-target.js';
import { Root } from '../ack/root.js';
import { SEGMENT_END, SEGMENT_TRACKED, type DataFrame } from '../codec/data-frame.js';
import { Held, TaskTuple } from '../task/task-tuple.js';
import type { InboundChannel } from './inbound-channel.js';
import type { LinkHost } from './link-host.js';

const LEDGER_INTS = 4;
const SEGMENT_INTS = 6;
const TRACK_INTS = 4;
const TWO_32 = 4294967296;

/** Delivers every segment of a frame, in order. */
export function deliverFrame(
  frame: DataFrame,
  host: LinkHost,
  channelFrom: (sourceTask: number, targetTask: number) => InboundChannel,
): void {
  const { segments } = frame;
  const tracks = new Tracks(frame, host);
  let rowsAt = 0;
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    const source = segments[at]!;
    const target = segments[at + 1]!;
    const kind = segments[at + 2]!;
    if (kind === SEGMENT_END) {
      host.receiveEnd(source, target, segments[at + 3]!);
      continue;
    }
    const rows = frame.rows[rowsAt++]!;
    const channel = channelFrom(source, target);
    channel.received(rows.length, segments[at + 5]!);
    const origin = channel.origins[segments[at + 3]!]!;
    const tuples: TaskTuple[] = [];
    for (let i = 0; i < rows.length; i++) {
      if (kind === SEGMENT_TRACKED) tracks.next();
      if (kind === SEGMENT_TRACKED && tracks.dead) {
        channel.taken();
        host.dropped(target);
        continue;
      }
      const tuple = new TaskTuple(rows[i]!, origin, kind === SEGMENT_TRACKED ? tracks.root : null);
      if (tuple.root !== null) tuple.held = new Held(tracks.edgeHi, tracks.edgeLo);
      tuples.push(tuple);
    }
    host.receive(target, tuples);
  }
}

/** Walks the tracks of a frame. */
class Tracks {
  /** The tree of the current tuple; null when it is not tracked. */
  root: Root | null = null;
  /** The spout's incarnation that the current tuple names is over. */
  dead = false;
  edgeHi = 0;
  edgeLo = 0;
  private readonly ints: Int32Array;
  private readonly ledgers: (AckTarget | null)[] = [];
  private readonly bases: number[] = [];
  private at = 0;
  private ledger = -1;
  private offset = 0;

  constructor(frame: DataFrame, host: LinkHost) {
    this.ints = frame.tracks;
    for (let at = 0; at < frame.ledgers.length; at += LEDGER_INTS) {
      this.ledgers.push(host.ledgerOf(frame.ledgers[at]!, frame.ledgers[at + 1]!));
      this.bases.push(frame.ledgers[at + 2]! * TWO_32 + (frame.ledgers[at + 3]! >>> 0));
    }
  }

  next(): void {
    const { ints, at } = this;
    const ledger = ints[at]!;
    const offset = ints[at + 1]!;
    this.edgeHi = ints[at + 2]!;
    this.edgeLo = ints[at + 3]!;
    this.at = at + TRACK_INTS;
    if (ledger === this.ledger && offset === this.offset) return;
    this.ledger = ledger;
    this.offset = offset;
    if (ledger < 0) {
      this.root = null;
      this.dead = false;
      return;
    }
    const target = this.ledgers[ledger]!;
    const sequence = this.bases[ledger]! + (offset >>> 0);
    this.dead = target === null;
    this.root = target === null ? null : new Root(target, rootHiOf(sequence), rootLoOf(sequence));
  }
}
