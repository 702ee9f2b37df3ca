// What a topology's supervisor does about its workers' troubles: watches them, finds out what each one died of, and
// decides whether it is replaced, when, or whether the topology is given up. On the main thread.
//
//   a worker dies, stalls, takes too much memory, cannot begin
//     ─► its cause, with the component ─► told and kept ─┬─ too many within the window ─► the topology fails
//                                                        └─ after a wait that doubles ─► it is replaced
//
// Invariant: what somebody ended from outside counts for nothing and is replaced at once.

import { RealClock, type Clock, type Timer } from '../../clock.js';
import { failure, toWire, type WireError } from '../../errors.js';
import { HOPELESS_WORKERS_MAX, STOPPING_STALL_MS, STOP_TIMEOUT_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { TopologyDescription } from '../../model/describe.js';
import type { Plan } from '../../plan/plan.js';
import type { FromWorker } from '../messages.js';
import type { RunReport } from '../run-report.js';
import type { Seat } from '../seats.js';
import { causeOf, type Ended } from './cause.js';
import { Deaths } from './deaths.js';
import type { MemoryShare } from './memory-shares.js';
import { WorkerWatch } from './worker-watch.js';

export interface SupervisionOptions {
  readonly description: TopologyDescription;
  readonly plan: () => Plan;
  readonly share: MemoryShare;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Without a wait, however often. */
  readonly replaceAtOnce: boolean;
  readonly report: RunReport;
  readonly seats: () => Iterable<Seat>;
  /** Has a worker close its components and end. */
  readonly stop: (seat: Seat) => void;
  /** Starts a new one in its place. */
  readonly replace: (worker: number) => void;
  /** The topology is given up. */
  readonly fail: (error: WireError) => void;
}

const MB = 1024 * 1024;

export class Supervision {
  private readonly options: SupervisionOptions;
  private readonly deaths: Deaths;
  private readonly watch: WorkerWatch<WatchedSeat>;
  private readonly watched = new WeakMap<Seat, WatchedSeat>();
  private readonly timers = new Map<Seat, Timer>();
  /** Workers in a row that were replaced for a task, by its number. */
  private readonly hopelessWorkers = new Map<number, number>();
  private over = false;

  constructor(options: SupervisionOptions) {
    this.options = options;
    const { description, clock, logger, report, share } = options;
    const { stallTimeoutMs } = description.config;
    this.deaths = new Deaths(description.name, clock, logger, report, stallTimeoutMs);
    this.watch = new WorkerWatch({
      // Threads are watched by the machine's time, whatever time their topology lives in.
      clock: new RealClock(),
      stallMs: stallTimeoutMs,
      buffersBytesMax: share.buffersMb * MB,
      workers: () => this.alive(),
      end: ({ seat }, ended) => this.endSeat(seat, ended),
    });
  }

  start(): void {
    this.watch.start();
  }

  /** Nothing is replaced any more, and who stands still is not waited for: all are told to stop. */
  end(): void {
    this.over = true;
    this.watch.hurry(STOPPING_STALL_MS);
    this.deaths.end();
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }

  /** Every worker is gone. */
  stop(): void {
    this.watch.stop();
  }

  /** Has a worker close its components and end, to be started anew. */
  move(seat: Seat | undefined): void {
    if (!this.over && seat !== undefined && seat.state !== 'dead')
      this.retire(seat, { by: 'operator', why: 'it was moved to another place' });
  }

  /** Ends the thread of a worker, as somebody from outside wants it. */
  async kill(seat: Seat | undefined): Promise<void> {
    if (seat === undefined) return;
    seat.ended ??= { by: 'operator' };
    await seat.handle.kill();
  }

  /** What a worker has to say of not going on; false when that is of something else. */
  heard(seat: Seat, message: FromWorker): boolean {
    if (message.type === 'refused') this.refused(seat, message.error);
    else if (message.type === 'hopeless') this.hopeless(seat, message);
    else return false;
    return true;
  }

  /**
   * A worker says that it cannot begin, or that a component cannot be activated. In one that takes the place of
   * another, the same code has begun before: what keeps it from it may pass.
   */
  private refused(seat: Seat, error: WireError): void {
    if (this.options.report.state === 'starting' || error.fatal || !seat.isReplacement) {
      this.options.fail(error);
      return;
    }
    if (seat.ended === null) this.retire(seat, { by: 'refusal', error });
  }

  /** Restarting a task in its place does not help, or cannot be done. */
  private hopeless(seat: Seat, message: Extract<FromWorker, { readonly type: 'hopeless' }>): void {
    if (seat.ended !== null) return;
    const { component, task, restarts, neverSucceeded, error } = message;
    const workers = neverSucceeded ? (this.hopelessWorkers.get(task) ?? 0) + 1 : 1;
    this.hopelessWorkers.set(task, workers);
    const about = { component, task, reason: error.message };
    const { stack } = error;
    if (workers >= HOPELESS_WORKERS_MAX) {
      this.options.fail({ ...toWire(failure('MILLRACE_TASK_FAILING', { ...about, workers })), stack });
      return;
    }
    seat.suspect = { component, task, stage: null };
    const hopeless = { ...toWire(failure('MILLRACE_TASK_HOPELESS', { ...about, restarts })), stack };
    this.retire(seat, { by: 'refusal', error: hopeless });
  }

  /** Has a worker close its components and end, as one that died. */
  private retire(seat: Seat, ended: Ended): void {
    seat.ended ??= ended;
    this.options.stop(seat);
    this.later(seat, STOP_TIMEOUT_MS, () => void seat.handle.kill());
  }

  /** A worker is over and was not told to be. */
  died(seat: Seat, reason: string | null): void {
    const { description, plan, share } = this.options;
    const { worker, pulse, lastWords, suspect } = seat;
    this.timers.get(seat)?.cancel();
    const ended = seat.ended ?? seat.handle.endedBy ?? null;
    const remains = { worker, doing: pulse.doing, ended, lastWords, suspect, reason };
    const cause = causeOf(remains, description.name, plan(), share);
    const error = this.deaths.add(cause);
    if (error !== null) {
      this.options.fail(error);
      return;
    }
    const waitMs = this.options.replaceAtOnce ? 0 : this.deaths.waitMs(cause);
    seat.isAwaited = waitMs > 0;
    if (waitMs === 0) this.options.replace(worker);
    else this.later(seat, waitMs, () => this.options.replace(worker));
  }

  private endSeat(seat: Seat, ended: Ended): void {
    seat.ended ??= ended;
    void seat.handle.kill();
  }

  private later(seat: Seat, waitMs: number, call: () => void): void {
    this.timers.get(seat)?.cancel();
    this.timers.delete(seat);
    if (this.over) return;
    const timer = this.options.clock.after(waitMs, () => {
      this.timers.delete(seat);
      call();
    });
    this.timers.set(seat, timer);
  }

  private *alive(): Iterable<WatchedSeat> {
    for (const seat of this.options.seats()) {
      if (seat.state === 'dead' || seat.state === 'stopped' || seat.ended !== null) continue;
      const watched = this.watched.get(seat) ?? new WatchedSeat(seat);
      this.watched.set(seat, watched);
      yield watched;
    }
  }
}

/** A seat as it is watched. */
class WatchedSeat {
  readonly seat: Seat;
  readonly pulse: Seat['pulse'];

  constructor(seat: Seat) {
    this.seat = seat;
    this.pulse = seat.pulse;
  }

  get threadId(): number | null {
    return this.seat.handle.threadId;
  }
}
