// A spout that is one function: it iterates what the function returned and emits each list of values. Nothing is asked
// of the iterator while an answer of it is outstanding, and at most one answer waits to be emitted. A synchronous
// iterable makes no promise. A list that was emitted stays here until its tree is acked, and is emitted again when it
// fails.
//
//   iterator ──next──► emit(values, { id }) ──ack──► forgotten
//                          ▲      └──fail──► waits 100 ms, 200 ms, … 30 s (replay.ts) ──┐
//                          └────────────────────────────────────────────────────────────┘
//   after `retries` of them it is emitted as a dead letter, and kept until that is acked (dead-letter.ts)
//
// Runs in the thread of its task; its calls never overlap.

import { failure, isMillraceError, reasonOf } from '../errors.js';
import { ITERABLE_PENDING_MAX } from '../limits.js';
import { shown } from '../model/names.js';
import type { SpoutContext } from './context.js';
import type { Emit } from './emit.js';
import { Replay } from './replay.js';
import type { FailCause, NextTuple, TreeFailure } from './spout.js';
import { Spout } from './spout.js';
import type { Values } from './tuple.js';

/** Anything that gives lists of values, one after another. */
export type ValuesIterable = Iterable<Values> | AsyncIterable<Values>;

/** Called once a task, when it opens. */
export type ValuesSource = (context: SpoutContext) => ValuesIterable | Promise<ValuesIterable>;

export interface IterableSpoutOptions {
  /** Emits with ids, and replays what fails. Default true. */
  readonly tracked?: boolean;
  /** Lists that may be out and not acked at once; at that number it emits nothing new. Default 10,000. */
  readonly pendingMax?: number;
  /**
   * How often a list is emitted again before it is given up, as a tuple on the stream `dead-letter`. Default: never
   * given up.
   */
  readonly retries?: number;
}

type Iteration = { readonly value: unknown } | 'end' | { readonly threw: unknown };

/**
 * Makes the spout of a function that returns something to iterate. It says `'done'` at the end of the iteration when
 * nothing waits to be replayed. When its worker dies it starts the iteration again, from the beginning: items that were
 * acked come again, unless the function leaves them out.
 */
export function iterableSpout(source: ValuesSource, options: IterableSpoutOptions = {}): Spout {
  return new IterableSpout(source, options);
}

class IterableSpout extends Spout {
  private readonly source: ValuesSource;
  private readonly tracked: boolean;
  private readonly pendingMax: number;
  private context!: SpoutContext;
  private iterator!: Iterator<unknown> | AsyncIterator<unknown>;
  private ended = false;
  /** The iterator has been asked and has not answered. */
  private asked = false;
  private answer: Iteration | null = null;
  private asynchronous = false;
  private nextId = 0;
  private readonly pending = new Map<number, Values>();
  private readonly replay: Replay<number>;

  constructor(source: ValuesSource, options: IterableSpoutOptions) {
    super();
    this.source = source;
    this.tracked = options.tracked ?? true;
    this.pendingMax = options.pendingMax ?? ITERABLE_PENDING_MAX;
    this.replay = new Replay(() => this.context.now(), { retries: options.retries ?? null });
  }

  override async open(context: SpoutContext): Promise<void> {
    this.context = context;
    this.iterator = iteratorOf(await this.source(context), context.component);
  }

  nextTuple(emit: Emit): NextTuple {
    if (this.replay.waiting > 0 && this.replay.emitDue(emit, this.valuesOf)) return undefined;
    if (!this.ended && this.pending.size < this.pendingMax) this.emitNext(emit);
    return this.ended && this.replay.waiting === 0 ? 'done' : undefined;
  }

  override ack(id: unknown): void {
    this.pending.delete(id as number);
    this.replay.ack(id as number);
  }

  override fail(id: unknown, _cause?: FailCause, failure?: TreeFailure): void {
    if (!this.pending.has(id as number)) return;
    if (this.replay.fail(id as number, failure)) this.context.metrics.counter('deadLetters').add();
  }

  override async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    // Never opened: there is no iterator.
    const iterator = this.iterator as AsyncIterator<unknown> | undefined;
    await iterator?.return?.();
  }

  private readonly valuesOf = (id: number): Values | null => this.pending.get(id) ?? null;

  private emitNext(emit: Emit): void {
    if (this.answer === null && !this.asked) this.ask();
    const answer = this.answer;
    if (answer === null) return;
    this.answer = null;
    if (answer === 'end') {
      this.ended = true;
      return;
    }
    if ('threw' in answer) throw this.iterationFailed(answer.threw);
    this.emitValues(answer.value, emit);
    // The next answer is under way while this one travels.
    if (this.asynchronous && this.pending.size < this.pendingMax) this.ask();
  }

  private emitValues(values: unknown, emit: Emit): void {
    if (!Array.isArray(values)) {
      const details = { component: this.context.component, actual: shown(values) };
      throw failure('MILLRACE_SPOUT_ITEM', details, { fatal: true });
    }
    if (!this.tracked) {
      emit(values);
      return;
    }
    const id = this.nextId;
    this.nextId += 1;
    emit(values, { id });
    this.pending.set(id, values);
  }

  /** Asks the iterator; the answer is there at once, or wakes this spout when it comes. */
  private ask(): void {
    let result;
    try {
      result = this.iterator.next();
    } catch (thrown) {
      this.answer = { threw: thrown };
      return;
    }
    if (!isPromiseLike(result)) {
      this.answer = iterationOf(result);
      return;
    }
    this.asked = true;
    this.asynchronous = true;
    const settle = (answer: Iteration): void => {
      this.asked = false;
      this.answer = answer;
      this.context.wake();
    };
    result.then(
      (settled) => settle(iterationOf(settled)),
      (thrown: unknown) => settle({ threw: thrown }),
    );
  }

  private iterationFailed(thrown: unknown): Error {
    this.ended = true;
    if (isMillraceError(thrown) && thrown.fatal) return thrown;
    const details = { component: this.context.component, reason: reasonOf(thrown) };
    return failure('MILLRACE_SPOUT_ITERATION', details, { cause: thrown, fatal: true });
  }
}

function iteratorOf(iterable: unknown, component: string): Iterator<unknown> | AsyncIterator<unknown> {
  if (typeof iterable === 'object' && iterable !== null) {
    const { [Symbol.asyncIterator]: makeAsync, [Symbol.iterator]: make } = iterable as Partial<
      AsyncIterable<unknown> & Iterable<unknown>
    >;
    if (typeof makeAsync === 'function') return makeAsync.call(iterable);
    if (typeof make === 'function') return make.call(iterable);
  }
  throw failure('MILLRACE_SPOUT_NOT_ITERABLE', { component, actual: shown(iterable) }, { fatal: true });
}

function iterationOf(result: IteratorResult<unknown>): Iteration {
  return result.done === true ? 'end' : { value: result.value };
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
