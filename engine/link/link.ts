// All that flows between this worker and one other: the channels of their tasks over one wire, in both directions, with
// credit and acks. Batches form by themselves: a frame leaves when it is full or when the worker's turn ends.
//
//   tasks ─push─► outboxes ─flush, by credit─► data frame ═══► mailboxes of the other worker
//   ledgers of the other worker ◄═══ control frame ◄─ remote ledgers, credit owed by inbound channels
//
// What comes may be from another process, so a frame is checked before anything of it is used; one that cannot be right
// ends the link, because what it should have said is lost. Runs on the worker's thread. What a superseded link still
// delivers is ignored: `close` comes first.

import { ControlFrameWriter, readControlFrame, type ControlHandler } from '../codec/control-frame.js';
import { readDataFrame } from '../codec/data-frame.js';
import { DataFrameWriter } from '../codec/data-frame-writer.js';
import { invalidFrame } from '../codec/invalid-frame.js';
import { ReceivedTexts } from '../codec/text-dictionary.js';
import type { AckSender, RemoteLedger } from '../ack/remote-ledger.js';
import { reasonOf } from '../errors.js';
import { LOAD_TOLD_MS } from '../limits.js';
import { LinkCredit } from './credit.js';
import { deliverFrame } from './frame-delivery.js';
import { InboundChannel, type CreditReturner } from './inbound-channel.js';
import type { LinkHost, LinkName } from './link-host.js';
import { OutboundChannel, type ChannelOwner, type ChannelSender } from './outbound-channel.js';
import type { Frame, Wire } from './wire.js';

/** What {@link Link.traffic} tells. */
export interface LinkTraffic {
  readonly sent: number;
  readonly received: number;
  readonly waiting: number;
}

export class Link implements AckSender, CreditReturner, ChannelOwner {
  readonly id: number;
  /** The worker at the other end. */
  readonly worker: number;
  private readonly host: LinkHost;
  private readonly wire: Wire;
  private readonly credit: LinkCredit;
  /** What the other end may have under way, as far as it is known here. */
  private readonly granted: LinkCredit;
  private readonly writer = new DataFrameWriter();
  private readonly texts = new ReceivedTexts();
  private readonly controlWriter = new ControlFrameWriter((frame) => this.sendControl(frame));
  private readonly outbound = new Map<string, OutboundChannel>();
  private readonly inbound = new Map<string, InboundChannel>();
  private dirty: OutboundChannel[] = [];
  private held: OutboundChannel[] = [];
  private owing: InboundChannel[] = [];
  private dirtyLedgers: RemoteLedger[] = [];
  private pushedTuples = 0;
  private pushedBytes = 0;
  private frameTuples = 0;
  private frameBytes = 0;
  private creditCame = false;
  private saturatedUntilMs = -Infinity;
  private closed = false;
  /** Frames sent and received, for tests that wait until nothing is under way. */
  sentFrames = 0;
  receivedFrames = 0;

  constructor(host: LinkHost, wire: Wire, name: LinkName) {
    this.id = name.id;
    this.worker = name.worker;
    this.host = host;
    this.wire = wire;
    this.credit = new LinkCredit(host.limits);
    this.granted = new LinkCredit(host.limits);
  }

  open(): void {
    this.wire.open({
      data: (frame) => this.onData(frame),
      control: (frame) => this.onControl(frame),
      lost: (reason) => this.lost(reason),
    });
  }

  close(): void {
    this.closed = true;
    this.wire.close();
    this.texts.release();
    for (const channel of this.outbound.values()) {
      channel.abandon();
      this.settle(channel);
    }
  }

  /** The channel from a task of this worker to one of the other; made when first asked for. */
  channelTo(sourceTask: number, targetTask: number, sender: ChannelSender): OutboundChannel {
    const key = `${sourceTask}>${targetTask}`;
    let channel = this.outbound.get(key);
    if (channel === undefined) {
      channel = new OutboundChannel(this, sourceTask, targetTask, sender);
      this.outbound.set(key, channel);
    }
    channel.sender = sender;
    return channel;
  }

  /** Tuples that wait for credit, in all channels. */
  get waiting(): number {
    let sum = 0;
    for (const channel of this.outbound.values()) sum += channel.waiting;
    return sum;
  }

  /** Tuples that went and came over this link between those tasks, and that still wait to go. */
  traffic(tasks: ReadonlySet<number>): LinkTraffic {
    const sum = { sent: 0, received: 0, waiting: 0 };
    const isInside = (channel: OutboundChannel | InboundChannel): boolean =>
      tasks.has(channel.sourceTask) && tasks.has(channel.targetTask);
    for (const channel of this.outbound.values()) {
      if (!isInside(channel)) continue;
      sum.sent += channel.sentTuples;
      sum.waiting += channel.waiting;
    }
    for (const channel of this.inbound.values()) if (isInside(channel)) sum.received += channel.receivedTuples;
    return sum;
  }

  /** Adds the tasks of which something that they pushed, be it a marker, has not left in a frame. */
  addUnsent(sources: Set<number>): void {
    for (const channel of this.outbound.values()) if (!channel.empty) sources.add(channel.sourceTask);
  }

  pushed(channel: OutboundChannel, bytes: number): void {
    if (!channel.dirty) {
      channel.dirty = true;
      this.dirty.push(channel);
      this.host.requestTurn();
    }
    this.pushedTuples++;
    this.pushedBytes += bytes;
    const { batchTuplesMax, batchBytesMax } = this.host.limits;
    if (this.pushedTuples >= batchTuplesMax || this.pushedBytes >= batchBytesMax) this.flushData();
  }

  fillOf(channel: OutboundChannel): number {
    return this.credit.fillOf(channel);
  }

  get saturated(): boolean {
    return this.host.now() < this.saturatedUntilMs;
  }

  markDirty(ledger: RemoteLedger): void {
    if (this.closed) return;
    this.dirtyLedgers.push(ledger);
    this.host.requestTurn();
  }

  markOwing(channel: InboundChannel): void {
    if (this.closed) return;
    this.owing.push(channel);
    this.host.requestTurn();
  }

  /** The end of the worker's turn: everything leaves for which there is credit. */
  flush(): void {
    if (this.closed) return;
    if (this.dirty.length > 0 || this.creditCame) this.flushData();
    if (this.owing.length > 0 || this.dirtyLedgers.length > 0) this.flushControl();
  }

  private flushData(): void {
    if (this.closed) return;
    if (this.creditCame) {
      this.creditCame = false;
      for (const channel of this.held) this.dirty.push(channel);
      this.held = [];
    }
    const dirty = this.dirty;
    this.dirty = [];
    this.pushedTuples = 0;
    this.pushedBytes = 0;
    for (const channel of dirty) {
      channel.dirty = false;
      this.drain(channel);
      const mark = channel.takeMark();
      if (mark >= 0) {
        this.writer.addMark(channel.sourceTask, channel.targetTask, mark);
        this.drain(channel);
      }
      const revision = channel.takeEnd();
      if (revision >= 0) this.writer.addEnd(channel.sourceTask, channel.targetTask, revision);
      if (channel.waiting > 0) {
        channel.dirty = true;
        this.held.push(channel);
      }
    }
    if (!this.writer.empty) this.sendFrame();
    for (const channel of dirty) this.settle(channel);
  }

  private settle(channel: OutboundChannel): void {
    const change = channel.settle();
    if (change !== 0) this.host.outboxChanged(channel.sourceTask, change);
  }

  /** Writes what that channel may send, in segments of one stream each. */
  private drain(channel: OutboundChannel): void {
    const { batchTuplesMax, batchBytesMax } = this.host.limits;
    while (channel.beforeMarker > 0) {
      const tuplesMax = Math.min(this.credit.tuplesFor(channel), batchTuplesMax - this.frameTuples);
      const bytesMax = Math.min(this.credit.bytesFor(channel), batchBytesMax - this.frameBytes);
      const { outbox } = channel;
      const { first } = outbox;
      const last = first + channel.beforeMarker;
      const stream = outbox.streamAt(first);
      let end = first;
      let bytes = 0;
      while (end < last && end - first < tuplesMax && outbox.streamAt(end) === stream) {
        const more = outbox.bytesAt(end);
        if (bytes + more > bytesMax) break;
        bytes += more;
        end++;
      }
      if (end === first) {
        // One tuple may always travel alone, however large: in a frame of its own, with nothing else under way.
        if (channel.outstandingTuples > 0 && this.credit.bytesFor(channel) < outbox.bytesAt(first)) return;
        if (channel.outstandingTuples > 0 && this.credit.tuplesFor(channel) < 1) return;
        if (this.frameTuples > 0) {
          this.sendFrame();
          continue;
        }
        bytes = outbox.bytesAt(first);
        end = first + 1;
      }
      this.writer.addTuples(channel.sourceTask, channel.targetTask, stream, outbox, end - first, bytes);
      this.frameTuples += end - first;
      this.frameBytes += bytes;
      this.credit.spend(channel, end - first, bytes);
      channel.sent(end - first, bytes);
      if (this.frameTuples >= batchTuplesMax || this.frameBytes >= batchBytesMax) this.sendFrame();
    }
  }

  private sendFrame(): void {
    this.frameTuples = 0;
    this.frameBytes = 0;
    this.sentFrames++;
    this.wire.sendData(this.writer.finish());
  }

  private flushControl(): void {
    this.controlWriter.saturated = this.host.saturated;
    for (const ledger of this.dirtyLedgers) {
      if (!ledger.dead) this.controlWriter.addLedger(ledger);
      ledger.clear();
    }
    this.dirtyLedgers = [];
    for (const channel of this.owing) {
      this.controlWriter.addCredit(channel.sourceTask, channel.targetTask, channel.owedTuples, channel.owedBytes);
      this.granted.giveBack(channel, channel.owedTuples, channel.owedBytes);
      channel.returned();
    }
    this.owing = [];
    if (!this.controlWriter.empty) this.sendControl(this.controlWriter.finish());
  }

  private sendControl(frame: Frame): void {
    this.sentFrames++;
    this.wire.sendControl(frame);
  }

  private onControl(bytes: Uint8Array): void {
    if (this.closed) return;
    this.receivedFrames++;
    try {
      readControlFrame(bytes, this.handler);
    } catch (error) {
      this.refuse(error);
    }
    this.host.requestTurn();
  }

  /** What the other end says cannot be right: nothing that comes after it can be trusted. */
  private refuse(error: unknown): void {
    this.host.frameRefused(error);
    this.lost(reasonOf(error));
  }

  private lost(reason: string): void {
    if (this.closed) return;
    this.close();
    this.host.linkLost(this, reason);
  }

  private readonly handler: ControlHandler = {
    // Who hears nothing for a while tries anew.
    loaded: (saturated) => (this.saturatedUntilMs = saturated ? this.host.now() + LOAD_TOLD_MS : -Infinity),
    acked: (task, incarnation, rows) => this.host.acked(task, incarnation, rows),
    failed: (task, incarnation, rows, failures) => this.host.failed(task, incarnation, rows, failures),
    touched: (task, incarnation, rows) => this.host.touched(task, incarnation, rows),
    credited: (sourceTask, targetTask, tuples, bytes) => {
      const channel = this.outbound.get(`${sourceTask}>${targetTask}`);
      if (channel === undefined || tuples > channel.outstandingTuples || bytes > channel.outstandingBytes) {
        throw invalidFrame(`credit comes back that channel ${sourceTask} to ${targetTask} never spent`);
      }
      this.credit.giveBack(channel, tuples, bytes);
      this.creditCame = true;
    },
  };

  private onData(bytes: Uint8Array): void {
    if (this.closed) return;
    this.receivedFrames++;
    try {
      deliverFrame(readDataFrame(bytes), this.host, this.channelFrom, this.admit, this.texts);
    } catch (error) {
      this.refuse(error);
      return;
    }
    this.host.requestTurn();
  }

  /** A sender that floods is cut off before it fills this worker's memory. */
  private readonly admit = (channel: InboundChannel, tuples: number, bytes: number): void => {
    if (!this.granted.admits(channel, tuples, bytes)) {
      throw invalidFrame(`task ${channel.sourceTask} sends task ${channel.targetTask} more than it has credit for`);
    }
    this.granted.spend(channel, tuples, bytes);
    channel.outstandingTuples += tuples;
    channel.outstandingBytes += bytes;
  };

  private readonly channelFrom = (source: number, target: number): InboundChannel => {
    const key = `${source}>${target}`;
    let channel = this.inbound.get(key);
    if (channel === undefined) {
      if (!this.host.accepts(source, target))
        throw invalidFrame(`no channel leads from task ${source} to task ${target}`);
      channel = new InboundChannel(source, target, this);
      this.host.fillOrigins(channel);
      this.inbound.set(key, channel);
    }
    return channel;
  };
}
