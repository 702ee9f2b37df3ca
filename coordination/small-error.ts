// Errors of user code can be of any size; what is kept of one that ended a topology has to fit into a node, also when
// each character is escaped to six bytes. Pure, any thread.

import type { Problem, WireError } from '../engine/errors.js';
import { REPORT_DETAIL_TEXT_MAX, REPORT_PROBLEMS_MAX, REPORT_TEXT_MAX } from '../engine/limits.js';

/** The same error, with texts of bounded length and `REPORT_PROBLEMS_MAX` problems at most. */
export function smallError(error: WireError): WireError {
  const { name, code, message, hint, stack } = error;
  return {
    ...error,
    name: short(name),
    code: code && short(code),
    message: cut(message),
    hint: hint && cut(hint),
    stack: stack && cut(stack),
    problems: error.problems.slice(0, REPORT_PROBLEMS_MAX).map(smallProblem),
  };
}

function smallProblem({ code, path, message, hint }: Problem): Problem {
  return { code: short(code), path: short(path), message: short(message), hint: short(hint) };
}

function cut(text: string): string {
  return text.slice(0, REPORT_TEXT_MAX);
}

function short(text: string): string {
  return text.slice(0, REPORT_DETAIL_TEXT_MAX);
}
