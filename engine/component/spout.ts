// What a user implements to bring tuples in. The engine calls it from one thread only, and no two calls overlap. Pure:
// nothing of the engine is imported but types.

import type { ParameterValues } from '../model/parameters.js';
import type { SpoutContext } from './context.js';
import type { Emit } from './emit.js';

/**
 * What `nextTuple` may say: `'done'` means that nothing more is coming, except what has to be replayed. After a `fail`
 * the spout is asked again, and says `'done'` again when it has replayed.
 */
export type NextTuple = void | 'done';

/**
 * Why a tree failed: a bolt failed one of its tuples, it made no progress for the message timeout, or a worker died and
 * may have taken some of it along.
 */
export type FailCause = 'failed' | 'timeout' | 'lost';

/** What is known of a failure: enough to tell an operator, or to keep with a dead letter. */
export interface TreeFailure {
  readonly cause: FailCause;
  /** The code of the error; `MILLRACE_TASK_THREW` for one without a code of Millrace. */
  readonly code: string;
  /** What the error said, at most 500 characters. */
  readonly message: string;
  /** The component that failed the tuple; null when nobody did: a timeout, a lost worker. */
  readonly component: string | null;
  /** The task of that component. */
  readonly task: number | null;
}

/**
 * Makes tuples. One instance a task; no two calls of it run at once, though `ack` and `fail` may come while a promise
 * of `nextTuple` is pending. Subclasses state what they emit:
 * `static readonly outputs = ['word'] as const`, or by stream: `{ default: ['word'], late: ['word', 'at'] } as const`.
 *
 * Order of calls: constructor, `open` (awaited; all tasks of the topology are prepared before the first `nextTuple`),
 * `activate`, `nextTuple` / `ack` / `fail`, `deactivate`, `close` (awaited, for a bounded time).
 */
export abstract class Spout {
  open?(context: SpoutContext): void | Promise<void>;
  activate?(): void | Promise<void>;
  /**
   * Emits what there is to emit now, best one tuple, and returns. When it emitted nothing it is asked again after a
   * short rest (1 ms, doubling to 16 ms), or as soon as `context.wake()` is called, or at once when it returned a
   * promise that took a while to resolve.
   */
  abstract nextTuple(emit: Emit): NextTuple | Promise<NextTuple>;
  /** The tree of the tuple that was emitted with this id is fully processed. Never called inside `nextTuple`. */
  ack?(id: unknown): void;
  /**
   * The tree failed or timed out: emit the tuple again from `nextTuple`, or let it go. Never called inside `nextTuple`.
   * Of several failures in one tree, the first that its spout hears of counts.
   *
   * @param failure - the error, and the component that it came from
   */
  fail?(id: unknown, cause?: FailCause, failure?: TreeFailure): void;
  /**
   * The parameters of the topology or of the cluster have changed. As `ack` it may come while a promise of `nextTuple`
   * is pending; no further `nextTuple` is called before it has returned. Until then, and for good when it throws or
   * rejects, `context.parameters` of this task stays what it was.
   */
  parametersChanged?(parameters: ParameterValues): void | Promise<void>;
  deactivate?(): void | Promise<void>;
  close?(): void | Promise<void>;
}
