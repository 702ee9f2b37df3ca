// A tuple on its way through this worker. One is made for each tuple and target task, on the hottest path of all, so it
// is small: the fields are set once in one order.
//
// Most tuples live only inside the call that emitted them: what goes in and out of an XOR within one call need not go
// in at all. A tuple that outlives that call is `held` and becomes an edge of its tree:
//   edge = its id, drawn when it was sent
//   acc  = the XOR of the edges of its children that outlived the call which emitted them
// When it is done, edge ^ acc goes to its ledger. A tuple that is not held leaves its acc to its emitter instead.

import type { Tuple, Values } from '../component/tuple.js';
import type { Root } from '../ack/root.js';

export const PENDING = 0;
export const ACKED = 1;
export const FAILED = 2;

/** What tuples came through, which is told when they are taken from their mailbox. */
export interface TupleChannel {
  /** @param count - of one batch, oldest first */
  taken(count: number): void;
}

/** Where tuples of one stream of one task come from, shared by all of them. */
export class Origin {
  readonly component: string;
  readonly stream: string;
  /** The number of the stream among those of its component. */
  readonly streamIndex: number;
  readonly task: number;
  readonly fields: readonly string[];
  /** The channel that gets its credit back when the tuple is taken; null for tuples of this worker. */
  readonly channel: TupleChannel | null;

  constructor(
    component: string,
    stream: string,
    streamIndex: number,
    task: number,
    fields: readonly string[],
    channel: TupleChannel | null,
  ) {
    this.component = component;
    this.stream = stream;
    this.streamIndex = streamIndex;
    this.task = task;
    this.fields = fields;
    this.channel = channel;
  }
}

/** What XORs the edges of children: the call that emits them, or the held tuple that they are anchored to. */
export interface Accumulator {
  accHi: number;
  accLo: number;
}

/** What is known of a tuple that outlives the call which emitted it. */
export class Held implements Accumulator {
  readonly edgeHi: number;
  readonly edgeLo: number;
  accHi = 0;
  accLo = 0;
  state = PENDING;
  /** It is told when the tuple is settled how long that took. */
  timed = false;

  constructor(edgeHi: number, edgeLo: number) {
    this.edgeHi = edgeHi;
    this.edgeLo = edgeLo;
  }
}

export class TaskTuple implements Tuple {
  readonly values: Values;
  readonly origin: Origin;
  /** Its tree; null when it is not tracked. */
  readonly root: Root | null;
  held: Held | null = null;
  /** Its size as estimated when it was queued or sent; 0 before. */
  bytes = 0;

  constructor(values: Values, origin: Origin, root: Root | null) {
    this.values = values;
    this.origin = origin;
    this.root = root;
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
