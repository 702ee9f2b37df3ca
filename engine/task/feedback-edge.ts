// A subscription that leads back and closes a cycle, as far as one sending task and one target are concerned. It never
// holds its sender, or the tasks of a cycle could all wait for each other: beyond its bound a tuple fails its tree, to
// be replayed, or is dropped and counted when it is not tracked and the edge says so.
//
//   sender ─push─┬─ room ─► feedback mailbox of a task of this worker, or a channel that never blocks
//                └─ full ─► tracked: its tree fails │ not tracked: dropped, or refused at the emitter
//
// A tuple on it is always an edge of its tree: it is never handed over directly. On the worker's thread.

import type { Root } from '../ack/root.js';
import { taskFailure } from '../ack/tree-failure.js';
import type { TreeFailure } from '../component/spout.js';
import type { Values } from '../component/tuple.js';
import { failure } from '../errors.js';
import type { ChannelSender, OutboundChannel } from '../link/outbound-channel.js';
import type { CounterRow } from '../metrics/counter-blocks.js';
import { DROPPED } from '../metrics/counters.js';
import type { Overflow } from '../model/definition.js';
import type { Mailbox } from './mailbox.js';
import type { RunnableTask, TaskHost } from './task-host.js';
import { Held, TaskTuple, type Origin } from './task-tuple.js';

/** Makes channels to the tasks of another worker. */
export interface ChannelMaker {
  channelTo(sourceTask: number, targetTask: number, sender: ChannelSender): OutboundChannel;
}

/** A task of this worker that feedback leads to. */
export interface FeedbackTask extends RunnableTask {
  /** Feedback waits in there apart from all else. */
  readonly inbox: { readonly feedback: Mailbox | null };
}

export interface FeedbackSetup {
  readonly host: TaskHost;
  /** Of the stream, as far as this worker is concerned. */
  readonly origin: Origin;
  /** Where its sender counts. */
  readonly counts: CounterRow;
  readonly target: { readonly task: number; readonly component: string };
  readonly overflow: Overflow;
}

/** A feedback edge tells its own bound: its sender goes on, whatever the channel says. */
const neverHeld: ChannelSender = { block: () => undefined, unblock: () => undefined };

export class FeedbackEdge {
  private readonly setup: FeedbackSetup;
  private readonly local: FeedbackTask | null;
  private channel: OutboundChannel | null;
  /** Why trees fail here; made when the first one does. */
  private full: TreeFailure | null = null;

  /** @param to - a task of this worker, or the link that leads to another one */
  constructor(setup: FeedbackSetup, to: FeedbackTask | ChannelMaker) {
    this.setup = setup;
    this.local = 'inbox' in to ? to : null;
    this.channel = null;
    if (!('inbox' in to)) this.redirect(to);
  }

  redirect(link: ChannelMaker): void {
    this.channel = link.channelTo(this.setup.origin.task, this.setup.target.task, neverHeld);
  }

  get fill(): number {
    if (this.local !== null) return this.local.inbox.feedback!.fill;
    const { feedbackTuplesMax, feedbackBytesMax } = this.setup.host.limits;
    const { waiting, waitingBytes } = this.channel!;
    return Math.max(waiting / feedbackTuplesMax, waitingBytes / feedbackBytesMax);
  }

  get saturated(): boolean {
    return this.channel?.saturated === true;
  }

  private get isFull(): boolean {
    return this.local === null ? this.fill >= 1 : this.local.inbox.feedback!.crowded;
  }

  push(values: Values, stream: number, root: Root | null, edgeHi: number, edgeLo: number, bytes: number): void {
    if (this.isFull) {
      this.overflow(root);
    } else if (this.local === null) {
      this.channel!.push(values, stream, root, edgeHi, edgeLo, bytes);
    } else {
      const tuple = new TaskTuple(values, this.setup.origin, root);
      tuple.bytes = bytes;
      if (root !== null) tuple.held = new Held(edgeHi, edgeLo);
      this.local.inbox.feedback!.push(tuple);
      this.setup.host.schedule(this.local);
    }
  }

  /** Cycles do not end by markers: what leads back is not waited for, unless its sender leaves the plan. */
  pushEnd(revision: number, leaves: boolean): void {
    if (!leaves) return;
    const { host, origin } = this.setup;
    if (this.local === null) this.channel!.pushEnd(revision);
    else host.endLocal(origin.task, this.local);
  }

  /** A hand-over marker; in this worker the mailboxes hold what comes later by themselves. */
  pushMark(revision: number): void {
    this.channel?.pushMark(revision);
  }

  private overflow(root: Root | null): void {
    const { counts, overflow, origin, target } = this.setup;
    if (root !== null) {
      const { component, stream } = origin;
      this.full ??= taskFailure(
        component,
        origin.task,
        failure('MILLRACE_TREE_FEEDBACK_FULL', { component, stream, target: target.component }),
      );
      root.fail(this.full);
    } else if (overflow === 'drop') {
      counts.words[counts.row + DROPPED]!++;
    } else {
      const details = { component: origin.component, stream: origin.stream, target: target.component };
      throw failure('MILLRACE_EMIT_FEEDBACK_FULL', details);
    }
  }
}
