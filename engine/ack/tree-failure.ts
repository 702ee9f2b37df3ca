// What is said of a tree that failed: why, by which error, in which component. Made once for each failure, never for an
// ack, and bounded, because it travels with the failure to the spout and may be kept there until a dead letter is
// handled. Any thread.

import type { FailCause, TreeFailure } from '../component/spout.js';
import { failure, isMillraceError, reasonOf, type MillraceError } from '../errors.js';
import { FAILURE_TEXT_MAX } from '../limits.js';

/** What cannot be delivered or read fails so. */
export const UNDELIVERED: TreeFailure = ofError('failed', failure('MILLRACE_TREE_UNDELIVERED', {}));

/** Parts of a tree may be gone with a worker. */
export const LOST: TreeFailure = ofError('lost', failure('MILLRACE_TREE_LOST', {}));

/** A tree made no progress for so long. */
export function timeoutFailure(timeoutMs: number): TreeFailure {
  return ofError('timeout', failure('MILLRACE_TREE_TIMEOUT', { timeoutMs }));
}

/** That task failed one of the tree's tuples, because of whatever was thrown or given as a reason. */
export function taskFailure(component: string, task: number, thrown: unknown): TreeFailure {
  const code = isMillraceError(thrown) ? thrown.code : 'MILLRACE_TASK_THREW';
  return { cause: 'failed', code, message: cut(reasonOf(thrown)), component, task };
}

function ofError(cause: FailCause, { code, message }: MillraceError): TreeFailure {
  return { cause, code, message, component: null, task: null };
}

/** Of that length at most, and without halves of surrogate pairs, so that it may stand in a tuple. */
function cut(text: string): string {
  const short = text.length <= FAILURE_TEXT_MAX ? text : `${text.slice(0, FAILURE_TEXT_MAX)}…`;
  return Buffer.from(short).toString();
}

/** As it travels. */
export type FailureRow = readonly [code: string, message: string, component: string | null, task: number | null];

/** Whether that came as one: what comes from elsewhere is not trusted. */
export function isFailureRow(row: unknown): row is FailureRow {
  if (!Array.isArray(row) || row.length !== 4) return false;
  const [code, message, component, task] = row as readonly unknown[];
  if (typeof code !== 'string' || typeof message !== 'string') return false;
  return (component === null && task === null) || (typeof component === 'string' && typeof task === 'number');
}
