// What is gathered while a topology is read and checked: every problem, up to a bound, beyond which they are counted.
// The names in them are made printable here, once. Pure, any thread.

import type { ErrorCode, ErrorDetails, MillraceError, Problem } from '../errors.js';
import { failure, problem } from '../errors.js';
import { PROBLEMS_MAX } from '../limits.js';
import { printable } from './names.js';
import { nearest } from './suggest.js';

const DETAIL_LENGTH_MAX = 500;
const LISTED_MAX = 50;
/** Problems that say what may have been meant: who has more mistakes than this made another one. */
const SUGGESTIONS_MAX = 100;

/** A name that is not known, and the ones that are. */
export interface Near {
  readonly name: string;
  readonly known: Iterable<string>;
}

/** Problems in the order in which they were found. */
export class ProblemList {
  private readonly problems: Problem[] = [];
  private omitted = 0;
  private suggestions = 0;

  /** Adds a problem; with `near`, its hint begins with the known name that may have been meant. */
  add<C extends ErrorCode>(code: C, path: string, details: ErrorDetails<C>, near?: Near): void {
    if (this.problems.length >= PROBLEMS_MAX) {
      this.omitted += 1;
      return;
    }
    const entry = problem(code, path, printableDetails(details));
    const meant = near === undefined || this.suggestions >= SUGGESTIONS_MAX ? null : nearest(near.name, near.known);
    if (near !== undefined) this.suggestions += 1;
    this.problems.push(meant === null ? entry : { ...entry, hint: `did you mean "${meant}"? ${entry.hint}` });
  }

  /** Adds problems that were found elsewhere. */
  addAll(problems: Iterable<Problem>): void {
    for (const each of problems) {
      if (this.problems.length >= PROBLEMS_MAX) this.omitted += 1;
      else this.problems.push(each);
    }
  }

  /** All of them; where they were too many, the last one says how many are left out. */
  all(): readonly Problem[] {
    if (this.omitted === 0) return this.problems;
    return [...this.problems, problem('MILLRACE_TOPOLOGY_MORE_PROBLEMS', '', { count: this.omitted })];
  }
}

function printableDetails<D extends Readonly<Record<string, string | number>>>(details: D): D {
  const entries = Object.entries(details).map(([key, value]) => [
    key,
    typeof value === 'string' ? printable(value, DETAIL_LENGTH_MAX) : value,
  ]);
  return Object.fromEntries(entries) as D;
}

/** The one error for all problems of a topology. Its message lists them, one a line. */
export function topologyInvalid(name: string, problems: readonly Problem[]): MillraceError {
  const lines = problems
    .slice(0, LISTED_MAX)
    .map((each) => `\n  ${each.path === '' ? '' : `${each.path}: `}${each.message} (${each.hint})`);
  if (problems.length > LISTED_MAX) lines.push(`\n  … and ${problems.length - LISTED_MAX} more`);
  return failure(
    'MILLRACE_TOPOLOGY_INVALID',
    { topology: printable(name), count: problems.length, list: lines.join('') },
    { problems },
  );
}
