// A tuple on its way through this worker, with what tracking needs to know of it. One is made for each tuple and target
// task, on the hottest path of all: the fields are set once in one order, and all numbers are small integers.
//
// edge = the id of this tuple in its tree; zero while the tuple lives only inside the call that emitted it, because
// what
//        goes in and out of an XOR within one call need not go in at all
// acc  = the XOR of the edges of its children that outlived the call which emitted them
// When the tuple is done, edge ^ acc goes to its ledger; a tuple without an edge leaves its acc to its emitter instead.

import type { Tuple, Values } from '../component/tuple.js';
import type { AckTarget } from '../ack/ack-target.js';
import type { InboundChannel } from '../link/inbound-channel.js';

export const PENDING = 0;
export const ACKED = 1;
export const FAILED = 2;

/** Where tuples of one stream of one task come from, shared by all of them. */
export class Origin {
  readonly component: string;
  readonly stream: string;
  /** The number of the stream among those of its component. */
  readonly streamIndex: number;
  readonly task: number;
  readonly fields: readonly string[];
  /** The channel that gets its credit back when the tuple is taken; null for tuples of this worker. */
  readonly channel: InboundChannel | null;

  constructor(
    component: string,
    stream: string,
    streamIndex: number,
    task: number,
    fields: readonly string[],
    channel: InboundChannel | null,
  ) {
    this.component = component;
    this.stream = stream;
    this.streamIndex = streamIndex;
    this.task = task;
    this.fields = fields;
    this.channel = channel;
  }
}

export class TaskTuple implements Tuple {
  readonly values: Values;
  readonly origin: Origin;
  readonly ledger: AckTarget | null;
  rootHi: number;
  rootLo: number;
  edgeHi = 0;
  edgeLo = 0;
  accHi = 0;
  accLo = 0;
  state = PENDING;
  /** Its size as estimated when it was queued or sent; 0 before. */
  bytes = 0;

  constructor(values: Values, origin: Origin, ledger: AckTarget | null, rootHi: number, rootLo: number) {
    this.values = values;
    this.origin = origin;
    this.ledger = ledger;
    this.rootHi = rootHi;
    this.rootLo = rootLo;
  }

  get component(): string {
    return this.origin.component;
  }

  get stream(): string {
    return this.origin.stream;
  }

  get task(): number {
    return this.origin.task;
  }

  get fields(): readonly string[] {
    return this.origin.fields;
  }

  get(field: string): unknown {
    return this.values[this.origin.fields.indexOf(field)];
  }

  toObject(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.origin.fields.forEach((field, index) => (object[field] = this.values[index]));
    return object;
  }
}
