// What a user implements to work on tuples: a class, or one function. The engine calls it from one thread only, one
// call after the other unless it is asynchronous and asks for more. Pure: nothing of the engine is imported but types.

import type { ParameterValues } from '../model/parameters.js';
import type { BoltContext } from './context.js';
import type { Emit } from './emit.js';
import type { Tuple } from './tuple.js';

/**
 * Takes tuples, and may emit more. One instance a task. Subclasses state what they emit as spouts do, in `outputs`.
 *
 * A tuple is acked when `execute` returns (or its promise resolves) and fails when it throws (or rejects); what
 * `execute` emits is anchored to its input. A synchronous `execute` is never called again before it returned; an
 * asynchronous one not before its promise is settled, unless the bolt is given a `concurrency`.
 *
 * Order of calls: constructor, `prepare` (awaited), `activate`, `execute` / `tick` / `endBatch`, `finish` when all
 * inputs have ended, `deactivate`, `close` (awaited, for a bounded time).
 */
export abstract class Bolt {
  prepare?(context: BoltContext): void | Promise<void>;
  activate?(): void | Promise<void>;
  abstract execute(tuple: Tuple, emit: Emit): void | Promise<void>;
  /** Called every `tickEvery` of the bolt's options. What it emits is not tracked unless it names an anchor. */
  tick?(emit: Emit): void | Promise<void>;
  /**
   * Called when the tuples of one slice are executed and before their acks leave: write or commit what they left
   * behind. When it throws or rejects, all of them fail.
   */
  endBatch?(): void | Promise<void>;
  /** All inputs have ended and all tuples are handled: emit what is left, such as totals. Not tracked. */
  finish?(emit: Emit): void | Promise<void>;
  /**
   * The parameters of the topology or of the cluster have changed. Called between two calls of this task, after its
   * `activate`: nothing of it is executed meanwhile. Until it has returned, and for good when it throws or rejects,
   * `context.parameters` of this task stays what it was.
   */
  parametersChanged?(parameters: ParameterValues): void | Promise<void>;
  deactivate?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

/** A bolt that is one function. */
export type BoltFunction = (tuple: Tuple, emit: Emit) => void | Promise<void>;
