// Two links over a wire in memory that delivers when it is told to, and hosts that hold what they receive.

import type { AckTarget } from '../../../engine/ack/ack-target.js';
import { Root } from '../../../engine/ack/root.js';
import { runtimeLimits, type RuntimeLimits } from '../../../engine/limits.js';
import type { InboundChannel } from '../../../engine/link/inbound-channel.js';
import { Link } from '../../../engine/link/link.js';
import type { LinkHost, LinkName } from '../../../engine/link/link-host.js';
import type { ChannelSender, OutboundChannel } from '../../../engine/link/outbound-channel.js';
import type { Frame, Wire, WireReceiver } from '../../../engine/link/wire.js';
import type { InboundBatch } from '../../../engine/task/inbound-batch.js';
import { Origin, type TaskTuple } from '../../../engine/task/task-tuple.js';

/** One end of a wire in memory. Frames wait, data and control apart, until they are delivered. */
export class MemoryWire implements Wire {
  other!: MemoryWire;
  closed = false;
  readonly data: Frame[] = [];
  readonly control: Frame[] = [];
  private receiver: WireReceiver | null = null;

  open(receiver: WireReceiver): void {
    this.receiver = receiver;
  }

  sendData(frame: Frame): void {
    if (!this.closed) this.other.data.push(frame);
  }

  sendControl(frame: Frame): void {
    if (!this.closed) this.other.control.push(frame);
  }

  close(): void {
    this.closed = true;
  }

  deliverData(): boolean {
    const frame = this.data.shift();
    if (frame !== undefined) this.receiver?.data(frame);
    return frame !== undefined;
  }

  deliverControl(): boolean {
    const frame = this.control.shift();
    if (frame !== undefined) this.receiver?.control(frame);
    return frame !== undefined;
  }
}

/** What came to a task, in order: tuples and end markers. */
export type Received =
  | { readonly tuple: TaskTuple; readonly edgeHi: number }
  | { readonly endOf: number; readonly revision: number }
  | { readonly markOf: number; readonly revision: number };

/** Tasks of the topology that a fake host knows. */
const TASKS = 1_000;

/** A worker without tasks: it keeps what it receives until `take` is called. */
export class FakeHost implements LinkHost {
  readonly limits: RuntimeLimits;
  readonly inbound: InboundChannel[] = [];
  readonly mailboxes = new Map<number, TaskTuple[]>();
  readonly received: Received[] = [];
  readonly marks: { readonly target: number; readonly before: number }[] = [];
  readonly refused: unknown[] = [];
  readonly lost: string[] = [];
  readonly acks: number[][] = [];
  readonly fails: number[][] = [];
  readonly touches: number[][] = [];
  readonly ledgers = new Map<string, AckTarget>();
  readonly outbox = new Map<number, number>();
  droppedCount = 0;
  saturated = false;
  nowMs = 0;
  turnRequested = false;
  readonly streams: number;

  constructor(limits: Partial<RuntimeLimits> = {}, streams = 2) {
    this.limits = { ...runtimeLimits, ...limits };
    this.streams = streams;
  }

  ledgerOf(spoutTask: number, incarnation: number): AckTarget | null {
    return this.ledgers.get(`${spoutTask}/${incarnation}`) ?? null;
  }

  fillOrigins(channel: InboundChannel): void {
    this.inbound.push(channel);
    for (let stream = 0; stream < this.streams; stream++) {
      channel.origins.push(new Origin('source', `stream${stream}`, stream, channel.sourceTask, ['n'], channel));
    }
  }

  now(): number {
    return this.nowMs;
  }

  receive(task: number, batch: InboundBatch): void {
    const mailbox = this.mailboxes.get(task) ?? [];
    this.mailboxes.set(task, mailbox);
    while (batch.left > 0) {
      const tuple = batch.next();
      if (batch.dead) {
        this.droppedCount++;
        batch.origin.channel!.taken(1);
        continue;
      }
      mailbox.push(tuple);
      this.received.push({ tuple, edgeHi: batch.edgeHi });
    }
  }

  /** The task takes the oldest tuple of its mailbox. */
  take(task: number): boolean {
    const tuple = this.mailboxes.get(task)?.shift();
    tuple?.origin.channel?.taken(1);
    return tuple !== undefined;
  }

  /** Tuples in mailboxes. */
  get waiting(): number {
    let sum = 0;
    for (const mailbox of this.mailboxes.values()) sum += mailbox.length;
    return sum;
  }

  receiveMark(sourceTask: number, targetTask: number, revision: number): void {
    this.received.push({ markOf: sourceTask, revision });
    this.marks.push({ target: targetTask, before: this.mailboxes.get(targetTask)?.length ?? 0 });
  }

  receiveEnd(sourceTask: number, _targetTask: number, revision: number): void {
    this.received.push({ endOf: sourceTask, revision });
  }

  outboxChanged(sourceTask: number, by: number): void {
    this.outbox.set(sourceTask, (this.outbox.get(sourceTask) ?? 0) + by);
  }

  requestTurn(): void {
    this.turnRequested = true;
  }

  frameRefused(error: unknown): void {
    this.refused.push(error);
  }

  linkLost(_link: LinkName, reason: string): void {
    this.lost.push(reason);
  }

  accepts(sourceTask: number, targetTask: number): boolean {
    return sourceTask >= 0 && targetTask >= 0 && sourceTask < TASKS && targetTask < TASKS;
  }

  acked(task: number, incarnation: number, rows: Int32Array): void {
    this.acks.push(...rowsOf(task, incarnation, rows, 4));
  }

  failed(task: number, incarnation: number, rows: Int32Array): void {
    this.fails.push(...rowsOf(task, incarnation, rows, 2));
  }

  touched(task: number, incarnation: number, rows: Int32Array): void {
    this.touches.push(...rowsOf(task, incarnation, rows, 2));
  }
}

function* rowsOf(task: number, incarnation: number, rows: Int32Array, ints: number): Generator<number[]> {
  for (let at = 0; at < rows.length; at += ints) yield [task, incarnation, ...rows.subarray(at, at + ints)];
}

/** A task that sends; says whether something blocks it. */
export class FakeSender implements ChannelSender {
  readonly blockedBy = new Set<object>();
  twice = false;

  block(by: object): void {
    if (this.blockedBy.has(by)) this.twice = true;
    this.blockedBy.add(by);
  }

  unblock(by: object): void {
    if (!this.blockedBy.delete(by)) this.twice = true;
  }

  get blocked(): boolean {
    return this.blockedBy.size > 0;
  }
}

export interface LinkPair {
  readonly sender: FakeHost;
  readonly receiver: FakeHost;
  readonly link: Link;
  readonly back: Link;
  readonly near: MemoryWire;
  readonly far: MemoryWire;
}

/** Two open links. */
export function linkPair(limits: Partial<RuntimeLimits> = {}): LinkPair {
  const near = new MemoryWire();
  const far = new MemoryWire();
  near.other = far;
  far.other = near;
  const sender = new FakeHost(limits);
  const receiver = new FakeHost(limits);
  const link = new Link(sender, near, { id: 1, worker: 1 });
  const back = new Link(receiver, far, { id: 1, worker: 0 });
  link.open();
  back.open();
  return { sender, receiver, link, back, near, far };
}

/** Runs the turns that were asked for, and delivers, until nothing moves; the receiver takes nothing by itself. */
export function settleTurns({ sender, receiver, link, back, near, far }: LinkPair): void {
  for (let moved = true; moved;) {
    moved = turnIfAsked(sender, link);
    moved = turnIfAsked(receiver, back) || moved;
    moved = far.deliverControl() || near.deliverControl() || far.deliverData() || near.deliverData() || moved;
  }
}

/** A turn of that worker, if its link asked for one. */
export function turnIfAsked(host: FakeHost, link: Link): boolean {
  if (!host.turnRequested) return false;
  host.turnRequested = false;
  link.flush();
  return true;
}

/** Sends a tuple with one number, of a stated size. */
export function push(
  channel: OutboundChannel,
  n: number,
  bytes = 10,
  stream = 0,
  ledger: AckTarget | null = null,
  root = 0,
): void {
  const tree = ledger === null ? null : new Root(ledger, Math.floor(root / 2 ** 32), root | 0);
  channel.push([n], stream, tree, n, 1, bytes);
}

/** The numbers that came to a task from a source. */
export function numbersOf(host: FakeHost, channel: OutboundChannel): number[] {
  const numbers: number[] = [];
  for (const each of host.received) {
    if ('tuple' in each && each.tuple.task === channel.sourceTask) numbers.push(each.tuple.values[0] as number);
  }
  return numbers;
}
