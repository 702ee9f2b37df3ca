// Failed tuples of a spout task that wait to be emitted again: the first failure waits 100 ms, each further one of the
// same tuple twice as long, up to 30 s. A tuple that can never succeed therefore costs little, and a target that is
// down is not hammered. After so many retries it may be given up: then a dead letter of it is due, under the same id,
// and that is emitted again until somebody has handled it. Invariant: `full` is true before more than `failedMax`
// tuples are remembered beyond those already under way, so a spout that brings nothing new while it is full stays
// bounded. Pure, any thread.
//
//   fail ─► waits ─► due: again ──ack──► forgotten
//             ▲ └──── fail ──┘ │
//             │                └─ fail, more than `retries` times ─► given up ─► due: dead letter ──ack──► forgotten
//                                                                       └── waits ◄── fail ──┘

import { REPLAYS_MAX, REPLAY_WAIT_MAX_MS, REPLAY_WAIT_MIN_MS } from '../limits.js';
import { DEFAULT_STREAM } from '../model/definition.js';
import { BackOff, doubling } from './back-off.js';
import { DEAD_LETTER, deadLetterOf, type GivenUp } from './dead-letter.js';
import type { Emit, EmitOptions } from './emit.js';
import type { TreeFailure } from './spout.js';
import type { Values } from './tuple.js';

/** What {@link Replay} may be told. */
export interface ReplayOptions {
  /** The wait after the first failure. Default 100 ms. */
  readonly waitMinMs?: number;
  /** The longest wait. Default 30 s. */
  readonly waitMaxMs?: number;
  /** Tuples that failed and are not acked, at which `full` says so. Default 65,536. */
  readonly failedMax?: number;
  /**
   * How often a tuple is emitted again before it is given up; what was lost with a worker does not count. Default null:
   * never given up.
   */
  readonly retries?: number | null;
}

/** A tuple that is due: to be emitted again, or, when it was given up, as a dead letter. */
export interface Due<Id> {
  readonly id: Id;
  readonly givenUp: GivenUp | null;
}

/** A tuple that failed and is not acked. */
interface Failed {
  /** Failures that count. */
  failures: number;
  /** How often it has waited, since it was given up if it was. */
  waits: number;
  waiting: boolean;
  givenUp: GivenUp | null;
}

/** Stands for a failure of which the spout was told nothing. */
const UNKNOWN: TreeFailure = {
  cause: 'failed',
  code: 'MILLRACE_TASK_THREW',
  message: 'it failed, and nothing was said of why',
  component: null,
  task: null,
};

/**
 * Which failed tuples are due to be emitted again. Ids are compared by value for primitives, by identity for objects.
 *
 * @typeParam Id - what the spout emits its tuples with
 */
export class Replay<Id> {
  private readonly again: BackOff<Id>;
  private readonly dead: BackOff<Id>;
  private readonly failed = new Map<Id, Failed>();
  private readonly now: () => number;
  private readonly failedMax: number;
  private readonly retries: number;
  private waitingCount = 0;

  /** @param now - the time in milliseconds: `() => context.now()` */
  constructor(now: () => number, options: ReplayOptions = {}) {
    this.now = now;
    this.failedMax = options.failedMax ?? REPLAYS_MAX;
    this.retries = options.retries ?? Infinity;
    const waitsMs = doubling(options.waitMinMs ?? REPLAY_WAIT_MIN_MS, options.waitMaxMs ?? REPLAY_WAIT_MAX_MS);
    this.again = new BackOff(waitsMs);
    this.dead = new BackOff([0, ...waitsMs]);
  }

  /** How many tuples wait for their replay, or for that of their dead letter. */
  get waiting(): number {
    return this.waitingCount;
  }

  /** So many tuples failed and are not acked that the spout should bring nothing new. */
  get full(): boolean {
    return this.failed.size >= this.failedMax;
  }

  /**
   * That tuple, or its dead letter, failed: it is due again after its wait. Does nothing when it waits already.
   *
   * @param failure - what `fail` of the spout was given, for the dead letter
   * @returns whether the tuple was given up by this failure
   */
  fail(id: Id, failure: TreeFailure = UNKNOWN): boolean {
    const failed = this.failed.get(id) ?? { failures: 0, waits: 0, waiting: false, givenUp: null };
    if (failed.waiting) return false;
    this.failed.set(id, failed);
    failed.waiting = true;
    this.waitingCount++;
    const isNew = failed.givenUp === null;
    if (isNew && failure.cause !== 'lost' && ++failed.failures > this.retries) {
      failed.givenUp = { attempts: failed.failures, failure };
      failed.waits = 0;
    }
    (failed.givenUp === null ? this.again : this.dead).add(id, failed.waits++, this.now());
    return isNew && failed.givenUp !== null;
  }

  /** That tuple, or its dead letter, is processed: what it failed before is forgotten. */
  ack(id: Id): void {
    if (this.failed.size === 0) return;
    if (this.failed.get(id)?.waiting === true) this.waitingCount--;
    this.failed.delete(id);
  }

  /** Takes one tuple that is due again, or undefined when there is none now. Those given up come by {@link due}. */
  next(): Id | undefined {
    return this.take(this.again);
  }

  /** Takes one tuple that is due, again or as a dead letter, or undefined when there is none now. */
  due(): Due<Id> | undefined {
    if (this.waitingCount === 0) return undefined;
    const dead = this.take(this.dead);
    if (dead !== undefined) return { id: dead, givenUp: this.failed.get(dead)!.givenUp };
    const id = this.take(this.again);
    return id === undefined ? undefined : { id, givenUp: null };
  }

  /**
   * Emits one tuple that is due: again, or as a dead letter on the stream `dead-letter`, under the same id in either
   * case. Call it first in `nextTuple`, and return when it is true.
   *
   * @param valuesOf - the values of a tuple; null when it is to be let go
   * @param stream - the stream of those tuples
   * @returns whether something was due
   * @throws what the emit throws; the tuple then counts as failed
   */
  emitDue(emit: Emit<never>, valuesOf: (id: Id) => Values | null, stream = DEFAULT_STREAM): boolean {
    const due = this.due();
    if (due === undefined) return false;
    const { id, givenUp } = due;
    const values = valuesOf(id);
    if (values === null) {
      this.ack(id);
      return true;
    }
    const send = emit as unknown as (values: Values, options: EmitOptions) => void;
    try {
      if (givenUp !== null) send(deadLetterOf(givenUp, values, stream), { stream: DEAD_LETTER, id });
      else if (stream === DEFAULT_STREAM) send(values, { id });
      else send(values, { stream, id });
    } catch (thrown) {
      this.fail(id);
      throw thrown;
    }
    return true;
  }

  private take(from: BackOff<Id>): Id | undefined {
    if (this.waitingCount === 0) return undefined;
    // One that was acked while it waited is not emitted.
    const id = from.next(this.now(), (each) => this.failed.get(each)?.waiting === true);
    if (id === undefined) return undefined;
    this.failed.get(id)!.waiting = false;
    this.waitingCount--;
    return id;
  }
}
