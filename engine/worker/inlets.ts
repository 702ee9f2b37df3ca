// The spouts of a worker that take records from outside: hands them their records, and gathers what became of each, so
// that thousands a second cost a message a turn and not one each. On the worker's thread.

import { unpack } from '../codec/pack.js';
import { INGEST, isIngestSpout, type IngestDoor, type IngestOutcome } from '../component/ingest-spout.js';
import type { Spout } from '../component/spout.js';
import type { Values } from '../component/tuple.js';
import type { FromWorker, IngestRecord, UnfinishedIngest } from './messages.js';

export class Inlets {
  private readonly post: (message: FromWorker) => void;
  private readonly doors = new Map<number, IngestDoor>();
  private acked: number[] = [];
  private others: UnfinishedIngest[] = [];

  constructor(post: (message: FromWorker) => void) {
    this.post = post;
  }

  /** The tasks that take records. */
  get tasks(): readonly number[] {
    return [...this.doors.keys()];
  }

  /** Opens a door to the spout of that task, if it has one. */
  open(task: number, spout: Spout): void {
    if (!isIngestSpout(spout)) return;
    this.doors.set(
      task,
      spout[INGEST]((call, outcome, reason) => this.answer(call, outcome, reason)),
    );
  }

  /** The spout of that task is closed. */
  close(task: number): void {
    this.doors.delete(task);
  }

  receive(records: readonly IngestRecord[]): void {
    for (const { task, call, packed } of records) {
      const door = this.doors.get(task);
      // It was on its way when the task left: its caller's desk gives it to another one.
      if (door === undefined) this.answer(call, 'refused', null);
      else door(call, unpack(packed) as Values);
    }
  }

  /** Sends all that is gathered. */
  flush(): void {
    if (this.acked.length === 0 && this.others.length === 0) return;
    const { acked, others } = this;
    this.acked = [];
    this.others = [];
    this.post({ type: 'ingested', acked, others });
  }

  private answer(call: number, outcome: IngestOutcome, reason: string | null): void {
    if (this.acked.length === 0 && this.others.length === 0) setImmediate(() => this.flush());
    if (outcome === 'acked') this.acked.push(call);
    else this.others.push({ call, outcome, reason });
  }
}
