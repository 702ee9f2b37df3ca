// Records from outside, on their way to the spouts of type `ingest` and back as answers. On the main thread.
//
//   ingest ─► checked, packed ─┬─ a task is there ─► gathered for its worker ─ end of the turn ─► its control port
//                              └─ none is ─► held until a worker is started
//   acked, failed, timed out, lost ◄─ answers ◄─ its control port
//   its worker dies ─► lost, at once       the topology ends ─► ended       the caller goes away ─► forgotten
//   its task leaves the plan ─► what that has not emitted goes to another one, the rest is answered as ever
//
// Invariant: each call is settled once, and counts as pending from its check until its worker has answered, even when
// its caller has gone: so what waits anywhere for a spout stays within INGEST_PENDING_MAX and its bytes.

import { failure, type MillraceError } from '../errors.js';
import { INGEST_PENDING_BYTES_MAX, INGEST_PENDING_MAX } from '../limits.js';
import { DEFAULT_STREAM } from '../model/definition.js';
import type { TopologyDescription } from '../model/describe.js';
import type { Plan } from '../plan/plan.js';
import { Callers } from './callers.js';
import { packRecord } from './ingest-record.js';
import type { IngestRecord, UnfinishedIngest } from './messages.js';

/** What the desk asks of the run. */
export interface IngestHost {
  readonly state: 'starting' | 'active' | 'inactive' | 'ending';
  /** That worker takes messages for its tasks. */
  isStarted(worker: number): boolean;
  post(worker: number, records: readonly IngestRecord[]): void;
  /** Milliseconds of monotonic time. */
  now(): number;
  /** The text of the last error that a component below that one reported since then, or null. */
  errorBelow(spout: string, sinceMs: number): string | null;
}

interface Target {
  readonly task: number;
  readonly worker: number;
}

/** One spout of type `ingest`. */
interface Door {
  readonly spout: string;
  readonly fields: readonly string[];
  tasks: readonly Target[];
  /** Counts the calls, which its tasks take in turn. */
  turn: number;
  pending: number;
  bytes: number;
}

interface Failed {
  readonly error: unknown;
}

interface Call {
  readonly number: number;
  readonly door: Door;
  readonly packed: Uint8Array;
  readonly givenMs: number;
  /** Which task gets it; null while the worker of none is there. */
  target: Target | null;
  posted: boolean;
  /** Null when its caller has gone. */
  settle: ((failed: Failed | null) => void) | null;
}

export class IngestDesk {
  private readonly description: TopologyDescription;
  private plan: Plan;
  private readonly host: IngestHost;
  private readonly calls = new Map<number, Call>();
  private readonly callers = new Callers();
  private readonly held = new Set<Call>();
  private outgoing: Call[] = [];
  private doors: ReadonlyMap<string, Door> | null = null;
  private readonly ingestTasks = new Set<number>();
  private starting: (() => void)[] = [];
  private nextNumber = 1;

  constructor(description: TopologyDescription, plan: Plan, host: IngestHost) {
    this.description = description;
    this.plan = plan;
    this.host = host;
  }

  /**
   * Has that spout emit a record; resolves when its tree is acked.
   *
   * @throws MILLRACE_INGEST_* as `TopologyRun.ingest` says
   */
  async ingest(spout: string, record: unknown, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.doors === null) await this.started(spout);
    signal?.throwIfAborted();
    if (this.host.state === 'ending') throw this.ended(spout);
    if (this.doors === null) throw this.inactive(spout);
    const door = this.doors.get(spout);
    if (door === undefined) throw this.noSuch(spout);
    if (this.host.state === 'inactive') throw this.inactive(spout);
    const packed = packRecord(spout, door.fields, record);
    if (door.pending >= INGEST_PENDING_MAX || door.bytes + packed.length > INGEST_PENDING_BYTES_MAX) {
      throw failure('MILLRACE_INGEST_FULL', { spout, pending: door.pending, bytes: door.bytes });
    }
    await this.give(door, packed, signal);
  }

  /** A worker says which of its tasks take records. */
  prepared(ingestTasks: readonly number[]): void {
    for (const task of ingestTasks) this.ingestTasks.add(task);
    for (const door of this.doors?.values() ?? []) door.tasks = this.tasksOf(door.spout);
  }

  /** Those tasks take no records any more: others do, or they themselves when they are opened again. */
  leave(tasks: readonly number[]): void {
    for (const task of tasks) this.ingestTasks.delete(task);
    this.reroute();
  }

  /** That plan holds from now on: tasks that are not part of it are given nothing more. */
  adopt(plan: Plan): void {
    this.plan = plan;
    const there = new Set(plan.tasks.map(({ task }) => task));
    for (const task of this.ingestTasks) if (!there.has(task)) this.ingestTasks.delete(task);
    this.reroute();
    this.workerStarted();
  }

  /** What was to go to tasks that take none goes to others. */
  private reroute(): void {
    if (this.doors === null) return;
    for (const door of this.doors.values()) door.tasks = this.tasksOf(door.spout);
    const lost = this.outgoing.filter(({ target }) => target !== null && !this.ingestTasks.has(target.task));
    this.outgoing = this.outgoing.filter((call) => !lost.includes(call));
    for (const call of lost) this.route(call);
  }

  /** Tasks of the new plan that take records have begun. */
  opened(ingestTasks: readonly number[]): void {
    this.prepared(ingestTasks);
    this.workerStarted();
  }

  private tasksOf(spout: string): readonly Target[] {
    return this.plan.tasks.filter((each) => each.component === spout && this.ingestTasks.has(each.task));
  }

  /** Every worker has said so. */
  open(): void {
    const doors = new Map<string, Door>();
    for (const { id, outputs } of this.description.components) {
      const tasks = this.tasksOf(id);
      const fields = outputs[DEFAULT_STREAM] ?? [];
      if (tasks.length > 0) doors.set(id, { spout: id, fields, tasks, turn: 0, pending: 0, bytes: 0 });
    }
    this.doors = doors;
    this.wake();
  }

  /** That worker is started: what no worker could take goes there. */
  workerStarted(): void {
    const held = [...this.held];
    this.held.clear();
    for (const call of held) this.route(call);
  }

  /** That worker is dead: what was given to it may be lost; what was not given yet goes elsewhere. */
  workerDied(worker: number): void {
    const lost = [...this.calls.values()].filter((call) => call.target?.worker === worker);
    this.outgoing = this.outgoing.filter((call) => call.target?.worker !== worker);
    for (const call of lost) {
      if (call.posted) this.finish(call, this.errorOf(call, 'lost', null));
      else this.route(call);
    }
  }

  /** What no worker has yet is refused: the topology is deactivated, or drains. */
  refuse(): void {
    const unposted = [...this.held, ...this.outgoing];
    this.outgoing = [];
    for (const call of unposted) this.finish(call, this.errorOf(call, 'refused', null));
  }

  answered(acked: readonly number[], others: readonly UnfinishedIngest[]): void {
    for (const number of acked) {
      const call = this.calls.get(number);
      if (call !== undefined) this.finish(call, null);
    }
    for (const { call: number, outcome, reason } of others) {
      const call = this.calls.get(number);
      if (call === undefined) continue;
      if (outcome === 'refused' && this.hasLeft(call)) {
        call.posted = false;
        this.route(call);
      } else {
        this.finish(call, this.errorOf(call, outcome, reason));
      }
    }
  }

  /** Its task is not part of the plan any more, so another one may take what it did not emit. */
  private hasLeft({ target }: Call): boolean {
    return this.host.state === 'active' && target !== null && !this.ingestTasks.has(target.task);
  }

  /** Nothing more is answered. */
  end(): void {
    for (const call of [...this.calls.values()]) this.finish(call, this.ended(call.door.spout));
    this.outgoing = [];
    this.wake();
  }

  private give(door: Door, packed: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const call: Call = {
        number: this.nextNumber++,
        door,
        packed,
        givenMs: this.host.now(),
        target: null,
        posted: false,
        settle: null,
      };
      const forget = this.callers.watch(signal, (reason) => {
        call.settle?.({ error: reason });
        // What no worker has is dropped; the tree of what one has goes on.
        if (!call.posted) this.finish(call, null);
      });
      call.settle = (failed) => {
        call.settle = null;
        forget();
        if (failed === null) resolve();
        else reject(failed.error);
      };
      this.calls.set(call.number, call);
      door.pending++;
      door.bytes += packed.length;
      this.route(call);
    });
  }

  /** Gives it to the next task whose worker is there. */
  private route(call: Call): void {
    const { tasks } = call.door;
    for (let tries = 0; tries < tasks.length; tries++) {
      const target = tasks[call.door.turn++ % tasks.length]!;
      if (!this.host.isStarted(target.worker)) continue;
      call.target = target;
      if (this.outgoing.length === 0) setImmediate(() => this.flush());
      this.outgoing.push(call);
      return;
    }
    call.target = null;
    this.held.add(call);
  }

  private flush(): void {
    const byWorker = new Map<number, IngestRecord[]>();
    for (const call of this.outgoing) {
      const { number, packed, target } = call;
      if (target === null || !this.calls.has(number)) continue;
      call.posted = true;
      const records = byWorker.get(target.worker) ?? [];
      byWorker.set(target.worker, records);
      records.push({ task: target.task, call: number, packed });
    }
    this.outgoing = [];
    for (const [worker, records] of byWorker) this.host.post(worker, records);
  }

  private finish(call: Call, error: Error | null): void {
    if (!this.calls.delete(call.number)) return;
    this.held.delete(call);
    call.door.pending--;
    call.door.bytes -= call.packed.length;
    call.settle?.(error === null ? null : { error });
  }

  /** Waits for the doors to be known, or for the end. */
  private async started(spout: string): Promise<void> {
    if (this.host.state !== 'starting') return;
    if (this.starting.length >= INGEST_PENDING_MAX) {
      throw failure('MILLRACE_INGEST_FULL', { spout, pending: this.starting.length, bytes: 0 });
    }
    await new Promise<void>((resolve) => this.starting.push(resolve));
  }

  /** Who waited for it to start is answered. */
  wake(): void {
    const { starting } = this;
    this.starting = [];
    for (const resolve of starting) resolve();
  }

  private errorOf({ door, givenMs }: Call, outcome: UnfinishedIngest['outcome'], reason: string | null): Error {
    const { spout } = door;
    const topology = this.description.name;
    switch (outcome) {
      case 'failed': {
        const text = reason ?? this.host.errorBelow(spout, givenMs);
        return failure('MILLRACE_INGEST_FAILED', { spout, reason: text === null ? '' : `: ${text}` });
      }
      case 'timeout':
        return failure('MILLRACE_INGEST_TIMEOUT', { spout });
      case 'lost':
        return failure('MILLRACE_INGEST_LOST', { topology, spout });
      case 'refused':
        return this.host.state === 'ending' ? this.ended(spout) : this.inactive(spout);
    }
  }

  private ended(spout: string): MillraceError {
    return failure('MILLRACE_INGEST_ENDED', { topology: this.description.name, spout });
  }

  private inactive(spout: string): MillraceError {
    return failure('MILLRACE_INGEST_INACTIVE', { topology: this.description.name, spout });
  }

  private noSuch(spout: string): MillraceError {
    const known = [...(this.doors?.keys() ?? [])].map((id) => `"${id}"`).join(', ') || 'none';
    return failure('MILLRACE_INGEST_SPOUT', { topology: this.description.name, spout, known });
  }
}
