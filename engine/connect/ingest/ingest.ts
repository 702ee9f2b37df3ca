// The spout `ingest`: its tuples come from outside, one record at a time, and whoever gave one hears when its tree is
// done. Nothing is replayed: the caller knows what to do about a record that failed. On the worker's thread.
//
//   record ─► queue ─ nextTuple ─► emitted, its call as id ─► ack or fail ─► answer
//               └─ deactivate ─► refused
//
// Invariant: the queue holds no more than the supervisor lets in (worker/ingest-desk.ts), which counts a record until
// it is answered.

import { INGEST, type IngestAnswer, type IngestDoor, type IngestSpout } from '../../component/ingest-spout.js';
import type { SpoutContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import { Spout, type FailCause } from '../../component/spout.js';
import type { Values } from '../../component/tuple.js';
import { reasonOf } from '../../errors.js';
import { Settings } from '../settings.js';

interface Waiting {
  readonly call: number;
  readonly values: Values;
}

/** Emits what it is given from outside. Settings: `fields`. */
export class Ingest extends Spout implements IngestSpout {
  private context: SpoutContext | null = null;
  private answer: IngestAnswer = () => undefined;
  private queue: Waiting[] = [];
  private first = 0;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    new Settings('ingest', config).texts('fields');
  }

  [INGEST](answer: IngestAnswer): IngestDoor {
    this.answer = answer;
    return (call, values) => {
      this.queue.push({ call, values });
      this.context?.wake();
    };
  }

  override open(context: SpoutContext): void {
    this.context = context;
  }

  override nextTuple(emit: Emit): void {
    const next = this.queue[this.first];
    if (next === undefined) return;
    this.first++;
    if (this.first === this.queue.length) {
      this.queue = [];
      this.first = 0;
    }
    try {
      emit(next.values, { id: next.call });
    } catch (error) {
      this.answer(next.call, 'failed', reasonOf(error));
    }
  }

  override ack(id: unknown): void {
    this.answer(id as number, 'acked', null);
  }

  override fail(id: unknown, cause: FailCause = 'failed'): void {
    this.answer(id as number, cause, null);
  }

  /** What is not emitted yet will not be: its callers hear so now. */
  override deactivate(): void {
    for (const { call } of this.queue.slice(this.first)) this.answer(call, 'refused', null);
    this.queue = [];
    this.first = 0;
  }
}
