// What an emit is refused for, thrown at the emitter: each error names its component and stream, and what would be
// right.

import type { Values } from '../component/tuple.js';
import { failure } from '../errors.js';
import { TUPLE_BYTES_MAX, type RuntimeLimits } from '../limits.js';
import { shown } from '../model/names.js';
import type { DirectOutput, Output } from './output.js';

export function unknownStream(component: string, stream: string, declared: readonly string[]): Error {
  return failure('MILLRACE_EMIT_UNKNOWN_STREAM', { component, stream, streams: declared.join(', ') || 'none' });
}

export function needsTask(component: string, stream: string): Error {
  return failure('MILLRACE_EMIT_NEEDS_TASK', { component, stream });
}

export function notDirect(component: string, stream: string): Error {
  return failure('MILLRACE_EMIT_NOT_DIRECT', { component, stream });
}

export function noSuchTarget({ origin, targets }: DirectOutput, task: unknown): Error {
  const { component, stream } = origin;
  const known = targets.map((target) => target.task).join(', ') || 'none';
  return failure('MILLRACE_EMIT_DIRECT_TASK', { component, stream, task: shown(task), known });
}

export function wrongArity({ origin, arity }: Output, values: Values): Error {
  const { component, stream, fields } = origin;
  const actual = Array.isArray(values) ? values.length : `no list (${typeof values})`;
  return failure('MILLRACE_EMIT_ARITY', { component, stream, actual, expected: arity, fields: fields.join(', ') });
}

/**
 * Whether a call that has emitted that much while something was full may emit once more.
 *
 * @throws MILLRACE_EMIT_TOO_MANY, MILLRACE_EMIT_TOO_MUCH
 */
export function checkOverrun(component: string, limits: RuntimeLimits, tuples: number, bytes: number): void {
  const { emitsPerCallMax: emitsMax, emitBytesPerCallMax: bytesMax } = limits;
  if (tuples >= emitsMax) throw failure('MILLRACE_EMIT_TOO_MANY', { component, emitsMax });
  if (bytes >= bytesMax) throw failure('MILLRACE_EMIT_TOO_MUCH', { component, bytesMax });
}

export function tooLarge({ origin }: Output, bytes: number): Error {
  const { component, stream } = origin;
  return failure('MILLRACE_EMIT_TOO_LARGE', { component, stream, bytes, bytesMax: TUPLE_BYTES_MAX });
}
