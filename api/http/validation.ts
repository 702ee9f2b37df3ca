// Checks the parts of a request against the schemas of its route: parameters, query and body together, so that one
// reply tells every problem. Nothing is coerced, nothing is dropped, no default is filled in: what is not in a schema
// is a problem with its path. Pure, main thread.

import type { TSchema } from 'typebox';
import { failure, type MillraceError, type Problem } from '../../engine/errors.js';
import { keyPath } from '../../engine/model/names.js';
import { ProblemList } from '../../engine/model/problems.js';
import { mismatches, type Mismatch } from '../../engine/model/shape.js';
import { listed } from '../../engine/model/suggest.js';

/** One part of a request, and what it must be. */
export interface Part {
  readonly schema: TSchema;
  readonly value: unknown;
  /** Paths begin with it: `query`; empty for the body. */
  readonly path: string;
}

const LISTED_MAX = 50;

/** Every problem of these parts. */
export function problemsOf(parts: readonly Part[]): readonly Problem[] {
  const problems = new ProblemList();
  for (const { schema, value, path } of parts) {
    for (const mismatch of mismatches(schema, value, path)) report(mismatch, problems);
  }
  return problems.all();
}

/** The one error for all problems of a request. */
export function requestInvalid(method: string, route: string, problems: readonly Problem[]): MillraceError {
  const lines = problems
    .slice(0, LISTED_MAX)
    .map(({ path, message }) => `\n  ${path === '' ? '' : `${path}: `}${message}`);
  if (problems.length > LISTED_MAX) lines.push(`\n  … and ${problems.length - LISTED_MAX} more`);
  const details = { method, route, count: problems.length, list: lines.join('') };
  return failure('MILLRACE_REQUEST_INVALID', details, { problems });
}

function report(mismatch: Mismatch, problems: ProblemList): void {
  const { path } = mismatch;
  if (mismatch.kind === 'unknown') {
    const { key, known } = mismatch;
    const details = { what: ownerOf(path, key), key, known: listed(known) };
    problems.add('MILLRACE_REQUEST_UNKNOWN_KEY', path, details, { name: key, known });
  } else if (mismatch.kind === 'missing') {
    const { key, expected } = mismatch;
    problems.add('MILLRACE_REQUEST_MISSING_KEY', path, { what: ownerOf(path, key), key, expected });
  } else {
    const { expected, actual, description } = mismatch;
    problems.add('MILLRACE_REQUEST_VALUE', path, {
      what: path === '' ? 'the body' : path,
      expected,
      actual,
      description,
    });
  }
}

/** `bolts.count` of `bolts.count.inputs`. */
function ownerOf(path: string, key: string): string {
  const tail = keyPath('x', key).slice(1);
  return path.endsWith(tail) && path.length > tail.length ? path.slice(0, -tail.length) : 'the body';
}
