// What links ask of the worker that they serve: ledgers, mailboxes, counters, turns. Implemented by
// worker/worker-links.ts; on the worker's thread.

import type { AckTarget } from '../ack/ack-target.js';
import type { ControlHandler } from '../codec/control-frame.js';
import type { RuntimeLimits } from '../limits.js';
import type { InboundBatch } from '../task/inbound-batch.js';
import type { InboundChannel } from './inbound-channel.js';

/** What a link is called, and where it leads. */
export interface LinkName {
  /** Its number, which no other link of the topology ever had. */
  readonly id: number;
  /** The worker at the other end. */
  readonly worker: number;
}

/** What a link needs of the worker that it serves. */
export interface LinkHost extends Omit<ControlHandler, 'credited' | 'loaded'> {
  readonly limits: RuntimeLimits;
  /** Its thread has had no time to spare for a while. */
  readonly saturated: boolean;
  /** Milliseconds of its clock. */
  now(): number;
  /** The ledger of that spout task, here or elsewhere; null when that incarnation is over. */
  ledgerOf(spoutTask: number, incarnation: number): AckTarget | null;
  /** The topology has a channel from that task, wherever it runs, to that task of this worker. */
  accepts(sourceTask: number, targetTask: number): boolean;
  /** Makes the origins of a new channel, one for each stream of its source. */
  fillOrigins(channel: InboundChannel): void;
  /** Puts tuples into the mailbox of a task of this worker. */
  receive(task: number, batch: InboundBatch): void;
  /** The source task has sent all that it had for the target task. */
  receiveEnd(sourceTask: number, targetTask: number, revision: number): void;
  /** What the source task sends to the target task from now on, it sends by the wiring of that revision. */
  receiveMark(sourceTask: number, targetTask: number, revision: number): void;
  /** So many more (or fewer) tuples of that task wait in outboxes than at the last flush. */
  outboxChanged(sourceTask: number, by: number): void;
  /** Something is to be done in the next turn. */
  requestTurn(): void;
  /** A frame cannot be right; `linkLost` follows. */
  frameRefused(error: unknown): void;
  /** The link is closed, and what was under way on it is gone. */
  linkLost(link: LinkName, reason: string): void;
}
