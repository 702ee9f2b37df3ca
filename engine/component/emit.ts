// How components send tuples. An emit belongs to one call of user code: what it sends is anchored to what that call
// works on, and it is refused once the call has ended. Pure types; the engine makes them in task/emit-call.ts.

import type { Tuple, Values } from './tuple.js';

export interface EmitOptions {
  /** The stream to emit on; `default` when left out. */
  readonly stream?: string;
  /**
   * Spouts only: opens a tuple tree under this id, which `ack(id)` or `fail(id)` is given when the tree ends. Without
   * an id the tuple is not tracked.
   */
  readonly id?: unknown;
  /**
   * Bolts only: the tuple whose tree the new one joins. Left out: the input of this call. `null`: none, the new tuple
   * is not tracked. Another tuple: one that this bolt still holds (`manualAck`). A list: all of these, as a join or a
   * batch needs it; the new tuple then belongs to all of their trees, and an empty list is the same as `null`.
   */
  readonly anchor?: Tuple | readonly Tuple[] | null;
}

/**
 * Sends a tuple to the tasks that the groupings of its stream pick. Belongs to one call of `execute`, `nextTuple`,
 * `tick` or `finish`, and is refused once that call (or the promise that it returned) has ended.
 *
 * @typeParam D - the values of the default stream
 * @typeParam N - the values of each further stream by name
 * @throws MILLRACE_EMIT_ARITY, MILLRACE_EMIT_UNKNOWN_STREAM, MILLRACE_EMIT_VALUE, MILLRACE_EMIT_TOO_LARGE at the
 * emitter
 * @throws MILLRACE_EMIT_NEEDS_TASK on a direct stream, MILLRACE_EMIT_GROUPING when a custom grouping misbehaves
 * @throws MILLRACE_EMIT_FEEDBACK_FULL when a tuple that is not tracked finds feedback full
 * @throws MILLRACE_EMIT_TOO_MANY, MILLRACE_EMIT_TOO_MUCH when one call emits on and on into full targets without
 * `await emit.ready()`
 * @throws MILLRACE_EMIT_LATE when the call that it belongs to has ended
 */
export interface Emit<
  D extends Values = Values,
  N extends Readonly<Record<string, Values>> = Readonly<Record<never, Values>>,
> {
  (values: D, options?: EmitOptions & { readonly stream?: 'default' }): void;
  <S extends keyof N & string>(values: N[S], options: EmitOptions & { readonly stream: S }): void;
  /**
   * Sends a tuple of a direct stream to the task of that number, which takes that stream by the direct grouping; see
   * `context.tasksOf`.
   *
   * @throws MILLRACE_EMIT_NOT_DIRECT, MILLRACE_EMIT_DIRECT_TASK; and what a plain emit throws
   */
  readonly direct: DirectEmit<D, N>;
  /** Resolves once every target of this task has room again; at once when none is full. */
  ready(): Promise<void>;
  /**
   * Aborted when the call is not waited for any longer: its `callTimeout` is over, or its task closes while it is under
   * way. Give it to what an asynchronous call waits for: `fetch(url, { signal: emit.signal })`.
   */
  readonly signal: AbortSignal;
}

/** See {@link Emit.direct}. */
export interface DirectEmit<D extends Values, N extends Readonly<Record<string, Values>>> {
  (task: number, values: D, options?: EmitOptions & { readonly stream?: 'default' }): void;
  <S extends keyof N & string>(task: number, values: N[S], options: EmitOptions & { readonly stream: S }): void;
}
